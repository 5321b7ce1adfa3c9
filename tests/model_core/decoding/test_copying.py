import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding.copying import (
    BEGIN,
    INSIDE,
    OUTSIDE,
    CopiedTokens,
    Copying,
    copied_spans,
)
from model_core.decoding.extractive import occurrences

MARK = 9
SOURCE = np.array([1, 2, 3, 4, 2, 5])
sources = st.lists(st.integers(0, 4) | st.just(MARK), max_size=9).map(np.array)


def scores(*values):
    return np.array(values, np.float32)


def copy_step(tag_scores, source, token_ids, tags, not_copied=()):
    """The tag of a target's next token, and what may follow under it."""
    copying = Copying.of(source, frozenset(not_copied))
    for token_id, tag in zip(token_ids, tags, strict=True):
        copying = copying.followed_by(token_id, tag)
    tag = copying.tag(tag_scores)
    return tag, copying.allowed_ids(tag)


def written(source, seed, length=12):
    """A target as tags and allowed tokens lead it, drawn at random."""
    rng = np.random.default_rng(seed)
    token_ids, tags = [], []
    for _ in range(length):
        scored = rng.normal(size=3)
        tag, allowed = copy_step(scored, source, token_ids, tags, {MARK})
        token_ids.append(int(rng.choice(range(6) if allowed is None else allowed)))
        tags.append(tag)
    return token_ids, tags


def run_before(tags):
    """Tokens of the copied n-gram that the next token could go on with."""
    length = 0
    while length < len(tags) and tags[-1 - length] == INSIDE:
        length += 1
    return length + 1 if tags and tags[-1] != OUTSIDE else 0


@settings(deadline=None)
@given(sources, st.integers(0, 10_000))
def test_copied_stretches_occur_in_the_source_and_hold_no_mark(source, seed):
    token_ids, tags = written(source, seed)
    spans = copied_spans(token_ids, tags, source)
    for start, end, source_start in spans:
        stretch = token_ids[start:end]
        assert source[source_start : source_start + end - start].tolist() == stretch
        assert MARK not in stretch
    assert sum(end - start for start, end, _ in spans) == sum(map(bool, tags))


@settings(deadline=None)
@given(sources, st.integers(0, 10_000))
def test_tags_bind_as_the_definition_says(source, seed):
    token_ids, tags = written(source, seed)
    rng = np.random.default_rng(seed + 1)
    for length in range(len(tags)):
        before, run = token_ids[:length], run_before(tags[:length])
        tag_scores = rng.normal(size=3)
        tag, allowed = copy_step(tag_scores, source, before, tags[:length], {MARK})
        copyable = set(source.tolist()) - {MARK}
        going_on = {
            token
            for token in copyable
            if run and occurrences(source, [*before[length - run :], token]).size
        }
        best = int(np.argmax(tag_scores if run else tag_scores[:2]))
        if not copyable:
            expected = (OUTSIDE, None)
        elif best == INSIDE and going_on:
            expected = (INSIDE, going_on)
        else:
            begins = best != OUTSIDE
            expected = (int(begins), copyable if begins else None)
        assert (tag, None if allowed is None else set(allowed.tolist())) == expected


def test_an_n_gram_goes_on_in_all_its_places():
    tag, allowed = copy_step(scores(0, 1, 2), SOURCE, [2], [BEGIN])
    assert tag == INSIDE
    assert allowed.tolist() == [3, 5]
    tag, allowed = copy_step(scores(0, 1, 2), SOURCE, [2, 5], [BEGIN, INSIDE])
    assert tag == BEGIN  # the source is at its end
    assert allowed.tolist() == [1, 2, 3, 4, 5]


def test_nothing_goes_on_without_a_beginning():
    assert copy_step(scores(0, 1, 2), SOURCE, [], [])[0] == BEGIN
    assert copy_step(scores(1, 0, 2), SOURCE, [2], [OUTSIDE])[0] == OUTSIDE


def test_a_source_of_marks_is_never_copied():
    step = copy_step(scores(0, 2, 1), np.array([MARK, MARK]), [], [], {MARK})
    assert step == (OUTSIDE, None)


def test_the_spans_as_drawn():
    tags = [BEGIN, INSIDE, OUTSIDE, BEGIN, INSIDE]
    assert copied_spans([2, 5, 9, 3, 4], tags, SOURCE) == (
        CopiedTokens(0, 2, 4),
        CopiedTokens(3, 5, 2),
    )
    assert copied_spans([1, 2], [BEGIN, BEGIN], SOURCE) == ((0, 1, 0), (1, 2, 1))


def test_what_was_never_in_the_source_is_refused():
    with pytest.raises(ValueError, match=r"got tokens \[2, 1\] at 1 of the target"):
        copied_spans([9, 2, 1], [OUTSIDE, BEGIN, INSIDE], SOURCE)
