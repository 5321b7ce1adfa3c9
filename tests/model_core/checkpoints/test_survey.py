"""A folder is judged by names and shapes before any framework is loaded."""

import json
import subprocess
import sys

import numpy as np
import pytest

from model_core.checkpoints.errors import CheckpointFormatError, MissingHeadError
from model_core.checkpoints.report import survey_lines, survey_values
from model_core.checkpoints.survey import load_config, survey_checkpoint
from model_core.checkpoints.tables import TABLES
from model_core.checkpoints.weight_map import Depth
from tests.model_core.checkpoints.checkpoint_files import (
    TINY,
    random_weights,
    write_own,
    write_tensors,
)

BERT_JSON = {
    "model_type": "bert",
    "vocab_size": TINY.vocab_size,
    "hidden_size": TINY.hidden_size,
    "num_hidden_layers": TINY.num_hidden_layers,
    "num_attention_heads": TINY.num_attention_heads,
    "intermediate_size": TINY.intermediate_size,
    "max_position_embeddings": TINY.max_position_embeddings,
    "type_vocab_size": TINY.type_vocab_size,
}


def bert_tensors(heads=("masked_lm", "pooler")):
    """A BERT checkpoint by the table's own names: rows and shapes, no transformers."""
    weights = random_weights(TINY, heads)
    table = TABLES["bert"]
    rows = (*table.body, *(rule for head in heads for rule in table.heads[head]))
    return {
        f"bert.{rule.source}" if "cls." not in rule.source else rule.source: (
            np.ascontiguousarray(rule.reshape(weights[rule.target]))
        )
        for row in rows
        for rule in row.expand(Depth(TINY.num_hidden_layers))
        if rule.target in weights
    }


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(BERT_JSON))

    def write(tensors):
        write_tensors(tmp_path / "model.safetensors", tensors)
        return tmp_path

    return write


def test_a_sound_checkpoint_is_sound(folder):
    survey = survey_checkpoint(folder(bert_tensors()))
    assert survey.is_sound
    assert survey.family.name == "bert"
    assert survey.heads == ("masked_lm", "pooler")
    assert survey.num_parameters == sum(a.size for a in bert_tensors().values())
    assert survey.dtypes == {"float32": len(bert_tensors())}


def test_no_framework_is_loaded(folder):
    path = folder(bert_tensors())
    program = (
        "import sys; from pathlib import Path;"
        "from model_core.checkpoints.survey import survey_checkpoint;"
        f"survey_checkpoint(Path({str(path)!r}));"
        "print({'keras', 'tensorflow', 'jax', 'torch'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("head", "name"),
    [("masked_lm", "cls.predictions.transform.dense.weight"), ("span", "qa_outputs")],
)
def test_a_head_that_is_needed_and_missing_is_refused_by_its_tensors(
    head, name, folder
):
    path = folder(bert_tensors(("pooler",)))
    with pytest.raises(MissingHeadError, match=name) as refusal:
        survey_checkpoint(path, (head,))
    assert refusal.value.head == head
    assert any(missing.startswith(name) for missing in refusal.value.missing)
    assert "heads it has: pooler" in str(refusal.value)


def test_a_head_that_the_family_lacks_is_refused(folder):
    with pytest.raises(MissingHeadError, match="this family has no such head"):
        survey_checkpoint(folder(bert_tensors()), ("language_model",))


def test_a_head_that_is_there_in_part_is_reported(folder):
    tensors = bert_tensors()
    del tensors["cls.predictions.bias"]
    survey = survey_checkpoint(folder(tensors))
    assert not survey.is_sound
    assert survey.heads == ("pooler",)
    assert survey.incomplete_heads == {"masked_lm": ("cls.predictions.bias",)}
    assert "cls.predictions.bias" in "\n".join(survey_lines(survey))


def test_an_untied_output_head_is_reported(folder):
    tensors = bert_tensors()
    embeddings = tensors["bert.embeddings.word_embeddings.weight"]
    tensors["cls.predictions.decoder.weight"] = embeddings.copy()
    assert survey_checkpoint(folder(tensors)).is_sound
    tensors["cls.predictions.decoder.weight"] = embeddings + 1
    survey = survey_checkpoint(folder(tensors))
    assert not survey.is_sound
    assert "untied" in survey.contradictions[0]


def test_old_names_and_buffers_are_read(folder):
    tensors = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): array
        for name, array in bert_tensors().items()
    }
    tensors["bert.embeddings.position_ids"] = np.arange(6)[None]
    tensors["cls.seq_relationship.weight"] = np.zeros((2, 8), "float32")
    tensors["cls.seq_relationship.bias"] = np.zeros(2, "float32")
    tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"]
    survey = survey_checkpoint(folder(tensors))
    assert survey.is_sound, str(survey.plan.differences)
    assert survey.plan.ignored == ("bert.embeddings.position_ids",)
    assert "next_sentence" in survey.heads


def test_a_head_without_a_rule_is_named(folder):
    tensors = bert_tensors() | {"tagger.weight": np.zeros((3, 8), "float32")}
    survey = survey_checkpoint(folder(tensors))
    assert survey_values(survey)["unused"] == ["tagger.weight"]
    assert survey_values(survey)["ok"] is False


def test_the_report_is_json_and_lines(folder):
    survey = survey_checkpoint(folder(bert_tensors()))
    values = json.loads(json.dumps(survey_values(survey)))
    assert values["ok"] is True
    assert values["config"]["hidden_size"] == 8
    text = "\n".join(survey_lines(survey))
    assert "family:             bert" in text
    assert "sound: every weight has its tensor" in text


def test_our_own_export_is_sound(tmp_path):
    write_own(tmp_path)
    survey = survey_checkpoint(tmp_path)
    assert survey.is_sound
    assert survey.family.name == "maskplay"
    assert survey.heads == ("language_model",)


def test_bert_config_json_is_a_config_too(tmp_path):
    (tmp_path / "bert_config.json").write_text('{"hidden_size": 3}')
    assert load_config(tmp_path) == {"hidden_size": 3}


@pytest.mark.parametrize("name", ["albert_config_tiny_g.json", "xlnet_config.json"])
def test_configs_beside_tensorflow_checkpoints_have_other_names(name, tmp_path):
    (tmp_path / "tokenizer_config.json").write_text("{}")
    (tmp_path / name).write_text('{"hidden_size": 4}')
    assert load_config(tmp_path) == {"hidden_size": 4}
    (tmp_path / "second_config.json").write_text("{}")
    with pytest.raises(CheckpointFormatError, match=f"not one of .*{name}"):
        load_config(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has no config; expected config.json or bert_config.json"),
        (b"[]", "expected a JSON object"),
        (b"{", "not sound JSON"),
        (b" " * (2**20 + 1), "larger than the accepted"),
    ],
)
def test_broken_configs_are_refused(content, message, tmp_path):
    if content is not None:
        (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(CheckpointFormatError, match=message):
        load_config(tmp_path)
