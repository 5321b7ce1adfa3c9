"""Ready-made questions worth a click: short ones here, longer ones as samples by name.

Changes when a better question is found. All texts were written for this project.
"""

import json

from demos.qa.task import QaRequest

EXAMPLES = (
    QaRequest(
        "两直角边与斜边有什么关系？",
        (
            "勾股定理：直角三角形的两直角边为 a、b，斜边为 c，则 a² + b² = c²。",
            "《周髀算经》里记有“勾三股四弦五”，说的是其中最简单的一例。",
        ),
    ),
    QaRequest(
        "谁主持修建了都江堰？",
        (
            "都江堰位于四川省都江堰市，始建于公元前三世纪，由秦国蜀郡太守李冰主持修建。",
            "郑国渠在关中平原，由韩国水工郑国主持开凿，引泾水灌溉农田。",
        ),
    ),
)
SAMPLES = (
    "qa/silk_road.json",
    "qa/novels.json",
    "qa/discoveries.json",
    "qa/rivers.json",
)

SAMPLE_BASE = "facts/base.tsv"
FACTS_EXAMPLES = (
    "《红楼梦》这部小说是谁写的？",
    "1962年的越剧电影《红楼梦》由谁主演？",
    "苏轼的号是什么？",
    "金这种元素的原子序数是多少？",
    "金朝是谁建立的？",
    "土星最大的卫星叫什么？",
    "黄河注入哪里？",
    "居里夫人发现了哪些元素？",
)


def requests_of(sample: str) -> tuple[QaRequest, ...]:
    """Return the questions of a sample, each with the sample's passages.

    Args:
        sample: JSON text with ``passages`` and ``questions``, both lists of text.
    """
    read = json.loads(sample)
    passages = tuple(read["passages"])
    return tuple(QaRequest(question, passages) for question in read["questions"])


def caption(request: QaRequest) -> str:
    """Return a short name for a button: the question."""
    return request.question
