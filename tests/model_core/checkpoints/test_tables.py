"""Every family has a table, and every table fills exactly its family's networks."""

import re

import pytest

from model_core.checkpoints.tables import TABLES
from model_core.checkpoints.weight_map import Depth
from model_core.checkpoints.weight_shapes import BODY, HEADS, expected_shapes
from model_core.config import TransformerConfig
from model_core.models.families import FAMILIES

SIZES = {
    "vocab_size": 11,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
}
VARIANTS = {
    "factorised": {
        "embedding_size": 6,
        "num_layer_groups": 1,
        "task_type_vocab_size": 3,
    },
    "projected first": {
        "embedding_size": 6,
        "embedding_bias": False,
        "num_layer_groups": 1,
        "projected_first": True,
        "type_vocab_size": 2,
    },
    "transfer": {
        "position_kind": "transfer",
        "embedding_norm": False,
        "head_bias": True,
        "attention_bias": False,
        "attention_head_size": 6,
    },
    "buckets": {
        "position_kind": "buckets",
        "norm_kind": "rms",
        "num_decoder_layers": 3,
        "tied_head": False,
        "gated_feed_forward": True,
        "feed_forward_bias": False,
        "attention_bias": False,
        "attention_head_size": 3,
        "norm_placement": "pre",
        "final_norm": True,
        "embedding_norm": False,
    },
    "sandwich": {"norm_placement": "sandwich", "num_decoder_layers": 1},
    "bare": {"norm_kind": "bare_rms", "position_kind": "relative"},
    "everything": {"type_vocab_size": 2, "final_norm": True},
    "rotary": {"position_kind": "rotary", "embedding_norm": False},
    "pre": {"norm_placement": "pre", "final_norm": True, "type_vocab_size": 3},
}
MARKED = {
    "mark_vocab_size": 5, "num_conditions": 2, "condition_size": 3, "num_relations": 4,
    "num_labels": 3,
}  # fmt: skip
OPTIONAL = {
    "type_vocab_size": 2,
    "task_type_vocab_size": 3,
    "embedding_size": 6,
    "num_layer_groups": 1,
    "num_decoder_layers": 3,
    "gated_feed_forward": True,
    "tied_head": False,
    "num_labels": 3,
}


def config_of(family):
    """The smallest config with the constants of a family and what its JSON may add."""
    read = {row.field for row in family.settings} | family.adjusted.keys()
    own = {name: value for name, value in OPTIONAL.items() if name in read}
    return TransformerConfig(**SIZES | dict(family.constants) | own)


def test_families_and_tables_are_the_same():
    assert set(TABLES) == set(FAMILIES)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_weight_of_a_family_has_one_rule(name):
    family, table = FAMILIES[name], TABLES[name]
    config = config_of(family)
    rows = (*table.body, *(rule for head in family.heads for rule in table.heads[head]))
    depth = Depth(config.num_blocks, config.num_decoder_layers)
    targets = [r.target for row in rows for r in row.expand(depth)]
    assert len(targets) == len(set(targets))
    expected = expected_shapes(config, family.heads)
    possible = {row.name for row in (*BODY, *(r for h in HEADS.values() for r in h))}
    assert expected.keys() <= set(targets)
    assert {row.target for row in rows} <= possible


@pytest.mark.parametrize("name", FAMILIES)
def test_heads_of_families_and_tables_are_the_same(name):
    assert set(FAMILIES[name].heads) == set(TABLES[name].heads)
    assert set(FAMILIES[name].heads) <= set(HEADS)


@pytest.mark.parametrize("name", FAMILIES)
def test_rows_are_well_formed(name):
    table = TABLES[name]
    rows = (*table.body, *(rule for rules in table.heads.values() for rule in rules))
    sources = {row.source for row in rows}
    for row in rows:
        places = re.findall("{(group|layer|decoder_layer)", row.source)
        expected = re.findall("{(layer|decoder_layer)", row.target)
        assert [place.replace("group", "layer") for place in places] == expected or (
            "relative_attention_bias" in row.source
        )
    for twin in table.twins:
        assert twin.of in sources
        assert twin.name not in sources or "language_model" in table.heads
        assert twin.head in table.heads
    patterns = [row.pattern for rows in table.renamings.values() for row in rows]
    for pattern in (*patterns, *table.ignored):
        re.compile(pattern)


@pytest.mark.parametrize("variant", VARIANTS)
def test_expected_shapes_are_those_of_the_real_network(variant):
    network = pytest.importorskip("model_core.models.network")
    config = TransformerConfig(**SIZES | VARIANTS[variant])
    for heads in ((), ("language_model",), ("masked_lm", "pooler", "span")):
        weights = network.weights_by_name(network.Network(config, heads=heads))
        shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
        assert shapes == expected_shapes(config, heads)


@pytest.mark.parametrize("variant", VARIANTS)
def test_with_marks_conditions_and_every_head_as_well(variant):
    network = pytest.importorskip("model_core.models.network")
    config = TransformerConfig(**SIZES | VARIANTS[variant] | MARKED)
    heads = tuple(HEADS)
    weights = network.weights_by_name(network.Network(config, heads=heads))
    shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
    assert shapes == expected_shapes(config, heads)
    plain = expected_shapes(TransformerConfig(**SIZES | VARIANTS[variant]))
    assert plain.items() < expected_shapes(config).items()


def test_the_heads_are_those_of_the_real_network():
    heads = pytest.importorskip("model_core.models.heads")
    assert set(HEADS) == set(heads.HEADS)
