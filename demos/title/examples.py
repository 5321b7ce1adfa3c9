"""Ready-made requests worth a click: abstracts, news, everyday reports.

Changes when a better article is found. All were written for this project; the long
ones lie in assets/samples under the names of SAMPLES.
"""

from demos.title.task import TitleRequest

SAMPLES = {
    "title/lunar_samples.txt": "新闻 · 月球背面的样品",
    "title/bird_compass.txt": "综述 · 候鸟的罗盘",
    "title/granary_library.txt": "虚构报道 · 粮站变书屋",
}

EXAMPLES = (
    TitleRequest(
        "提出了一种基于注意力机制的古籍图像文字识别方法。该方法先用版面分析切分竖排文字，"
        "再用编码器提取字形特征，由解码器逐字输出。在自建的古籍数据集上的实验表明，识别"
        "准确率比传统方法提高六个百分点，对缺损字也有较好的效果。",
        max_new_tokens=40,
    ),
    TitleRequest(
        "国家统计局今天发布的数据显示，今年全国夏粮总产量比上年增加百分之一点二，再获丰收。"
        "其中小麦产量稳定增长，主产区河南、山东、安徽单产均有提高。专家表示，优良品种推广和"
        "高标准农田建设是夏粮增产的主要原因。",
    ),
    TitleRequest(
        "针对山区输电线路覆冰厚度难以实时掌握的问题，设计了一种基于拉力传感器和微气象数据"
        "的监测装置。装置每十分钟采集一次导线拉力、气温、湿度和风速，由卡尔曼滤波去除噪声，"
        "再按力学模型换算为等值覆冰厚度，结果经无线网络传回主站。试验表明，装置在零下二十"
        "摄氏度时仍能稳定工作，换算结果与人工测量接近。",
        max_new_tokens=40,
    ),
    TitleRequest(
        "白蚁没有建筑图纸，却能筑起几米高、内部四通八达的蚁丘。每只白蚁只根据身边泥粒的气味"
        "和湿度决定把下一粒放在哪里，成千上万次简单的选择合在一起，便有了通风的烟道和恒温的"
        "育幼室。科学家把这种不靠指挥、只靠痕迹彼此协调的办法用到了成群的小机器人身上。",
        num_beams=6,
        num_return=5,
    ),
)


def caption(request: TitleRequest) -> str:
    """Return a short name for a button: how the article begins."""
    return request.text.strip()[:14] + "…"
