"""The nearest lines of a list: laws of the search, frames, memory, records."""

import itertools

import numpy as np
import pytest

from demos.errors import InvalidRequestError
from demos.similarity import searcher
from demos.similarity.examples import NEAREST_EXAMPLES
from demos.similarity.nearest import NearestRequest, search
from demos.similarity.nearest_record import ADDED_FIELDS, render_text, to_record
from demos.similarity.searcher import LineMemory, Portion, Searcher
from tests.fake_sentences import FakeSentenceEncoder

ALIKE = ("天气好", "好天气", "气好天")
LINES = "怎么退货\n\n发票怎么开\n怎么退货\n运费怎么算\n可以退货吗"


def last(*given, model=None, **more):
    *_, result = search(NearestRequest(*given, **more), model or FakeSentenceEncoder())
    return result


def test_the_line_itself_comes_first_with_every_number():
    best = last("怎么退货", LINES).neighbours[0]
    assert (best.line.text, best.line.numbers) == ("怎么退货", (1, 4))
    assert best.cosine == 1


def test_cosines_never_rise_and_every_distinct_line_is_there():
    result = last("退货", LINES)
    cosines = [one.cosine for one in result.neighbours]
    assert cosines == sorted(cosines, reverse=True)
    assert len(cosines) == result.num_distinct == 4
    assert result.num_lines == 5


def test_as_many_as_asked():
    assert len(last("退货", LINES, 2).neighbours) == 2


@pytest.mark.parametrize("lines", list(itertools.permutations(ALIKE)))
def test_ties_keep_the_order_of_their_lines(lines):
    told = [one.line.text for one in last("天气好", list(lines)).neighbours]
    assert told == list(lines)


def test_the_order_of_lines_changes_no_cosine():
    lines = LINES.split("\n")
    shares = [
        {one.line.text: one.cosine for one in last("退货", order).neighbours}
        for order in (lines, lines[::-1])
    ]
    assert shares[0] == shares[1]


def test_every_frame_is_the_whole_result_so_far(monkeypatch):
    monkeypatch.setattr(searcher, "PORTION", 2)
    frames = list(search(NearestRequest("退货", LINES), FakeSentenceEncoder()))
    assert [frame.num_read for frame in frames] == [2, 4]
    assert [frame.finished for frame in frames] == [False, True]
    assert [render_text(frame) == "" for frame in frames] == [True, False]
    assert frames[-1].neighbours == last("退货", LINES).neighbours
    records = [to_record(frame) for frame in frames]
    assert [(one["num_read"], one["num_distinct"]) for one in records] == [
        (2, 4),
        (4, 4),
    ]


def test_a_list_that_was_read_is_not_read_again():
    model = FakeSentenceEncoder()
    remembers = Searcher(model)
    first = last("退货", LINES, model=remembers)
    asked = len(model.asked)
    again = last("退货", LINES, model=remembers)
    assert again.neighbours == first.neighbours
    assert len(model.asked) == asked + 1  # the query alone
    last("退货", f"{LINES}\n又一行", model=remembers)
    assert len(model.asked) == asked + 3


def test_other_weights_or_pooling_read_anew():
    memory = LineMemory()
    one, other = FakeSentenceEncoder(), FakeSentenceEncoder(pooling="cls")
    last("退货", LINES, model=Searcher(one, memory))
    last("退货", LINES, model=Searcher(other, memory))
    assert len(other.asked) == 2


def test_the_memory_forgets_what_was_not_asked_for_the_longest():
    memory = LineMemory(2)
    portions = [Portion((0,), np.zeros((1, 2), "float32")) for _ in range(3)]
    memory.put("a", portions[0])
    memory.put("b", portions[1])
    assert memory.get("a") is portions[0]
    memory.put("c", portions[2])
    assert memory.get("b") is None
    assert memory.get("a") is portions[0]


def test_lines_that_did_not_fit_are_counted():
    result = last("一二三四五", "一二三四五六\n一", model=FakeSentenceEncoder(window=5))
    assert (result.num_cut, result.num_chars_read) == (1, 5)


def test_a_record_says_where_each_line_stands():
    record = to_record(last("怎么退货", LINES, 1))
    assert record["nearest"] == [
        {"text": "怎么退货", "cosine": 1.0, "line": 1, "lines": [1, 4]}
    ]
    assert record.keys() == {*ADDED_FIELDS, "query"}
    assert (record["num_lines"], record["num_distinct"]) == (5, 4)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("退货",), "are missing"),
        (("退货", ""), "got 0"),
        (("", LINES), "“Query”"),
        (("退货", LINES, 0), "between 1 and 100"),
        (("退货", "甲\n\udc80"), "line 2 has bytes"),
        (("退货", "\n".join(map(str, range(10_001)))), "may have 10000 lines"),
    ],
)
def test_what_cannot_be_searched_is_refused(given, said):
    with pytest.raises(InvalidRequestError, match=said):
        NearestRequest(*given)


def test_the_examples_find_something():
    for example in NEAREST_EXAMPLES:
        *_, result = search(example, FakeSentenceEncoder())
        assert len(result.neighbours) == example.top_k
