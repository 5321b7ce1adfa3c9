"""Ready-made sentences worth a click: questions and wishes that can be said otherwise.

Changes when a better example is found. The sentences were written for this project.
"""

from demos.rephrasing.rephrasing import RephrasingRequest

EXAMPLES = tuple(
    map(
        RephrasingRequest,
        (
            "我想去北京玩几天可以吗",
            "手机充不进电怎么办？",
            "红烧肉怎么做才好吃",
            "快递什么时候能到",
            "学英语有什么好方法",
            "晚上睡不着怎么办",
        ),
    )
)
