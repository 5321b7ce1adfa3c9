"""One answer per line, in order, whatever happens to a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.batch import Line, answer_lines, echo_of, has_failed, last
from demos.errors import DemoError, FileError
from demos.tasks import GENERATION, TASKS
from model_core.interfaces import ModelError
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


def test_every_task_stands_under_its_own_name():
    assert all(name == task.name for name, task in TASKS.items())
