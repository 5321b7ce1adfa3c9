"""Learning works, resumes exactly, and leaves the parts apart."""

import errno
import itertools
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

from model_core.models.heads import HEADS
from model_core.models.network import weights_by_name
from model_core.training.objectives import OBJECTIVES, Tricks
from model_core.training.schedules import WarmupStableDecay
from model_core.training.snapshot import has_snapshot, load_snapshot, save_snapshot
from model_core.training.trainer import Trainer
from tests.model_core.tiny import RICH, ROTARY, build_network
from tests.model_core.training import tiny_batches
from tests.model_core.training.tiny_batches import BATCHES


def trainer(folder, seed=0):
    rate = WarmupStableDecay(1e-2, 5, 10_000, 10_001)
    return Trainer(
        build_network(ROTARY, seed=seed), keras.optimizers.Muon(rate), folder
    )


def run(made, until):
    rows = []
    batches = iter(tiny_batches.by_heart, None)
    made.run(batches, until_step=until, report=rows.append, report_every=5)
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
    batches = iter(tiny_batches.by_heart, None)
    made.run(batches, until_step=50, report=print, stopped=lambda: True)
    assert made.progress.step == 1
    assert trainer(tmp_path / "run", seed=5).progress.step == 1


def rich_trainer(folder, seed=0, rate=3e-3):
    one_layer = replace(RICH, num_hidden_layers=1)
    network = build_network(one_layer, tuple(HEADS), seed=seed)
    for name, weight in weights_by_name(network).items():
        if not name.endswith("gamma"):
            weight.assign(weight * 0.2)
    return Trainer(network, keras.optimizers.AdamW(rate), folder)


def alternating(start=0):
    """Titles and clauses in turns, from a step on."""
    for step in itertools.count(start):
        yield BATCHES[("writing", "clauses")[step % 2]](step // 2)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_learns_a_batch_by_heart(objective, tmp_path):
    assert BATCHES[objective]().objective == objective
    made, rows = rich_trainer(tmp_path / "run", rate=1e-2), []
    batches = iter(BATCHES[objective], None)
    made.run(batches, until_step=40, report=rows.append, report_every=5)
    losses = [row["loss"] for row in rows]
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.5 * losses[0]
    assert rows[-1][BATCHES[objective]().task] == losses[-1]


@pytest.mark.slow
def test_objectives_take_turns_and_resume_exactly(tmp_path):
    whole, rows = rich_trainer(tmp_path / "whole"), []
    whole.run(alternating(), until_step=6, report=rows.append, report_every=2)
    for row in rows:
        assert row["loss"] == pytest.approx((row["title"] + row["extract"]) / 2)
    first = rich_trainer(tmp_path / "halves")
    first.run(alternating(), until_step=3, report=print)
    resumed = rich_trainer(tmp_path / "halves", seed=99)
    assert resumed.progress.step == 3
    resumed.run(alternating(3), until_step=6, report=print)
    assert resumed.progress.tokens == whole.progress.tokens
    for name, expected in weights(whole).items():
        np.testing.assert_allclose(weights(resumed)[name], expected, atol=2e-5)


def test_a_loss_is_told_without_learning(tmp_path):
    made = trainer(tmp_path / "run")
    before, steps = weights(made), made.progress.step
    batch = tiny_batches.by_heart()
    told = made.loss(batch)
    assert made.progress.step == steps
    for name, array in weights(made).items():
        np.testing.assert_array_equal(array, before[name])
    rows = []
    made.run(iter([batch]), until_step=1, report=rows.append, report_every=1)
    assert rows[0]["loss"] == pytest.approx(told, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "tricks", [Tricks(adversarial=0.5), Tricks(sparse_top_k=2)], ids=str
)
def test_a_told_loss_is_that_of_no_trick(tmp_path, tricks):
    made, batch = trainer(tmp_path / "run"), tiny_batches.by_heart()
    expected = made.loss(batch)
    made.tricks = tricks
    rows = []
    assert made.loss(batch) == expected
    made.run(iter([batch]), until_step=1, report=rows.append, report_every=1)
    assert abs(rows[0]["loss"] - expected) > 0.01  # learning has it


def test_an_objective_leaves_the_heads_it_does_not_read_alone(tmp_path):
    made = rich_trainer(tmp_path / "run")
    before = weights(made)
    made.run(iter(BATCHES["clauses"], None), until_step=3, report=print)
    after = weights(made)
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert any(name.startswith("clauses/") for name in moved)
    assert "token_embedding/embeddings" in moved
    heads = set(HEADS) - {"clauses"}
    assert not {name for name in moved if name.split("/")[0] in heads}


def test_the_rate_rises_stays_and_falls_to_a_tenth():
    rate = WarmupStableDecay(1.0, 10, 50, 100)
    values = [float(rate(step)) for step in (0, 9, 30, 50, 75, 100, 500)]
    np.testing.assert_allclose(values, [0.1, 1, 1, 1, 0.55, 0.1, 0.1], atol=1e-6)


def test_the_rate_may_fall_to_another_share():
    rate = WarmupStableDecay(2.0, 1, 1, 3, lowest=0.0)
    assert [float(rate(step)) for step in range(4)] == [2, 2, 1, 0]
    again = WarmupStableDecay.from_config(rate.get_config())
    assert float(again(2)) == 1


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


def test_a_write_that_fails_after_a_stop_still_leaves_the_older_snapshot(
    tmp_path, monkeypatch
):
    save_snapshot(tmp_path / "s", {"a": np.zeros(3)}, {"step": 1})
    (tmp_path / "s").rename(tmp_path / "s.old")

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space"):
        save_snapshot(tmp_path / "s", {"a": np.ones(3)}, {"step": 2})
    monkeypatch.undo()
    assert has_snapshot(tmp_path / "s")
    assert load_snapshot(tmp_path / "s")[1] == {"step": 1}
    save_snapshot(tmp_path / "s", {"a": np.ones(3)}, {"step": 2})
    assert load_snapshot(tmp_path / "s")[1] == {"step": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
