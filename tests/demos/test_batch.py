"""One answer per line, in order, whatever happens to a line."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.batch import (
    GROUP_LINES,
    Line,
    answer_group,
    answer_lines,
    columns_of,
    echo_of,
    has_failed,
    last,
)
from demos.errors import DemoError, FileError
from demos.files.bases import sample_base
from demos.limits import advice_of, names_of
from demos.tasks import EVERY_TASK, GENERATION, TITLE
from model_core.interfaces import ModelError
from tests.fake_dialogue_partner import FakeDialoguePartner
from tests.fake_fact_finder import FakeFactFinder
from tests.fake_mask_filler import FakeMaskFiller
from tests.fake_passage_reader import FakePassageReader
from tests.fake_sentences import (
    FakeReplacedTokenDetector,
    FakeSentenceEncoder,
    FakeSentenceRephraser,
    FakeTextClassifier,
)
from tests.fake_summarizer import FakeSummarizer
from tests.fake_text_rewriter import FakeRewriter
from tests.fake_triple_pointer import FakeTriplePointer
from tests.fakes import FakeGenerator

BUSY = ModelError("busy", "忙。", "Busy.")
BROKEN = Line(fault=FileError("坏行。", "Broken."))


def answers(*lines, model=None, **options):
    model = model or FakeGenerator()
    return list(answer_lines(GENERATION, lines, model, options))


def test_a_lines_own_fields_are_kept_and_the_answers_added():
    (record,) = answers(Line({"id": 7, "prompt": "春"}), max_new_tokens=2, seed=0)
    assert record == {
        "id": 7,
        "prompt": "春",
        "texts": [{"text": "床前", "log_prob": -2.0, "finish": "length"}],
        "seed": 0,
        "weights": "embedded",
    }


def test_bad_lines_give_an_error_and_the_others_go_on():
    good = Line({"prompt": "春"})
    records = answers(
        good,
        BROKEN,
        Line({"id": 2, "prompt": ""}),
        Line({"prompt": "夏"}),
        Line({"prompt": "秋", "style": "摇滚"}),
        good,
        model=FakeGenerator(failures={"夏": BUSY}),
    )
    assert [has_failed(r) for r in records] == [False, True, True, True, True, False]
    assert records[1] == {"error": "坏行。 / Broken."}
    assert records[2]["id"] == 2
    assert "1 to 2000 characters, got 0" in records[2]["error"]
    assert records[3] == {"prompt": "夏", "error": "忙。 / Busy."}
    assert "must be one of" in records[4]["error"]


lines = st.one_of(
    st.just(BROKEN),
    st.builds(
        Line,
        st.dictionaries(
            st.sampled_from(["prompt", "top_k", "seed", "texts", "error", "id"]),
            st.one_of(st.none(), st.text(), st.integers(), st.lists(st.integers())),
        ),
    ),
)


@given(st.lists(lines))
def test_every_line_gives_one_record_with_an_answer_or_an_error(batch):
    records = answers(*batch, max_new_tokens=1)
    assert len(records) == len(batch)
    for line, record in zip(batch, records, strict=True):
        assert ("texts" in record) != has_failed(record)
        assert {k: record.get(k) for k in echo_of(GENERATION, line) if k != "seed"} == {
            k: v for k, v in echo_of(GENERATION, line).items() if k != "seed"
        }


def test_answers_of_an_earlier_run_are_replaced():
    earlier = {"prompt": "春", "texts": ["旧"], "weights": "旧", "error": "旧"}
    (record,) = answers(Line(earlier))
    assert record["weights"] == "embedded"
    assert not has_failed(record)
    (failed,) = answers(Line({**earlier, "top_k": -1}))
    assert failed.keys() == {"prompt", "top_k", "error"}


def test_an_empty_cell_leaves_the_option_alone():
    cells = {"prompt": "春", "seed": "", "style": ""}
    model = FakeGenerator()
    answers(Line(cells, blank=frozenset({"seed", "style"})), model=model, style="小说")
    assert model.asked[0][1].style == "小说"


def test_answers_come_one_by_one():
    model = FakeGenerator()
    records = answer_lines(GENERATION, iter([Line({"prompt": "春"})] * 3), model, {})
    next(records)
    assert len(model.asked) == 1


def test_a_model_without_a_result_is_an_error_and_no_crash():
    with pytest.raises(DemoError, match="gave no result"):
        last(iter(()))


@pytest.mark.parametrize("name", EVERY_TASK)
def test_what_takes_too_long_is_told_to_lower_what_it_has(name):
    asked = EVERY_TASK[name].request_type
    _, advice = advice_of(asked)
    named = {"tokens": "max_new_tokens", "lines": "lines", "passages": "passages"}
    named |= {"beams": "num_beams", "examples": "examples", "base": "base"}
    told = {field for word, field in named.items() if word in advice}
    assert told <= set(names_of(asked))


def test_every_task_stands_under_its_own_name():
    assert all(name == task.name for name, task in EVERY_TASK.items())


# Every task, what its lines may be, and a model that fails on some of them.

PAIR = {"好评": "好", "差评": "坏"}
CASES = {
    "generation": (
        {"max_new_tokens": 3, "seed": 0},
        [{"prompt": "春"}, {"prompt": "坏"}, {"prompt": "秋", "top_k": -1}],
        lambda: FakeGenerator(failures={"坏": BUSY}),
    ),
    "dialogue": (
        {"max_new_tokens": 3, "seed": 0},
        [
            {"message": "早"},
            {"message": "坏"},
            {
                "message": "晚",
                "history": [
                    {"speaker": "person", "text": "早"},
                    {"speaker": "model", "text": "你好呀"},
                ],
            },
            {"message": "晚", "history": [{"speaker": "person", "text": "早"}]},
            {"message": "晚", "history": "[{"},
            {"history": []},
        ],
        lambda: FakeDialoguePartner(failures={"坏": BUSY}),
    ),
    "title": (
        {"num_beams": 2},
        [
            {"text": "港口复航，船来船往。"},
            {"text": "坏"},
            {"text": "春雨。", "num_beams": 3, "num_return": 1},
            {"text": "晴。", "max_new_tokens": 0},
            {"id": 3},
        ],
        lambda: FakeRewriter(failures={"坏": BUSY}),
    ),
    "triples": (
        {"threshold": 0.3},
        [
            {"text": "《史记》的作者是司马迁，父亲是司马谈。"},
            {"text": "苏轼号东坡居士。" * 50},
            {"text": "坏书"},
            {"text": "西汉的司马迁", "decoder": "gplinker"},
            {"text": "苏轼", "schema": [["人物", "不认得", "人物"]]},
        ],
        lambda: FakeTriplePointer(failures={"坏": BUSY}),
    ),
    "qa": (
        {"mode": "mlm"},
        [
            {"question": "谁？", "passage": "杜甫字子美。"},
            {"question": "谁？", "passages": ["李白字太白。", "杜甫字子美。"]},
            {"question": "谁？"},
            {"question": "谁？", "passage": "甲", "mode": "span"},
        ],
        lambda: FakePassageReader(answers={"谁？": ("杜甫",)}),
    ),
    "fewshot": (
        {"labels": PAIR, "pattern": "____。{text}"},
        [
            {"text": "房间很干净"},
            {"text": "等了很久", "pattern": "真____。{text}"},
            {"text": "香", "labels": {"好": "好", "怪": "怪"}},
            {"text": "香", "pattern": "没有空"},
            {
                "text": "香",
                "max_steps": 3,
                "examples": [
                    {"text": "香", "label": "好评"},
                    {"text": "臭", "label": "差评"},
                ],
            },
        ],
        lambda: FakeMaskFiller(unknown=("怪",)),
    ),
    "summary": (
        {"max_chars": 20},
        [
            {"text": "港口复航了。船只来往，货物上岸。"},
            {"text": "坏"},
            {"text": "只抽取这一句。", "mode": "extract"},
            {"text": "晴。", "max_chars": 1},
        ],
        lambda: FakeSummarizer(failures={"坏": BUSY}),
    ),
    "facts": (
        {"base": sample_base()},
        [
            {"question": "李白的号是什么？"},
            {"question": "谁？", "num_return": 1},
            {"question": ""},
            {"question": "谁？", "base": "另一个.csv"},
        ],
        FakeFactFinder,
    ),
    "similarity": (
        {},
        [
            {"text": "天气很好", "text_b": "天气真好"},
            {"text": "天气很好", "text_b": "开会"},
            {"text": "天气很好"},
        ],
        FakeSentenceEncoder,
    ),
    "nearest": (
        {"lines": "天气很好\n开会\n天气很好"},
        [
            {"query": "天气"},
            {"query": "开会", "lines": ["开", "会"], "top_k": 1},
            {"query": "开会", "lines": ["开", 3]},
        ],
        FakeSentenceEncoder,
    ),
    "rephrasing": (
        {"num_return": 2},
        [
            {"text": "天气怎么样"},
            {"text": "去哪儿", "num_return": 3, "seed": 1},
            {"text": "坏"},
            {"text": "长" * 101},
        ],
        lambda: FakeSentenceRephraser(failures={"坏": BUSY}),
    ),
    "classification": (
        {},
        [{"text": "很好"}, {"text": "好", "text_b": "好"}, {"text": ""}],
        FakeTextClassifier,
    ),
    "detection": (
        {"threshold": 0.2},
        [{"text": "错"}, {"text": "疑", "threshold": 0.5}, {"text": ""}],
        FakeReplacedTokenDetector,
    ),
}
MANY = [name for name, task in EVERY_TASK.items() if task.run_many is not None]


def answers_to(task, lines, options, model):
    return list(answer_lines(task, lines, task.prepare(model), options))


def test_every_task_has_a_case():
    assert CASES.keys() == EVERY_TASK.keys()
    assert {"title", "triples", "fewshot", "summary"} <= set(MANY)


@pytest.mark.parametrize("name", EVERY_TASK)
@given(data=st.data())
def test_lines_answered_together_are_answered_as_one_by_one(name, data):
    options, kinds, new_model = CASES[name]
    drawn = data.draw(st.lists(st.sampled_from([None, *kinds]), max_size=9))
    lines = [
        BROKEN if fields is None else Line({**fields, "number": number})
        for number, fields in enumerate(drawn)
    ]
    task = EVERY_TASK[name]
    together = answers_to(task, lines, options, new_model())
    alone = answers_to(replace(task, run_many=None), lines, options, new_model())
    assert together == alone
    assert len(together) == len(lines)
    for line, record in zip(lines, together, strict=True):
        assert record.get("number") == line.fields.get("number")
        assert record.keys() <= {*line.fields, *columns_of(task, ())}


@pytest.mark.parametrize("name", EVERY_TASK)
def test_every_case_holds_answers_and_errors(name):
    options, kinds, new_model = CASES[name]
    records = answers_to(
        EVERY_TASK[name], [Line(one) for one in kinds], options, new_model()
    )
    assert len({has_failed(record) for record in records}) == 2


def numbered(count):
    return [Line({"text": f"第{number}号。"}) for number in range(count)]


def test_a_task_that_answers_many_gets_portions_of_lines():
    model = FakeRewriter()
    records = answers_to(TITLE, numbered(2 * GROUP_LINES + 3), {"num_beams": 1}, model)
    assert model.batches == [GROUP_LINES, GROUP_LINES, 3]
    assert [r["titles"][0]["text"] for r in records] == [
        f"第{number}号。" for number in range(2 * GROUP_LINES + 3)
    ]


def test_a_portion_is_read_and_answered_only_when_it_is_wanted():
    model, read = FakeRewriter(), []

    def lines():
        for line in numbered(3 * GROUP_LINES):
            read.append(line)
            yield line

    records = answer_lines(TITLE, lines(), model, {})
    assert next(records)
    assert (len(read), model.batches) == (GROUP_LINES, [GROUP_LINES])


def test_lines_that_cannot_be_asked_never_reach_the_model():
    model = FakeRewriter()
    lines = [BROKEN, Line({"text": ""}), Line({})]
    assert all(map(has_failed, answers_to(TITLE, lines, {}, model)))
    assert model.batches == []


@pytest.mark.parametrize("done", [0, 1, 31, 32, 33, 63, 64, 69, 70])
def test_going_on_gives_what_is_missing_from_the_very_same_portions(done):
    whole = answers_to(TITLE, numbered(70), {}, FakeRewriter())
    model = FakeRewriter()
    rest = list(answer_lines(TITLE, numbered(70), model, {}, done=done))
    assert rest == whole[done:]
    assert model.batches == [GROUP_LINES, GROUP_LINES, 6][done // GROUP_LINES :]


def test_going_on_asks_a_model_of_single_lines_for_nothing_twice():
    model = FakeGenerator()
    lines = [Line({"prompt": prompt}) for prompt in "春夏秋冬"]
    assert len(list(answer_lines(GENERATION, lines, model, {}, done=3))) == 1
    assert [prompt for prompt, _ in model.asked] == ["冬"]


def test_a_failure_of_all_is_each_ones_own_and_earlier_answers_stay():
    def run_many(requests, model):
        yield from TITLE.run_many(requests[:1], model)
        raise BUSY

    task = replace(TITLE, run_many=run_many)
    first, *others = answer_group(task, numbered(3), FakeRewriter(), {})
    assert first["titles"]
    assert [record["error"] for record in others] == [str(BUSY)] * 2


def test_too_few_answers_are_errors_and_no_crash():
    task = replace(TITLE, run_many=lambda requests, model: iter(()))
    records = list(answer_group(task, numbered(2), FakeRewriter(), {}))
    assert ["gave no result" in record["error"] for record in records] == [True, True]
