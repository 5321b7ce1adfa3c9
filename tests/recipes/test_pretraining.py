"""What a batch of plain text is made of."""

import hashlib
import itertools
import logging

import numpy as np
import pytest

from recipes import encoding, packing
from recipes.encoding import Corpus
from recipes.pretraining import CAUSAL_SHARES, LOSSES, Leg, PlainText, special_ids
from recipes.rows import KINDS, SpecialIds
from recipes.vocabulary import MARKS

IDS = SpecialIds(cls=0, sep=1, mask=2, first_plain=3, vocab_size=40)
LENGTH = 32


def kinds(leg, plain):
    return {part.kind: part.rows for part in leg.parts(plain)}


def test_the_usual_batch_reads_writes_and_fills_blanks():
    parts = Leg(rows=16).parts()
    assert {p.kind: p.rows for p in parts} == {"causal": 12, "prefix": 2, "cloze": 2}
    assert parts[0].shares == parts[1].shares == CAUSAL_SHARES


def test_a_small_share_is_a_row_and_none_is_none():
    assert kinds(Leg(rows=11), PlainText(0.01, 0.01)) == {
        "causal": 9, "prefix": 1, "cloze": 1,
    }  # fmt: skip
    assert kinds(Leg(rows=11), PlainText(0, 0)) == {"causal": 11}


def batch_of(plain):
    """A batch, of tokens 3 and 4 where the sources are alike but for those."""
    leg = Leg(length=LENGTH, rows=6)
    parts = leg.parts(plain)
    corpora = {
        name: Corpus(name, ids, np.array([0, 20]), 18)
        for name, ids in (("modern", document(3)), ("poems", document(4)))
    }
    return next(
        packing.mixed_batches(
            parts,
            corpora,
            IDS,
            length=LENGTH,
            seed=1,
            losses_per_batch=leg.num_losses(parts),
        )
    )


def document(token):
    return np.array([0, *[token] * 18, 1], "uint16")


@pytest.mark.parametrize(("source", "token"), [("modern", 3), ("poems", 4)])
def test_rows_come_from_the_sources_that_are_named(source, token):
    plain = PlainText(0, 0, {source: 1.0})
    assert set(np.unique(batch_of(plain).inputs["token_ids"])) == {0, 1, token}


def test_a_causal_batch_leaves_no_token_without_its_loss():
    batch = batch_of(PlainText(0, 0, {"modern": 0.5, "poems": 0.5}))
    tokens = batch.inputs["token_ids"]
    assert (batch.inputs["segment_ids"] == 1).all()
    follows = (tokens[:, 1:] != IDS.cls).sum()
    assert batch.weights.sum() == follows
    told = tokens.reshape(-1)[batch.inputs["places"][batch.weights > 0] + 1]
    np.testing.assert_array_equal(told, batch.inputs["targets"][batch.weights > 0])


# A language of numbers: a sentence ends with 30.
OTHER_IDS = SpecialIds(
    cls=2, sep=3, mask=4, first_plain=6, vocab_size=40,
    newline=41, blank=42, title=43, summary=44, sentence_ends=(30,),
)  # fmt: skip
NEWS = 31  # stands in every document of the news, and in no other
ALL = PlainText(0.25, 0.25, whole_words=0.5, spans=0.3, sentences=0.4, gap_rows=0.25)


def corpora(own=None):
    """Documents of every source; those of the news may have a token of their own."""
    rng = np.random.default_rng(7)
    made = {}
    for name in ("modern", "novels", "poems", "news"):
        rows = [
            np.array([2, 5, *rng.integers(6, 40, rng.integers(5, 90)), 3], "uint16")
            for _ in range(40)
        ]
        if own:
            for row in rows:
                row[row == own] = 6
                row[2::3] = own if name == "news" else row[2::3]
                row[-1] = 3
        made[name] = encoding.join(name, rows, 1)
    return made


def batches(plain, seed=3, own=None):
    leg = Leg(length=64, rows=16)
    parts = leg.parts(plain)
    names = {name for part in parts for name in part.shares}
    return packing.mixed_batches(
        parts,
        {name: one for name, one in corpora(own).items() if name in names},
        OTHER_IDS,
        length=64,
        seed=seed,
        losses_per_batch=leg.num_losses(parts),
    )


