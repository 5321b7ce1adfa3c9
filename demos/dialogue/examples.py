"""Ready-made messages worth a click: how a chat may begin.

Changes when a better opening is found. The messages were written for this project.
"""

from demos.dialogue.task import DialogueRequest

EXAMPLES = tuple(
    map(
        DialogueRequest,
        (
            "你好呀，今天过得怎么样？",
            "周末有什么安排吗？",
            "外面下雨了，忘了带伞。",
            "最近有什么好看的电影推荐？",
            "加班到现在，好累啊。",
            "晚饭吃火锅还是吃面？",
            "我家的猫又把杯子推下去了。",
            "第一次去成都，该去哪里玩？",
            "明天要面试，有点紧张。",
            "你喜欢夏天还是冬天？",
        ),
    )
)


def caption(request: DialogueRequest) -> str:
    """Return a short name for a button: the message."""
    return request.message
