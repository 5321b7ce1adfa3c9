"""Learning works, resumes exactly, and leaves the parts apart."""

import keras
import numpy as np
import pytest
from keras import ops

from model_core.models.network import weights_by_name
from model_core.training.objective import MixedBatch, MixedMaskModel
from model_core.training.schedules import WarmupStableDecay
from model_core.training.snapshot import has_snapshot, load_snapshot, save_snapshot
from model_core.training.trainer import Trainer
from tests.model_core.tiny import ROTARY, build_network, random_ids


def batch(seed=0):
    """Rows that repeat one sequence: soon known by heart."""
    ids = np.tile(random_ids(1, 12), (4, 1))
    places = np.arange(4 * 12).reshape(4, 12)[:, :-1].reshape(-1)
    return MixedBatch(
        ids,
        np.ones_like(ids),
        np.zeros_like(ids),
        places.astype("int32"),
        ids[:, 1:].reshape(-1),
        np.ones(places.size, "float32"),
    )


def trainer(folder, seed=0):
    rate = WarmupStableDecay(1e-2, 5, 10_000, 10_001)
    return Trainer(
        build_network(ROTARY, seed=seed), keras.optimizers.Muon(rate), folder
    )


def run(made, until):
    rows = []
    made.run(iter(batch, None), until_step=until, report=rows.append, report_every=5)
    return rows


def weights(made):
    named = weights_by_name(made.network)
    return {name: ops.convert_to_numpy(weight) for name, weight in named.items()}


def test_a_repeated_text_is_learned_by_heart(tmp_path):
    rows = run(trainer(tmp_path / "run"), 60)
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    assert rows[-1]["tokens"] == 60 * 48


def test_a_resumed_run_equals_one_that_never_stopped(tmp_path):
    whole = trainer(tmp_path / "whole")
    run(whole, 10)
    run(trainer(tmp_path / "halves"), 5)
    resumed = trainer(tmp_path / "halves", seed=99)  # its own start must not matter
    assert resumed.progress.step == 5
    run(resumed, 10)
    for name, expected in weights(whole).items():
        np.testing.assert_allclose(weights(resumed)[name], expected, atol=1e-6)


def test_a_run_that_is_told_to_stop_saves_what_it_has(tmp_path):
    made = trainer(tmp_path / "run")
    made.run(iter(batch, None), until_step=50, report=print, stopped=lambda: True)
    assert made.progress.step == 1
    assert trainer(tmp_path / "run", seed=5).progress.step == 1


def test_documents_packed_into_one_row_do_not_see_each_other():
    network = build_network(ROTARY)
    model = MixedMaskModel(network)
    inputs = batch().inputs()
    inputs["document_ids"] = np.repeat([[0] * 6 + [1] * 6], 4, axis=0).astype("int32")
    inputs["places"] = np.arange(6, 12, dtype="int32")
    first = ops.convert_to_numpy(model(inputs))
    inputs["token_ids"] = inputs["token_ids"].copy()
    inputs["token_ids"][:, :6] = 0
    np.testing.assert_allclose(ops.convert_to_numpy(model(inputs)), first, atol=1e-5)


def test_the_rate_rises_stays_and_falls_to_a_tenth():
    rate = WarmupStableDecay(1.0, 10, 50, 100)
    values = [float(rate(step)) for step in (0, 9, 30, 50, 75, 100, 500)]
    np.testing.assert_allclose(values, [0.1, 1, 1, 1, 0.55, 0.1, 0.1], atol=1e-6)


def test_a_schedule_out_of_order_is_refused():
    with pytest.raises(ValueError, match="received 10, 5, 100"):
        WarmupStableDecay(1.0, 10, 5, 100)


def test_a_snapshot_returns_what_was_saved_in_bounded_files(tmp_path, monkeypatch):
    monkeypatch.setattr("model_core.training.snapshot.LARGEST_FILE_BYTES", 256)
    arrays = {"a": np.arange(200, dtype="float32").reshape(4, 50), "b": np.array(7)}
    save_snapshot(tmp_path / "s", arrays, {"step": 3})
    read, facts = load_snapshot(tmp_path / "s")
    assert facts == {"step": 3}
    np.testing.assert_array_equal(read["a"], arrays["a"])
    np.testing.assert_array_equal(read["b"], arrays["b"])
    sizes = [p.stat().st_size for p in (tmp_path / "s").glob("part-*.npz")]
    assert len(sizes) > 1
    assert max(sizes) < 256 + 600  # the zip's own bytes


def test_a_stop_while_saving_keeps_the_older_snapshot(tmp_path, monkeypatch):
    save_snapshot(tmp_path / "s", {"a": np.zeros(3)}, {"step": 1})
    monkeypatch.setattr(
        "os.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        save_snapshot(tmp_path / "s", {"a": np.ones(3)}, {"step": 2})
    monkeypatch.undo()
    assert load_snapshot(tmp_path / "s")[1] == {"step": 1}


def test_the_older_snapshot_is_found_when_a_stop_left_only_it(tmp_path):
    save_snapshot(tmp_path / "s", {"a": np.zeros(3)}, {"step": 1})
    (tmp_path / "s").rename(tmp_path / "s.old")
    assert has_snapshot(tmp_path / "s")
    assert load_snapshot(tmp_path / "s")[1] == {"step": 1}
