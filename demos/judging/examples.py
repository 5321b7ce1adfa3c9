"""Ready-made texts worth a click: to be told apart, and with a character replaced.

Changes when a better example is found. The texts were written for this project.
"""

from demos.judging.classification import ClassificationRequest
from demos.judging.detection import DetectionRequest

CLASSIFICATION_EXAMPLES = tuple(
    ClassificationRequest(*texts)
    for texts in (
        ("包装很严实，用了一周没有问题，下次还买。",),
        ("等了两个小时才上菜，味道也一般，不会再来。",),
        ("球队在加时赛攻入一球，时隔六年再次夺冠。",),
        ("央行宣布下调存款准备金率，市场反应积极。",),
        ("今天可以退货吗", "现在能不能把东西退掉"),
        ("他在公园里跑步", "他正坐在家里看书"),
    )
)
DETECTION_EXAMPLES = tuple(
    map(
        DetectionRequest,
        (
            "今天天气很好，我们一起去公圆散步。",
            "他每天早上六点起床，洗脸刷牙后去学小上课。",
            "长江是中国最长的河流，最后注入东河。",
            "这本书写得很好，值得一读。",
            "老师让我们把作业交到讲台下面的箱字里。",
        ),
    )
)


def caption(request: ClassificationRequest) -> str:
    """Return a short name for a button."""
    return f"{request.text} ↔ {request.text_b}" if request.text_b else request.text
