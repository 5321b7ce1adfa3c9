"""A few examples of every task, over the tiny playing checkpoint's vocabulary."""

from recipes.tasks_data import (
    GoldAnswer,
    KgExample,
    KgFact,
    QaExample,
    Triple,
    TriplesExample,
)
from tests.model_core.playing_checkpoint import LAKE, RELATIONS, RIVER, WRITER

LONG = RIVER + LAKE * 4 + WRITER + LAKE * 3


def answered(passage, question, text):
    return QaExample(
        passage, question, (GoldAnswer(text, passage.index(text)),), "span"
    )


QUESTIONS = (
    answered(RIVER, "长江有多长？", "六千三百公里"),
    answered(WRITER, "鲁迅是哪里人？", "浙江绍兴"),
    answered(LAKE, "青海湖在哪个省？", "青海省"),
    answered(LONG, "鲁迅是哪里人？", "浙江绍兴"),
    QaExample(LAKE, "谁写了呐喊？", (), "unanswerable"),
    QaExample(LONG, "长江好看不好看？", (), "unanswerable"),
    QaExample(RIVER, "长江长不长？", (), "yes_no", "YES"),
)
TRIPLES = (
    TriplesExample(WRITER, (Triple("鲁迅", "出生地", "浙江绍兴", "人物", "地点"),)),
    TriplesExample(
        "鲁迅的《呐喊》和《彷徨》，鲁迅出生于浙江。",
        (
            Triple("呐喊", "作者", "鲁迅", "图书作品", "人物"),
            Triple("彷徨", "作者", "鲁迅", "图书作品", "人物"),
            Triple("鲁迅", "出生地", "浙江", "人物", "地点"),
        ),
    ),
    TriplesExample(RIVER, (Triple("长江", "长度", "六千三百公里", "河流", "数字"),)),
    TriplesExample(LAKE, ()),
    TriplesExample("体育", (Triple("体育", "面积", "财经", "甲", "乙"),)),
)
PAIRS = (
    (RIVER, "长江流经上海注入东海"),
    (WRITER, "鲁迅和《呐喊》"),
    (LAKE, "青海湖是最大的咸水湖"),
    (LONG, "长江"),
)
FACTS = (
    KgExample("长江有多长？", KgFact("长江", "长度", "六千三百公里")),
    KgExample("谁写了呐喊？", KgFact("呐喊", "作者", "鲁迅", "图书")),
    KgExample("鲁迅是哪里人？", KgFact("鲁迅", "出生地", "浙江绍兴", "人物")),
)
CLAUSES = (
    (
        ["长江发源于青藏高原，", "全长约六千三百公里，", "流经上海后注入东海。"],
        [1, 0, 1],
    ),
    (["青海湖位于青海省，", "是中国最大的咸水湖。"], [0, 1]),
    (["鲁迅。"], [1]),
    ([LAKE] * 140, [n % 3 // 2 for n in range(140)]),
)
NUM_RELATIONS = len(RELATIONS)
