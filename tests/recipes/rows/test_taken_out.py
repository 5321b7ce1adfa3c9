"""What is taken out of a text is what is written behind it, in order, and no more."""

from itertools import pairwise

import numpy as np
import pytest

from recipes.rows import taken_out
from recipes.rows.row import Stretch, fragments
from recipes.rows.sentences import gap_sentences

STYLE = 9  # of the documents of these tests


def filled(source, target, ids):
    """Put the spans of a target into the blanks of its source."""
    spans, span = [], []
    for token in target:
        if token in (ids.blank, ids.sep):
            spans.append(span)
            span = []
        else:
            span.append(token)
    assert not span  # a target ends with its mark
    text = []
    for token in source:
        text += spans.pop(0) if token == ids.mask else [token]
    assert not spans
    return text


def test_spans_are_what_is_missing_and_in_order(made, parts_of, ids):
    several = 0
    for row, (read,) in made(taken_out.span_row):
        for (source, target), fragment in zip(
            parts_of(row), fragments(read, ids), strict=False
        ):
            if not target:
                continue
            whole = [*fragment.head.tolist(), *fragment.text.token_ids.tolist()]
            text = filled(source, target, ids)
            assert text.pop() == ids.sep
            assert text == whole[: len(text)]
            assert target[-1] == ids.sep
            several += ids.blank in target
    assert several > 20


def test_all_of_a_row_but_its_marks_and_its_last_document_is_in_it(made, parts_of, ids):
    for row, (read,) in made(taken_out.span_row):
        *whole, _last = fragments(read, ids)
        laid = parts_of(row)[: len(whole)]
        for (source, target), fragment in zip(laid, whole, strict=False):
            if target and (source, target) != laid[-1]:
                text = filled(source, target, ids)[:-1]
                assert text == [*fragment.head, *fragment.text.token_ids]


def test_the_share_of_tokens_in_spans_is_as_told(made, parts_of, ids):
    taken = every = 0
    for row, _ in made(taken_out.span_row):
        for source, target in parts_of(row):
            if target:
                spans = [t for t in target if t not in (ids.blank, ids.sep)]
                taken += len(spans)
                marks = (ids.cls, ids.sep, ids.mask, STYLE)
                every += len(spans) + sum(t not in marks for t in source)
    assert taken / every == pytest.approx(taken_out.SPAN_SHARE, abs=0.03)


@pytest.mark.parametrize("size", [1, 3, 4, 5, 40, 200])
def test_spans_are_whole_words_with_a_word_between_them(size):
    rng = np.random.default_rng(0)
    for _ in range(50):
        begins = np.append(True, rng.random(size - 1) < 0.6)
        edges = {*np.flatnonzero(begins).tolist(), size}
        starts, ends = taken_out.drawn_spans(begins, rng)
        assert {*starts.tolist(), *ends.tolist()} <= edges
        assert (starts < ends).all()
        assert (starts[1:] > ends[:-1]).all()
        words = int(begins.sum())
        assert (len(starts) > 0) == (words >= taken_out.FEWEST_WORDS)
        hidden = sum(begins[s:e].sum() for s, e in zip(starts, ends, strict=True))
        if len(starts):
            assert hidden == max(1, round(taken_out.SPAN_SHARE * words))


def gaps_of(made, parts_of, ids):
    """Yield source text, target text and the texts they may be made of."""
    for row, reads in made(taken_out.gap_row, count=60):
        texts = [
            (fragment.text.token_ids.tolist(), len(fragment.head) > 0)
            for read in reads
            for fragment in fragments(read, ids)
        ]
        for source, target in parts_of(row):
            if target:
                assert source[0] == ids.cls
                assert source[1] in (ids.title, ids.summary)
                assert source[-1] == target[-1] == ids.sep
                yield source[1], source[2:-1], target[:-1], texts


def test_a_pseudo_summary_is_what_is_missing_or_it_stays(made, parts_of, ids):
    """Put it back: the text is the beginning of one that was read."""
    counts = {"stays": 0, "missing": 0}
    for mark, source, target, texts in gaps_of(made, parts_of, ids):
        ways = (chosen_of(*one, source, target, ids, mark) for one in texts)
        counts[next(filter(None, ways))] += 1
    share = counts["stays"] / sum(counts.values())
    assert share == pytest.approx(taken_out.STAYING, abs=0.1)


def chosen_of(text, from_start, source, target, ids, mark):
    """Return how a source and a target were made of a text's start, if they were."""
    if not {*source, *target} <= {*text}:
        return None
    for how, size in (("missing", len(source) + len(target)), ("stays", len(source))):
        cut = np.array(text[:size])
        spans = gap_sentences(
            cut, ids, is_title=mark == ids.title, from_start=from_start
        )
        taken = [int(t) for start, end in spans for t in cut[start:end]]
        left = np.ones(len(cut), bool)
        for start, end in spans:
            left[start:end] = how == "stays"
        if spans and taken == target and cut[left].tolist() == source:
            return how
    return None


def test_titles_are_one_sentence_and_summaries_are_several(made, parts_of, ids):
    sentences = {ids.title: [], ids.summary: []}
    for mark, _, target, _ in gaps_of(made, parts_of, ids):
        ends = [t in (*ids.sentence_ends, *ids.closers) for t in target]
        number = sum(b and not a for a, b in pairwise([False, *ends]))
        sentences[mark].append(number)
    assert set(sentences[ids.title]) == {1}
    assert max(sentences[ids.summary]) > 1
    whole = sum(map(len, sentences.values()))
    assert len(sentences[ids.title]) / whole == pytest.approx(0.5, abs=0.1)


def test_what_is_passed_over_has_no_loss(ids):
    """Documents of one sentence make no pseudo-summary."""
    tokens = np.tile([0, 9, *range(14, 34), 12, 1], 4).astype("int32")
    reads = iter(lambda: Stretch(tokens, np.ones(len(tokens), bool)), None)
    row = taken_out.gap_row(reads, ids, np.random.default_rng(0))
    np.testing.assert_array_equal(row.token_ids, tokens)
    assert len(row.places) == row.segment_ids.sum() == 0
