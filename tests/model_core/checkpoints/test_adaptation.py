"""Weights loaded with fewer tokens, more positions, layers of their own."""

import json
from dataclasses import replace

import numpy as np
import pytest

from model_core.checkpoints.adaptation import Adaptation, hierarchical
from model_core.checkpoints.load import load_network
from model_core.config import TransformerConfig
from tests.model_core.checkpoints.checkpoint_files import write_tensors

CONFIG = TransformerConfig(
    vocab_size=9, hidden_size=4, num_hidden_layers=3, num_attention_heads=2,
    intermediate_size=6, max_position_embeddings=5, type_vocab_size=2,
)  # fmt: skip


def test_the_first_rows_stay_and_the_others_are_of_two_levels():
    table = np.random.default_rng(0).normal(size=(4, 3))
    longer = hierarchical(table, 14)
    np.testing.assert_allclose(longer[:4], table)
    base = (table - 0.4 * table[:1]) / 0.6
    np.testing.assert_allclose(longer[11], 0.4 * base[2] + 0.6 * base[3])
    assert len({tuple(row.round(6)) for row in longer}) == 14


@pytest.mark.parametrize(
    ("adaptation", "message"),
    [
        (Adaptation(keep_tokens=()), "at least one id"),
        (Adaptation(keep_tokens=(1, 9)), "received 9 of a vocabulary of 9"),
        (Adaptation(keep_tokens=(1, 2, 1)), "received 1 twice"),
        (Adaptation(positions=4), "between 5 and 25, received 4"),
        (Adaptation(positions=26), "between 5 and 25, received 26"),
    ],
)
def test_what_does_not_fit_is_refused(adaptation, message):
    with pytest.raises(ValueError, match=message):
        adaptation.config(CONFIG)


def test_positions_that_are_no_table_are_not_extended():
    config = replace(CONFIG, position_kind="rotary")
    with pytest.raises(ValueError, match="these are rotary"):
        Adaptation(positions=9).config(config)


@pytest.fixture(name="albert")
def fixture_albert(tmp_path):
    """A folder with one group of layers, in ALBERT's names."""
    from model_core.checkpoints.tables import TABLES
    from model_core.checkpoints.weight_map import Depth
    from model_core.checkpoints.weight_shapes import expected_shapes

    config = replace(CONFIG, embedding_size=3, num_layer_groups=1)
    shapes = expected_shapes(config, ("masked_lm",))
    rng = np.random.default_rng(1)
    table = TABLES["albert"]
    tensors = {
        rule.source: np.ascontiguousarray(
            rule.reshape(rng.normal(scale=0.5, size=shapes[rule.target]))
        ).astype("float32")
        for row in (*table.body, *table.heads["masked_lm"])
        for rule in row.expand(Depth(1, groups=1))
        if rule.target in shapes
    }
    write_tensors(tmp_path / "model.safetensors", tensors)
    values = {"model_type": "albert", "num_hidden_groups": 1, **config.to_dict()}
    values |= {"embedding_size": 3}
    (tmp_path / "config.json").write_text(json.dumps(values))
    return tmp_path


def logits(loaded, ids):
    return np.asarray(loaded.network(ids)["logits"])


def test_unshared_layers_begin_as_the_shared_ones(albert):
    shared = load_network(albert)
    apart = load_network(albert, adaptation=Adaptation(unshared=True))
    assert len(shared.network.body.blocks) == 1
    assert len(apart.network.body.blocks) == 3
    ids = np.array([[1, 2, 3, 4]])
    np.testing.assert_array_equal(logits(shared, ids), logits(apart, ids))


def test_kept_tokens_score_what_they_scored(albert):
    keep = (0, 3, 7, 2)
    whole, few = (
        load_network(albert),
        load_network(albert, adaptation=Adaptation(keep_tokens=keep)),
    )
    assert few.config.vocab_size == 4
    np.testing.assert_allclose(
        logits(few, np.array([[1, 2, 3]])),
        logits(whole, np.array([[3, 7, 2]]))[..., keep],
        atol=1e-6,
    )


def test_more_positions_leave_short_texts_alone(albert):
    short = load_network(albert)
    long = load_network(albert, adaptation=Adaptation(positions=20))
    ids = np.array([[1, 2, 3, 4, 5]])
    np.testing.assert_allclose(logits(short, ids), logits(long, ids), atol=1e-6)
    assert logits(long, np.tile(ids, 4)).shape == (1, 20, 9)
