"""Every family in every format agrees with its reference, and the table says so."""

import re
from pathlib import Path

import pytest

from model_core.checkpoints.errors import CheckpointMismatchError, MissingHeadError
from model_core.checkpoints.load import load_network
from model_core.checkpoints.survey import survey_checkpoint
from model_core.models.families import family_of
from tests.model_core import zoo_formats, zoo_table
from tests.model_core.test_parity import TOLERANCE
from tests.model_core.zoo_cases import CASES, model_of, name_of

PAGE = Path(__file__).parents[2] / "docs" / "zoo.md"
NUMBER = re.compile(r"(?<=✓ )\de[-+]\d\d")
VERSION = re.compile(r"transformers \d+\.\d+\.\d+")


@pytest.mark.parametrize(
    ("index", "column"),
    zoo_table.CELLS,
    ids=[f"{name_of(index)}-{column}" for index, column in zoo_table.CELLS],
)
def test_a_format_gives_the_references_numbers(index, column):
    found = zoo_table.measure(index, column)
    assert set(found) == set(CASES[index].outputs)
    assert max(found.values()) < TOLERANCE


BERT_CONFIG = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "intermediate_size": 48,
    "type_vocab_size": 2,
}


@pytest.mark.parametrize(
    ("own", "tensor", "family"),
    [
        ({}, "bert/encoder/layer_0/attention/self/query/kernel", "bert"),
        (
            {"use_relative_position": True},
            "bert/encoder/layer_0/attention/self/query/kernel",
            "nezha",
        ),
        (
            {"embedding_size": 16},
            "electra/encoder/layer_0/attention/self/query/kernel",
            "electra",
        ),
        (
            {"embedding_size": 16, "num_hidden_groups": 1},
            "bert/encoder/transformer/group_0/inner_group_0/ffn_1/x",
            "albert",
        ),
        (
            {"embedding_size": 16},
            "bert/encoder/layer_shared/attention/self/query/kernel",
            "albert_zh",
        ),
    ],
)
def test_configs_beside_tensorflow_checkpoints_give_their_family(own, tensor, family):
    assert family_of(BERT_CONFIG | own, [tensor]).name == family


def test_bart_without_its_last_bias_has_zeros_there(tmp_path):
    """Files of transformers before 4.22 left it out of tf_model.h5."""
    index = next(i for i, case in enumerate(CASES) if case.family == "bart")
    model = model_of(index)
    tensors = {n: v for n, v in model.tensors.items() if n != "final_logits_bias"}
    zoo_table.write_config(tmp_path, model.config)
    zoo_formats.write_safetensors(tmp_path, tensors)
    report = survey_checkpoint(tmp_path)
    assert report.is_sound
    assert report.heads == ("language_model",)
    assert report.config.head_bias is False


def electra_of_tensorflow(folder, **other):
    """A file of both networks, of one width, and the generator's config."""
    generator, discriminator = (
        model_of(next(i for i, case in enumerate(CASES) if case.title == title))
        for title in ("ElectraForMaskedLM", "ElectraForPreTraining")
    )
    written = zoo_formats.google_electra(discriminator.tensors)
    written |= {
        name: array
        for name, array in zoo_formats.google_electra_generator(
            generator.tensors
        ).items()
        if name.startswith("generator")
    }
    zoo_table.write_config(folder, generator.config | other)
    zoo_formats.write_tensorflow(folder, written)


def test_electras_tensorflow_file_of_equal_widths_is_what_is_asked_for(tmp_path):
    electra_of_tensorflow(tmp_path)
    assert load_network(tmp_path).report.heads == ("replaced",)
    assert load_network(tmp_path, heads=("replaced",)).report.is_sound
    assert load_network(tmp_path, heads=("masked_lm",)).report.is_sound


def test_electras_tensorflow_file_refuses_a_config_of_neither_network(tmp_path):
    electra_of_tensorflow(tmp_path, hidden_size=16, intermediate_size=32)
    with pytest.raises(CheckpointMismatchError, match="that of one of them"):
        load_network(tmp_path)
    with pytest.raises(MissingHeadError, match="no masked_lm head"):
        load_network(tmp_path, heads=("masked_lm",))


def test_the_page_is_what_the_tests_found():
    """Written by ``python -m tests.model_core.zoo_table > docs/zoo.md``."""
    page, found = PAGE.read_text(encoding="utf8"), zoo_table.render()
    assert zoo_table.is_whole(page)
    assert _without_numbers(page) == _without_numbers(found)


def _without_numbers(text):
    return VERSION.sub("transformers", NUMBER.sub("#", text)).strip()
