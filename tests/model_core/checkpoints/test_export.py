"""Our own files come back as they were written, or are not written at all."""

import json
from dataclasses import replace

import numpy as np
import pytest

from model_core.checkpoints.errors import CheckpointMismatchError
from model_core.checkpoints.export import export_weights
from model_core.checkpoints.reader import open_checkpoint
from model_core.checkpoints.survey import survey_checkpoint
from tests.model_core.checkpoints.checkpoint_files import (
    TINY,
    random_weights,
    write_own,
)


def read_back(folder):
    with open_checkpoint(folder) as reader:
        return {name: np.array(reader.read(name)) for name in tuple(reader.keys())}


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 0), ("float16", 1e-3), ("bfloat16", 8e-3)]
)
def test_weights_come_back(dtype, tolerance, tmp_path):
    weights = write_own(tmp_path, dtype=dtype)
    back = read_back(tmp_path)
    assert back.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_allclose(back[name], array, rtol=tolerance, atol=1e-6)
    assert set(survey_checkpoint(tmp_path).dtypes) == {dtype}


def test_bfloat16_rounds_to_nearest_even(tmp_path):
    weights = random_weights(TINY)
    beta = weights["embedding_norm/beta"]
    beta[:4] = [1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, -1 - 2**-8]
    export_weights(weights, TINY, tmp_path, dtype="bfloat16")
    rounded = read_back(tmp_path)["embedding_norm/beta"][:4]
    assert rounded.tolist() == [1, 1 + 2**-6, 1 + 2**-7, -1]


def test_the_config_comes_back_with_facts(tmp_path):
    write_own(tmp_path, facts={"licence": "Apache-2.0"})
    assert survey_checkpoint(tmp_path).config == TINY
    values = json.loads((tmp_path / "config.json").read_text())
    assert values["model_type"] == "maskplay"
    assert values["licence"] == "Apache-2.0"


def test_shards_stay_within_their_limit_and_replace_one_file(tmp_path):
    weights = write_own(tmp_path)
    write_own(tmp_path, max_shard_bytes=1000)
    assert not (tmp_path / "model.safetensors").exists()
    shards = sorted(tmp_path.glob("*.safetensors"))
    assert len(shards) > 3
    assert all(shard.stat().st_size < 2500 for shard in shards)  # header included
    for name, array in read_back(tmp_path).items():
        np.testing.assert_array_equal(array, weights[name])
    write_own(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "config.json",
        "model.safetensors",
    ]


def test_transformers_own_library_reads_our_file(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    weights = write_own(tmp_path)
    theirs = library.load_file(tmp_path / "model.safetensors")
    for name, array in weights.items():
        np.testing.assert_array_equal(theirs[name], array)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda w: w.pop("embedding_norm/beta"),
            r"another shape: \['embedding_norm/beta'\]",
        ),
        (lambda w: w.update(extra=np.zeros(1)), r"\['extra'\]"),
        (
            lambda w: w.update({"embedding_norm/beta": np.zeros(7)}),
            r"\['embedding_norm/beta'\]",
        ),
        (
            lambda w: w["embedding_norm/beta"].__setitem__(0, np.nan),
            "embedding_norm/beta: holds numbers that float16 cannot hold",
        ),
        (
            lambda w: w["embedding_norm/beta"].__setitem__(0, 1e6),
            "embedding_norm/beta: holds numbers that float16 cannot hold",
        ),
    ],
)
def test_wrong_weights_are_refused_and_no_file_is_left(change, message, tmp_path):
    weights = random_weights(TINY)
    change(weights)
    with pytest.raises(CheckpointMismatchError, match=message):
        export_weights(weights, TINY, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_unknown_dtype_is_refused(tmp_path):
    with pytest.raises(CheckpointMismatchError, match="dtype must be one of"):
        export_weights(random_weights(TINY), TINY, tmp_path, dtype="int8")


def test_a_config_without_segments_has_no_segment_weight(tmp_path):
    config = replace(TINY, type_vocab_size=0, position_kind="rotary")
    weights = write_own(tmp_path, config)
    assert not {"segment_embedding/embeddings", "position_embedding/embeddings"} & set(
        weights
    )
    assert survey_checkpoint(tmp_path).is_sound
