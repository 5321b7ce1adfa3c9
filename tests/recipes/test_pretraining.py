"""What a batch of plain text is made of."""

import numpy as np
import pytest

from recipes import packing
from recipes.encoding import Corpus
from recipes.pretraining import CAUSAL_SHARES, Leg, PlainText

IDS = packing.SpecialIds(cls=0, sep=1, mask=2, first_plain=3, vocab_size=40)
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
