"""A run begins with the weights of a run or of what a run was exported to."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from model_core.config import TransformerConfig
from model_core.models.network import Network, weights_by_name
from model_core.training.lineage import lineage, total
from model_core.training.snapshot import save_snapshot
from model_core.training.trainer import Trainer
from recipes import beginning, export, joint, pretraining
from recipes.joint import HEADS
from tests.model_core.playing_checkpoint import RELATIONS, config_of, tokens

SHIPPED = Path(__file__).parents[2] / "assets" / "embedded"
FACTS = {
    "step": 3, "tokens": 50, "seconds": 2.0, "device": ["jax"], "curve": [],
    "before": [{"step": 1, "tokens": 7, "seconds": 1.0, "device": ["tensorflow"]}],
}  # fmt: skip


def arrays_of(network):
    return {
        f"weights/{name}": ops.convert_to_numpy(weight)
        for name, weight in weights_by_name(network).items()
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run, its corpus and its export."""
    folder = tmp_path_factory.mktemp("trained")
    network = Network(config_of(tokens()), HEADS)
    save_snapshot(folder / "run", arrays_of(network), FACTS)
    (folder / "corpus").mkdir()
    (folder / "corpus" / "vocab.txt").write_text("\n".join(tokens()) + "\n", "utf8")
    export.export(
        folder / "run", folder / "corpus", config_of(tokens()), folder / "out",
        heads=HEADS,
    )  # fmt: skip
    return folder, network


def test_a_fresh_network_is_given_what_a_run_has_and_names_the_rest(tmp_path):
    base = TransformerConfig(
        **config_of(tokens()).to_dict()
        | {"mark_vocab_size": 0, "num_conditions": 0, "num_relations": 0}
    )
    old = Network(base, ("language_model",))
    arrays = {
        f"weights/{name}": ops.convert_to_numpy(weight)
        for name, weight in weights_by_name(old).items()
    }
    save_snapshot(tmp_path / "run", arrays, FACTS)
    fresh = Network(config_of(tokens()), HEADS)
    named = beginning.read(tmp_path / "run", tmp_path).fill(fresh)
    weights = weights_by_name(fresh)
    assert set(named) == weights.keys() - {n.split("/", 1)[1] for n in arrays}
    assert "mark_embedding/embeddings" in named
    ids = np.array([[2, 30, 31, 3]], "int32")
    marks = np.array([[0, 5, 6, 0]], "int32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(fresh(ids, mark_ids=marks, heads=())["hidden"]),
        ops.convert_to_numpy(old(ids, heads=())["hidden"]),
        atol=1e-6,
    )


def test_an_export_begins_a_run_as_its_run_would_but_for_the_rounding(trained):
    folder, network = trained
    fresh = Network(config_of(tokens()), HEADS)
    begun = beginning.read(folder / "out", folder / "corpus")
    assert begun.fill(fresh) == []
    for name, weight in weights_by_name(network).items():
        np.testing.assert_allclose(
            ops.convert_to_numpy(weights_by_name(fresh)[name]),
            ops.convert_to_numpy(weight),
            rtol=1e-3,
            atol=1e-7,
        )
    assert begun.runs == lineage(FACTS)
    assert begun.runs == beginning.read(folder / "run", folder / "corpus").runs
    assert total(begun.runs)["tokens"] == 57


def test_weights_of_another_vocabulary_are_refused(trained, tmp_path):
    folder, _ = trained
    (tmp_path / "vocab.txt").write_text("[PAD]\n", "utf8")
    with pytest.raises(SystemExit, match="--vocabulary"):
        beginning.read(folder / "out", tmp_path)


def test_the_shipped_weights_know_what_they_have_cost():
    runs = json.loads((SHIPPED / "config.json").read_text("utf8"))
    history = json.loads((SHIPPED / "history.json").read_text("utf8"))
    shared = [row["tokens"] for row in history if not row.get("part")]
    assert total(runs["training"]["runs"])["tokens"] == shared[-1]


def test_no_leg_reads_in_the_order_of_one_before_it(trained, tmp_path, monkeypatch):
    folder, _ = trained
    told = json.dumps([asdict(relation) for relation in RELATIONS])
    (folder / "corpus" / "relations.json").write_text(told, "utf8")
    seeds = []

    def leg(start):
        joint.train_leg(
            folder / "corpus", tmp_path / "run", start, config_of(tokens()),
            pretraining.Leg(length=8, rows=1), joint.Options(), joint.SHARES,
        )  # fmt: skip

    monkeypatch.setattr(Trainer, "run", lambda self, *_, **__: self.save())
    monkeypatch.setattr(joint, "streams", lambda *asked: seeds.append(asked[-1]) or {})
    leg(folder / "run")
    snapshot = tmp_path / "run" / "snapshot.json"
    whole = json.loads(snapshot.read_text("utf8"))
    whole["facts"]["step"] = 5
    snapshot.write_text(json.dumps(whole), "utf8")
    leg(None)
    assert seeds == [4, 9]  # behind the four of the run it begins with
