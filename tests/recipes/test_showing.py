import pytest

from recipes.evaluate_tasks import Answered
from recipes.scoring import SCORES
from recipes.showing import (
    ASKED,
    GOLD,
    NOTHING,
    WORTH,
    Shown,
    best,
    mode_shown,
    shown,
    worst,
    worth,
)
from recipes.task_files import TaskData
from recipes.tasks_data import (
    FewshotExample,
    GoldAnswer,
    KgExample,
    KgFact,
    QaExample,
    TitleExample,
    Triple,
    TriplesExample,
)

PASSAGE = "从前有座山，山上有座庙，庙里有个老和尚，他给小和尚讲的是赵州桥的故事。"


def asked(question, *answers, yes_no=""):
    gold = tuple(GoldAnswer(text, PASSAGE.index(text)) for text in answers)
    kind = "yes_no" if yes_no else "span" if gold else "unanswerable"
    return QaExample(PASSAGE, question, gold, kind, yes_no)


def worths(*values):
    return [Shown(f"第{n}个", "", "", value) for n, value in enumerate(values)]


def names(examples):
    return [int(one.asked[1:-1]) for one in examples]


def test_every_task_is_shown_and_has_a_worth():
    assert ASKED.keys() == GOLD.keys() == WORTH.keys() == SCORES.keys()


@pytest.mark.parametrize(
    ("example", "said", "value"),
    [
        (asked("讲什么？", "赵州桥的故事"), "赵州桥的故事", 1.0),
        (asked("讲什么？", "赵州桥的故事"), "赵州桥", 2 / 3),
        (asked("讲什么？", "赵州桥的故事"), "", 0.0),
        (asked("庙有多高？"), "", 1.0),
        (asked("庙有多高？"), "老和尚", 0.0),
        (asked("有庙吗？", yes_no="YES"), "是的", 1.0),
    ],
)
def test_a_question_is_worth_its_own_kind_of_score(example, said, value):
    assert worth("qa", example, said) == pytest.approx(value, abs=1e-4)


def test_a_question_is_shown_with_the_passage_around_its_answer():
    answers = Answered(
        TaskData("qa", (asked("讲什么？", "赵州桥的故事"), asked("庙有多高？"))),
        {"mlm": ["赵州桥", ""]},
        {"mlm": 0.1},
    )
    first, second = shown(answers, "mlm")
    assert first.asked.startswith("讲什么？ ▸ ……")
    assert "赵州桥的故事" in first.asked
    assert (first.gold, first.said) == ("赵州桥的故事", "赵州桥")
    assert second.asked == f"庙有多高？ ▸ {PASSAGE}"
    assert (second.gold, second.said, second.worth) == (NOTHING, NOTHING, 1.0)


def test_triples_facts_pairs_and_titles_read_as_lines():
    triple = Triple("史记", "作者", "司马迁")
    rows = {
        "triples": (
            TriplesExample("司马迁的史记", (triple,)),
            (("史记", "作者", "司马迁"),),
        ),
        "kgqa": (
            KgExample("史记谁写的", KgFact("史记", "作者", "司马迁", "书")),
            KgFact("史记", "作者", "司马迁", "书"),
        ),
        "fewshot": (FewshotExample("早", "是", "早上好"), "是"),
        "title": (TitleExample("文", "题"), "题"),
    }
    told = {
        task: shown(Answered(TaskData(task, (one,)), {"x": [said]}, {"x": 0}), "x")[0]
        for task, (one, said) in rows.items()
    }
    assert {one.worth for one in told.values()} == {1.0}
    assert told["triples"].said == told["triples"].gold == "史记·作者·司马迁"
    assert told["kgqa"].said == told["kgqa"].gold == "史记（书）·作者·司马迁"
    assert told["fewshot"].asked == "早 ▸ 早上好"
    assert told["title"].gold == "题"


def test_the_worst_come_worst_first_and_what_is_right_is_no_failure():
    assert names(worst(worths(0.5, 1.0, 0.2, 0.9))) == [2, 0, 3]
    assert names(worst(worths(1.0, 1.0))) == []
    assert names(best(worths(0.5, 0.0, 0.2, 0.9))) == [3, 0]
    assert names(best(worths(0.0))) == []


def test_equals_are_spread_over_the_file():
    assert names(worst(worths(*[0.0] * 9))) == [0, 3, 6]
    assert names(worst(worths(0.1, *[0.5] * 8), 3)) == [0, 1, 5]
    assert names(best(worths(*[1.0] * 4))) == [0, 2]


def test_the_mode_that_learned_or_wrote_is_looked_at():
    assert mode_shown(["zero_shot", "few_shot"]) == "few_shot"
    assert mode_shown(["extract", "full"]) == "full"
    assert mode_shown(["span", "mlm"]) == "span"
