"""Ready-made requests worth a click: news, abstracts, everyday reports.

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
        "针对山区输电线路覆冰厚度难以实时掌握的问题，设计了一种基于拉力传感器和微气象数据"
        "的监测装置。装置每十分钟采集一次导线拉力、气温、湿度和风速，由卡尔曼滤波去除噪声，"
        "再按力学模型换算为等值覆冰厚度，结果经无线网络传回主站。试验表明，装置在零下二十"
        "摄氏度时仍能稳定工作，换算结果与人工测量接近。",
        max_new_tokens=40,
    ),
    TitleRequest(
        "入冬以来，不少人一感到嗓子发干就大量吃梨、喝冰糖水。营养师提醒，口干多半是室内湿度"
        "过低造成的，多喝白开水、用加湿器把湿度保持在百分之五十左右，往往比甜食更有效；"
        "糖尿病患者尤其不宜把糖水当水喝。",
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