def digest(plain, seed=3):
    made = hashlib.sha256()
    for batch in itertools.islice(batches(plain, seed), 6):
        for name in ("token_ids", "segment_ids", "document_ids", "places", "targets"):
            made.update(np.ascontiguousarray(batch.inputs[name], "int32").tobytes())
        made.update(batch.weights.tobytes())
    return made.hexdigest()[:16]


@pytest.mark.parametrize(
    ("plain", "first_made"),
    [
        (PlainText(), "753ab04c4a4f554a"),
        (PlainText(0.25, 0.375), "8420758ff7ad0d49"),
        (PlainText(0, 0), "6f1299df6c177ee1"),
    ],
)
def test_without_the_newer_targets_batches_are_those_of_older_runs(plain, first_made):
    """Made before there were any: a run that is continued goes on as it began."""
    assert digest(plain) == first_made


def test_a_run_can_be_repeated():
    assert digest(ALL) == digest(ALL) != digest(ALL, seed=4)


def test_every_target_has_its_share_of_the_rows():
    parts = {part.kind: part for part in Leg(rows=16).parts(ALL)}
    assert {kind: part.rows for kind, part in parts.items()} == {
        "causal": 4, "prefix": 4, "cloze": 4, "gap": 4,
    }  # fmt: skip
    rng = np.random.default_rng(0)
    drawn = [parts["prefix"].drawn(rng) for _ in range(1000)]
    for kind, share in (("span", 0.3), ("sentence", 0.4), ("prefix", 0.3)):
        assert drawn.count(kind) / 1000 == pytest.approx(share, abs=0.05)
    drawn = [parts["cloze"].drawn(rng) for _ in range(1000)]
    assert drawn.count("word_cloze") / 1000 == pytest.approx(0.5, abs=0.05)
    assert parts["gap"].drawn(rng) == "gap"


def test_every_kind_is_known_and_its_losses_fit():
    parts = Leg(rows=16).parts(ALL)
    assert {part.kind for part in parts} == LOSSES.keys()
    assert {kind for part in parts for kind in (part.kind, *part.instead)} == {*KINDS}
    for batch in itertools.islice(batches(ALL), 5):
        assert batch.inputs["token_ids"].shape == (16, 64)
        assert 0 < batch.weights.sum() <= len(batch.weights)


def test_news_have_blanks_and_gaps_but_are_never_written_freely():
    parts = Leg(rows=16).parts(ALL)
    assert {p.kind for p in parts if "news" in p.shares} == {"cloze", "gap"}
    seen = set()
    for batch in itertools.islice(batches(ALL, own=NEWS), 20):
        tokens, segments = batch.inputs["token_ids"], batch.inputs["segment_ids"]
        documents = batch.inputs["document_ids"]
        for row, column in np.argwhere((tokens == NEWS) & (segments == 1)):
            same = documents[row] == documents[row, column]
            assert tokens[row][same][1] in (OTHER_IDS.title, OTHER_IDS.summary)
            assert segments[row][same][0] == 0
            seen.add(int(tokens[row][same][1]))
    assert seen == {OTHER_IDS.title, OTHER_IDS.summary}


@pytest.mark.parametrize(
    ("told", "refused"),
    [
        (
            {"sources": {"news": 1.0}},
            "expected some of modern, novels, poems, received",
        ),
        ({"spans": 0.7, "sentences": 0.6}, "spans and sentences: expected shares of"),
        ({"whole_words": -1}, "whole_words: expected shares of one whole, received -1"),
        ({"gap_rows": 0.9}, "received 0.125, 0.125, 0.9"),
    ],
)
def test_what_cannot_be_is_refused(told, refused):
    with pytest.raises(ValueError, match=refused):
        PlainText(**told)


def test_whoever_wants_words_that_nobody_cut_is_told(caplog):
    with caplog.at_level(logging.WARNING):
        next(batches(PlainText()))
        assert not caplog.records
        next(batches(PlainText(whole_words=1.0)))
    (told,) = caplog.messages
    assert told.startswith("no words were cut in modern, news, novels, poems: each")


def test_the_tokens_that_rows_know_are_found_in_the_vocabulary():
    tokens = [*MARKS, "春", "。", "？", "”", "a"]
    ids = special_ids(tokens)
    assert [tokens[n] for n in (ids.newline, ids.blank, ids.title, ids.summary)] == [
        "[NL]", "[空格]", "[标题]", "[摘要]",
    ]  # fmt: skip
    assert [tokens[n] for n in ids.sentence_ends] == ["。", "？"]
    assert [tokens[n] for n in ids.closers] == ["”"]
