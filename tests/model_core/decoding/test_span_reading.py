import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding.span_reading import EdgeLogits, read_spans, softmax

seeds = st.integers(0, 10_000)


def drawn(seed, lengths):
    rng = np.random.default_rng(seed)
    return [EdgeLogits(*rng.normal(scale=3, size=(2, 1 + n))) for n in lengths]


def by_hand(windows, longest):
    """Every span of every window, of one softmax over all; and p(no answer)."""
    nulls = [float(w.starts[0] + w.ends[0]) for w in windows]
    least = windows[nulls.index(min(nulls))]
    sums = [
        np.exp(float(least[side][0]))
        + sum(np.exp(float(x)) for w in windows for x in w[side][1:])
        for side in (0, 1)
    ]
    spans = {
        (index, first, last): float(np.exp(w.starts[1 + first] + w.ends[1 + last]))
        / (sums[0] * sums[1])
        for index, w in enumerate(windows)
        for first in range(len(w.starts) - 1)
        for last in range(first, min(first + longest, len(w.starts) - 1))
    }
    return spans, np.exp(min(nulls)) / (sums[0] * sums[1])


@settings(deadline=None)
@given(seeds, st.lists(st.integers(0, 7), min_size=1, max_size=4), st.integers(1, 5))
def test_the_spans_are_the_best_of_all_windows(seed, lengths, longest):
    windows = drawn(seed, lengths)
    reading = read_spans(windows, longest, count=50)
    spans, none = by_hand(windows, longest)
    assert {tuple(span[:3]): span.probability for span in reading.spans} == (
        pytest.approx(spans)
    )
    assert reading.none == pytest.approx(none)
    probabilities = [span.probability for span in reading.spans]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) + reading.none <= 1 + 1e-9


@settings(deadline=None)
@given(seeds, st.lists(st.integers(1, 7), min_size=1, max_size=4))
def test_each_window_speaks_for_itself_too(seed, lengths):
    windows = drawn(seed, lengths)
    reading = read_spans(windows, longest=4, count=1)
    for index, window in enumerate(windows):
        spans, none = by_hand([window], 4)
        (_, first, last), best = max(spans.items(), key=lambda item: item[1])
        own = reading.own_spans[index]
        assert (own.window, own.first, own.last) == (index, first, last)
        assert own.probability == pytest.approx(best)
        assert reading.own_none[index] == pytest.approx(none)
    if len(windows) == 1:
        assert reading.spans[0] == reading.own_spans[0]
        assert reading.none == reading.own_none[0]


def test_a_window_without_an_answer_does_not_win_by_being_alone():
    """Both are sure by themselves; one has scored higher before its softmax."""
    weak = EdgeLogits(np.array([-9.0, 2, -9]), np.array([-9.0, 2, -9]))
    strong = EdgeLogits(np.array([1.0, 6, 5]), np.array([1.0, 6, 5]))
    reading = read_spans([weak, strong], 2, 3)
    assert reading.own_spans[0].probability > reading.own_spans[1].probability
    assert reading.spans[0].window == 1


def test_a_window_of_no_token_has_no_span():
    empty = EdgeLogits(np.array([1.0]), np.array([2.0]))
    reading = read_spans([empty], 4, 3)
    assert (reading.spans, reading.own_spans) == ((), (None,))
    assert reading.none == pytest.approx(1)


def test_softmax_sums_to_one_far_from_zero():
    logits = np.array([[1e4, 1e4 - 1], [-1e4, 0]], "float32")
    assert softmax(logits).sum(-1) == pytest.approx([1, 1])
