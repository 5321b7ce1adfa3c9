"""A run of one part becomes its own weights beside those that all share."""

import importlib
import json
import sys
from argparse import ArgumentTypeError

import numpy as np
import pytest
from keras import ops
from safetensors.numpy import load_file

from model_core.checkpoints.load import load_network
from model_core.interfaces import TRIPLE_POINTER
from model_core.models.network import Network, arrays_by_name, weights_by_name
from model_core.roles.cast import Cast
from model_core.roles.loaded import load_model
from model_core.roles.parts import load_parts
from model_core.training.snapshot import save_snapshot
from recipes import joint, own_weights
from recipes.commands import named_value
from tests.model_core.playing_checkpoint import config_of, tokens, write_playing

RUNS = [{"step": 1, "tokens": 7, "seconds": 1.0, "device": ["tensorflow"]}]
FACTS = {
    "step": 3, "tokens": 50, "seconds": 2.0, "device": ["jax"], "curve": [],
    "before": RUNS,
}  # fmt: skip
CHANGED = "block_1/feed_forward/inner/kernel"


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
    folder = write_playing(tmp_path / "shared")
    config = json.loads((folder / "config.json").read_text("utf8"))
    config["training"] = {"runs": RUNS}
    (folder / "config.json").write_text(json.dumps(config), "utf8")
    arrays = arrays_by_name(load_network(folder).network)
    arrays[CHANGED] = arrays[CHANGED] + np.float32(0.01)
    snapshot = {f"weights/{name}": array for name, array in arrays.items()}
    save_snapshot(tmp_path / "run", snapshot, FACTS)
    return folder


def test_the_part_plays_with_what_its_run_learned(folder, tmp_path):
    path = own_weights.write(tmp_path / "run", folder, "pointing")

    assert path == folder / "pointing.safetensors"
    assert load_parts(folder).own_weights == {"pointing": path.name}
    shared = arrays_by_name(load_network(folder).network)
    player = Cast(load_model(folder, name="tiny")).play(TRIPLE_POINTER)
    found = arrays_by_name(player._model.engine.network)
    assert {n for n in found if not np.array_equal(found[n], shared[n])} == {CHANGED}
    np.testing.assert_allclose(found[CHANGED], shared[CHANGED] + 0.01, atol=1e-4)
    training = json.loads((folder / "config.json").read_text("utf8"))["training"]
    assert training["runs"] == RUNS
    assert [run["step"] for run in training["own_weights"]["pointing"]] == [3]


def test_parts_taught_together_share_a_file(folder, tmp_path):
    path = own_weights.write(tmp_path / "run", folder, "title+summary")

    assert path == folder / "title-summary.safetensors"
    named = load_parts(folder).own_weights
    assert named == {"title": path.name, "summary": path.name}
    assert own_weights.by_file({**named, "pointing": "p.safetensors"}) == {
        path.name: ["title", "summary"],
        "p.safetensors": ["pointing"],
    }
    training = json.loads((folder / "config.json").read_text("utf8"))["training"]
    assert training["own_weights"].keys() == {"title", "summary"}
    assert [run["step"] for run in training["own_weights"]["summary"]] == [3]


LEFT = ["gplinker", "span/", "*gamma_kernel"]


def test_weights_that_the_part_never_reads_stay_the_shared_ones(folder, tmp_path):
    arrays = arrays_by_name(load_network(folder).network)
    heads = [name for name in arrays if name.startswith(("gplinker", "span"))]
    heads += [name for name in arrays if name.endswith("gamma_kernel")]
    moved = {n: a + np.float32(0.01) for n, a in arrays.items() if n in heads}
    arrays |= moved | {CHANGED: arrays[CHANGED] + np.float32(0.01)}
    snapshot = {f"weights/{name}": array for name, array in arrays.items()}
    save_snapshot(tmp_path / "run", snapshot, FACTS)

    path = own_weights.write(tmp_path / "run", folder, "words", LEFT)

    assert set(load_file(path)) == {CHANGED + ".steps", CHANGED + ".step"}
    with pytest.raises(SystemExit, match="whose name begins with lost"):
        own_weights.write(tmp_path / "run", folder, "words", ["lost"])


@pytest.mark.parametrize(
    ("before", "apart"),
    [(RUNS, []), ([], ["words"]), ([{**RUNS[0], "tokens": 8}], ["words"])],
    ids=["shared", "from nothing", "another's"],
)
def test_a_run_that_began_elsewhere_tells_all_it_has_seen(
    folder, tmp_path, before, apart
):
    arrays = arrays_by_name(load_network(folder).network)
    arrays[CHANGED] = arrays[CHANGED] + np.float32(0.01)
    snapshot = {f"weights/{name}": array for name, array in arrays.items()}
    save_snapshot(tmp_path / "run", snapshot, {**FACTS, "before": before})
    own_weights.write(tmp_path / "run", folder, "words")
    training = json.loads((folder / "config.json").read_text("utf8"))["training"]
    told = [run["tokens"] for run in training["own_weights"]["words"]]
    assert training["apart"] == apart
    assert told == ([run["tokens"] for run in before] if apart else []) + [50]

    snapshot_facts = {
        **FACTS,
        "before": RUNS,
    }  # and with another run it is not any more
    save_snapshot(tmp_path / "again", snapshot, snapshot_facts)
    own_weights.write(tmp_path / "again", folder, "words")
    training = json.loads((folder / "config.json").read_text("utf8"))["training"]
    assert training["apart"] == []


def test_one_unknown_part_of_several_writes_nothing(folder, tmp_path):
    with pytest.raises(SystemExit, match="not poems"):
        own_weights.write(tmp_path / "run", folder, "title+poems")
    assert not list(folder.glob("title*"))


def test_only_a_part_of_the_checkpoint_has_any(folder, tmp_path):
    with pytest.raises(SystemExit, match="not poems"):
        own_weights.write(tmp_path / "run", folder, "poems")
    assert not list(folder.glob("poems*"))


def test_without_safetensors_it_is_told_what_to_install(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    again = importlib.reload(own_weights)  # a release without any imports it too
    with pytest.raises(ImportError, match=r"-r requirements-recipes\.txt"):
        again.write(tmp_path / "run", folder, "pointing")


def test_what_is_frozen_does_not_learn():
    network = Network(config_of(tokens()), joint.HEADS)
    joint.freeze(network, ("token_embedding", "block_0/"))
    learning = {id(weight) for weight in network.trainable_variables}
    for name, weight in weights_by_name(network).items():
        frozen = name.startswith(("token_embedding", "block_0/"))
        assert (id(weight) in learning) is not frozen
    assert ops.shape(network.embeddings[0])
    with pytest.raises(ValueError, match="no weight begins with 'blocks'"):
        joint.freeze(network, ("blocks",))


@pytest.mark.parametrize("text", ["pointing", "=runs/a", "pointing=", ""])
def test_a_part_without_its_run_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="expected NAME=VALUE"):
        named_value(text)
    assert named_value("pointing=runs/a=b") == ("pointing", "runs/a=b")
