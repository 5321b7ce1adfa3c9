"""Ready-made sentences worth a click: alike, unlike, and a list to search.

Changes when a better example is found. The sentences were written for this project.
"""

from demos.similarity.nearest import NearestRequest
from demos.similarity.task import SimilarityRequest

EXAMPLES = tuple(
    SimilarityRequest(*pair)
    for pair in (
        ("今天天气真不错", "今天的天气很好"),
        ("手机没电了怎么办", "手机电池耗尽了该怎么处理"),
        ("附近有什么好吃的", "周围有哪些好吃的餐馆"),
        ("我想学做红烧肉", "红烧肉怎么做"),
        ("这部电影太好看了", "明天早上要开会"),
        ("我比他高", "他比我高"),
    )
)
LINES = """怎么退货
快递什么时候到
发票怎么开
忘记密码了怎么办
可以货到付款吗
怎么修改收货地址
优惠券在哪里领
商品坏了能换吗
会员有什么好处
怎么联系人工客服
订单可以取消吗
退款多久到账
支持哪些支付方式
怎么查物流
账号被锁了怎么解开
运费怎么算"""
NEAREST_EXAMPLES = tuple(
    NearestRequest(query, LINES.split("\n"), 5)
    for query in (
        "快递还要几天到",
        "密码想不起来了",
        "东西坏了想换一个",
        "如何找人工客服",
        "想把订单退掉",
    )
)


def caption(request: SimilarityRequest) -> str:
    """Return a short name for a button: both sentences."""
    return f"{request.text} ↔ {request.text_b}"
