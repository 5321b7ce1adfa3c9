"""Rows whose text stays in its place: whole words are hidden, sentences begin."""

import numpy as np
import pytest

from recipes.rows import in_place
from recipes.rows.row import SpecialIds, Stretch, fragments
from recipes.rows.sentences import sentence_starts


def words_of(read):
    """Return the places of every word, as the stretch tells them."""
    starts = np.flatnonzero(read.begins)
    return np.split(np.arange(len(read)), starts[1:])


def test_every_hidden_word_is_whole_and_of_one_fate(made, ids):
    fates = {"mask": 0, "kept": 0, "random": 0}
    for row, (read,) in made(in_place.word_cloze_row):
        chosen = set(row.places.tolist())
        np.testing.assert_array_equal(row.targets, read.token_ids[row.places])
        untouched = [n for n in range(len(read)) if n not in chosen]
        np.testing.assert_array_equal(
            row.token_ids[untouched], read.token_ids[untouched]
        )
        assert (row.segment_ids == 0).all()
        for word in words_of(read):
            inside = [place in chosen for place in word.tolist()]
            assert all(inside) or not any(inside)
            if inside[0]:
                before, after = read.token_ids[word], row.token_ids[word]
                assert (before >= ids.first_plain).all()
                masked = (after == ids.mask).tolist()
                assert all(masked) or not any(masked)
                same = (before == after).all()
                fates["mask" if masked[0] else "kept" if same else "random"] += 1
    whole = sum(fates.values())
    assert fates["mask"] / whole == pytest.approx(0.8, abs=0.03)
    assert fates["kept"] / whole == pytest.approx(0.1, abs=0.03)


def test_as_many_tokens_are_hidden_as_told(made, ids):
    counts, expected = [], []
    for row, (read,) in made(in_place.word_cloze_row):
        plain = int((read.token_ids >= ids.first_plain).sum())
        counts.append(len(row.places))
        expected.append(max(1, int(in_place.HIDDEN_SHARE * plain)))
        assert counts[-1] <= expected[-1]
    assert sum(counts) == pytest.approx(sum(expected), rel=0.01)


def test_where_no_words_are_known_as_many_tokens_are_hidden_one_by_one(made, ids):
    rng = np.random.default_rng(0)
    tokens = rng.integers(14, 60, 96).astype("int32")
    reads = iter(lambda: Stretch(tokens, np.ones(96, bool)), None)
    for _ in range(20):
        row = in_place.word_cloze_row(reads, ids, rng)
        assert len(row.places) == int(in_place.HIDDEN_SHARE * 96)


def test_a_row_of_one_long_word_hides_it(ids):
    begins = np.arange(20) == 0
    reads = iter([Stretch(np.full(20, 30, "int32"), begins)])
    row = in_place.word_cloze_row(reads, ids, np.random.default_rng(0))
    assert row.places.tolist() == list(range(20))


def test_a_target_begins_behind_a_sentences_end_or_with_the_text(made, ids):
    met = set()
    for row, (read,) in made(in_place.sentence_row):
        np.testing.assert_array_equal(row.token_ids, read.token_ids)
        for fragment in fragments(read, ids):
            segments = row.segment_ids[fragment.start : fragment.end]
            assert (np.diff(segments) >= 0).all()
            if not segments.any():
                met.add("none")
                continue
            first = fragment.start + int(np.argmax(segments))
            before = read.token_ids[fragment.start : first].tolist()
            if first == fragment.text_start:
                met.add("text")
                assert before == fragment.head.tolist()
                continue
            met.add("sentence")
            while before[-1] in ids.closers:
                before.pop()
            assert before[-1] in (*ids.sentence_ends, ids.newline)
            following = read.token_ids[first]
            assert following not in (*ids.sentence_ends, *ids.closers, ids.newline)
            assert following != ids.sep
    assert met == {"none", "text", "sentence"}


def test_a_target_begins_far_from_the_ends_where_it_can(made, ids):
    shares = []
    for row, (read,) in made(in_place.sentence_row):
        for fragment in fragments(read, ids):
            size = fragment.end - fragment.start
            starts = sentence_starts(fragment.text.token_ids, ids)[1:]
            places = (starts + len(fragment.head)) / size
            if ((places >= 0.2) & (places <= 0.8)).any():
                first = np.argmax(row.segment_ids[fragment.start : fragment.end])
                shares.append(first / size)
    assert 0.2 <= min(shares) <= max(shares) <= 0.8


def test_the_parts_of_a_row_are_its_documents():
    ids = SpecialIds(cls=0, sep=1, mask=2, first_plain=6, vocab_size=40)
    tokens = np.array([7, 8, 1, 0, 5, 9, 10, 1, 0])
    read = Stretch(tokens, np.ones(9, bool))
    found = [
        (one.start, one.end, one.head.tolist(), one.text.token_ids.tolist())
        for one in fragments(read, ids)
    ]
    assert found == [
        (0, 3, [], [7, 8]),
        (3, 8, [0, 5], [9, 10]),
        (8, 9, [0], []),
    ]
