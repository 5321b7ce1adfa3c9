"""Ready-made requests worth a click: judgments, meeting notes, histories.

Changes when a better text is found. All were written for this project; the long ones
lie in assets/samples under the names of SAMPLES.
"""

from demos.summary.task import EXTRACT, SummaryRequest

SAMPLES = {
    "summary/grand_canal.txt": "历史 · 大运河两千五百年",
    "summary/lease_dispute.txt": "虚构判决 · 脚手架租金",
}

EXAMPLES = (
    SummaryRequest(
        "原告王甲向本院提出诉讼请求：一、判令被告李乙归还借款八万元；二、判令被告支付利息。"
        "事实和理由：原、被告系朋友关系。2020年3月5日，被告因开店缺少资金向原告借款八万元，"
        "出具借条一张，约定一年内归还，月利率百分之一。借款到期后，被告只归还了利息三千元，"
        "本金至今未还。被告李乙未到庭，也未提交答辩意见。本院认为，合法的借贷关系受法律保护。"
        "原告提交的借条和转账记录能够证明被告向原告借款八万元的事实，被告未按期归还，应承担"
        "还款责任。双方约定的利率没有超过法律规定的上限，本院予以支持。依照《中华人民共和国"
        "民法典》第六百六十七条、第六百七十五条的规定，判决如下：被告李乙于本判决生效后十日内"
        "归还原告王甲借款本金八万元，并支付按月利率百分之一计算的利息，已支付的三千元应予扣除。",
        max_chars=80,
        mode=EXTRACT,
    ),
    SummaryRequest(
        "今天的例会讨论了三件事。第一，阅览室的空调已经用了十二年，噪声大、耗电多，后勤组"
        "比较了三家报价，建议在五月以前换成变频机组，预算八万元，大家没有不同意见。第二，"
        "读者反映周末自习座位不够，借阅组统计了四周的人数，周六下午平均超出座位三十七人，"
        "会议决定把二楼报告厅在没有活动的周末开放为临时自习室，由志愿者轮流值班。第三，"
        "旧书捐赠箱从三月起移到正门右侧，每月最后一个周五清点，破损的书由修复小组处理，"
        "重复的书转给社区书屋。散会前，大家约定下次例会改在周三上午九点，请各组提前一天"
        "把材料发到公共邮箱。",
        max_chars=100,
        mode=EXTRACT,
    ),
    SummaryRequest(
        "潮汐是海水在月球和太阳引力作用下发生的周期性涨落。月球虽然比太阳小得多，却离地球"
        "近得多，因此它引起的潮汐约为太阳的两倍。地球朝向月球的一面和背向月球的一面同时"
        "隆起，随着地球自转，多数海岸每天出现两次高潮和两次低潮。每逢新月和满月，太阳、月球"
        "和地球几乎排成一线，两种引力叠加，形成大潮；上弦和下弦时，两者互相抵消一部分，形成"
        "小潮。海岸的形状也会放大潮差：杭州湾外宽内窄，潮水涌入后被不断挤高，便有了著名的"
        "钱塘江大潮。人们利用潮汐安排航运和捕捞，也在一些海湾建起潮汐电站，让涨落的海水推动"
        "水轮机发电。潮汐还使地球自转极其缓慢地变慢，并让月球每年远离地球约三点八厘米。",
        max_chars=80,
    ),
)


def caption(request: SummaryRequest) -> str:
    """Return a short name for a button: how the text begins."""
    kind = "只抽取 · " if request.mode == EXTRACT else ""
    opening = request.text.strip()[:12].rstrip("，。")
    return f"{kind}{opening}…"
