"""A folder becomes a network whose every weight came from the file."""

import keras
import numpy as np
import pytest

from model_core.checkpoints import filling, load
from model_core.checkpoints.errors import CheckpointMismatchError, MissingHeadError
from model_core.checkpoints.export import export_weights
from model_core.checkpoints.load import load_network
from model_core.models.heads import HEADS
from model_core.models.network import weights_by_name
from tests.model_core.checkpoints.checkpoint_files import (
    TINY,
    random_weights,
    write_own,
)
from tests.model_core.tiny import RICH, RICH_POST_NORM, build_network, random_ids


@pytest.fixture
def no_network(monkeypatch):
    """Refusals come before anything is built."""

    def build(*_, **__):
        raise AssertionError("a network was built")

    monkeypatch.setattr(load, "Network", build)


def assigned(network):
    return {
        name: keras.ops.convert_to_numpy(keras.ops.cast(weight, "float32"))
        for name, weight in weights_by_name(network).items()
    }


def test_every_weight_is_the_files(tmp_path):
    weights = write_own(tmp_path)
    loaded = load_network(tmp_path, heads=("language_model",))
    assert loaded.config == TINY
    assert loaded.family.name == "maskplay"
    assert loaded.family.attention == "causal"
    for name, array in assigned(loaded.network).items():
        np.testing.assert_array_equal(array, weights[name])


@pytest.mark.parametrize("policy", ["float32", "bfloat16", "mixed_bfloat16", "float16"])
def test_the_dtype_policy_is_the_callers(policy, tmp_path):
    weights = write_own(tmp_path)
    network = load_network(tmp_path, dtype=policy).network
    assert network.dtype_policy.name == policy
    expected = {"mixed_bfloat16": "float32"}.get(policy, policy)
    for name, weight in weights_by_name(network).items():
        assert keras.backend.standardize_dtype(weight.dtype) == expected, name
    for name, array in assigned(network).items():
        np.testing.assert_allclose(array, weights[name], rtol=1e-2, atol=1e-2)


def test_all_means_every_head_that_is_whole(tmp_path):
    heads = ("language_model", "pooler")
    write_own(tmp_path, heads=heads)
    assert tuple(load_network(tmp_path).network.heads) == heads
    assert load_network(tmp_path, heads=()).report.plan.skipped == (
        "pooler/dense/bias",
        "pooler/dense/kernel",
    )


@pytest.mark.parametrize("config", [RICH, RICH_POST_NORM], ids=["pre", "post"])
def test_weights_of_every_head_come_back_with_marks_and_conditions(tmp_path, config):
    network = build_network(config, tuple(HEADS), seed=5)
    weights = assigned(network)
    export_weights(weights, config, tmp_path, heads=tuple(HEADS), dtype="float32")
    loaded = load_network(tmp_path)
    assert loaded.config == config
    assert set(loaded.network.heads) == set(HEADS)
    assert not loaded.report.plan.skipped
    back = assigned(loaded.network)
    assert back.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(back[name], array)
    ids, marks = random_ids(2, 6), random_ids(2, 6, seed=1) % 5
    for name, values in network(ids, mark_ids=marks).items():
        found = loaded.network(ids, mark_ids=marks)[name]
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(found),
            keras.ops.convert_to_numpy(values),
            rtol=1e-5,
            atol=1e-5,
        )


@pytest.mark.parametrize("head", sorted(set(HEADS) - {"language_model"}))
def test_every_head_may_come_alone(tmp_path, head):
    network = build_network(RICH, ("language_model", head))
    heads = tuple(network.heads)
    export_weights(assigned(network), RICH, tmp_path, heads=heads)
    assert set(load_network(tmp_path).network.heads) == set(heads)


def test_a_missing_head_is_refused_by_its_tensors(tmp_path, no_network):
    write_own(tmp_path)
    with pytest.raises(MissingHeadError, match="span/dense/bias, span/dense/kernel"):
        load_network(tmp_path, heads=("span",))


def test_a_mismatch_is_refused_before_anything_is_built(tmp_path, no_network):
    weights = random_weights(TINY)
    export_weights(weights, TINY, tmp_path)
    text = (tmp_path / "config.json").read_text()
    wrong = text.replace('"vocab_size": 11', '"vocab_size": 1000000000')
    (tmp_path / "config.json").write_text(wrong)
    message = r"token_embedding/embeddings: expected shape \(1000000000, 8\)"
    with pytest.raises(CheckpointMismatchError, match=message):
        load_network(tmp_path)


def test_a_weight_left_at_random_is_an_error(tmp_path, monkeypatch):
    write_own(tmp_path)
    monkeypatch.setattr(filling, "carry_out", lambda *_: None)
    with pytest.raises(CheckpointMismatchError, match=r"left unfilled: .*attention"):
        load_network(tmp_path)
