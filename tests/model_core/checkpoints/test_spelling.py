"""Names that are written mean what they meant: every row of every family's table."""

import pytest

from model_core.checkpoints.errors import CheckpointMismatchError
from model_core.checkpoints.spelling import Spelling
from model_core.checkpoints.tables import TABLES
from model_core.checkpoints.weight_map import Renaming, Rule, WeightTable, renamed


def sources(table):
    rows = (*table.body, *(rule for rules in table.heads.values() for rule in rules))
    places = {"layer": 3, "decoder_layer": 11, "group": 2}
    return {rule.source.format(**places) for rule in rows}


@pytest.mark.parametrize("family", TABLES)
def test_a_written_name_is_read_as_the_row_it_was(family):
    table = TABLES[family]
    names = sources(table)
    spelling = Spelling(table, names)
    written = {name: spelling.of(name) for name in names}
    assert len(set(written.values())) == len(names)
    for name, spelled in written.items():
        assert renamed(spelled, (), table.renamings["pytorch"])[0] == name


@pytest.mark.parametrize(
    ("family", "name", "expected"),
    [
        ("bert", "pooler.dense.bias", "bert.pooler.dense.bias"),
        ("bert", "cls.predictions.bias", "cls.predictions.bias"),
        ("roberta", "cls.predictions.bias", "lm_head.bias"),
        (
            "ernie",
            "encoder.layer.3.output.LayerNorm.weight",
            "ernie.encoder.layer.3.output.LayerNorm.weight",
        ),
        ("gpt", "wte.weight", "transformer.tokens_embed.weight"),
        ("bart", "final_logits_bias", "final_logits_bias"),
        (
            "gpt2_ml",
            "layer.3.query_layer.weight",
            "gpt2_ml.encoder.layer.3.attention.self.query.weight",
        ),
    ],
)
def test_names_are_the_published_ones(family, name, expected):
    assert Spelling(TABLES[family], sources(TABLES[family])).of(name) == expected


def test_t5s_first_projection_is_called_by_whether_there_is_a_gate():
    name = "encoder.block.0.layer.1.DenseReluDense.wi_0.weight"
    gate = name.replace("wi_0", "wi_1")
    assert Spelling(TABLES["t5"], {name, gate}).of(name) == name
    assert Spelling(TABLES["t5"], {name}).of(name) == name.replace("wi_0", "wi")


def test_a_name_that_would_be_read_as_another_is_refused():
    table = WeightTable(
        body=(Rule("a", "old.weight"),),
        heads={},
        renamings={"pytorch": (Renaming(r"^old\.", "new."),)},
    )
    with pytest.raises(CheckpointMismatchError, match="no name of a file means this"):
        Spelling(table, {"old.weight"}).of("old.weight")
