"""Adversarial steps, the sparse softmax and running means do what they say."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

from model_core.models.heads import HEADS
from model_core.models.network import weights_by_name
from model_core.training.gradients import gradient_at
from model_core.training.objectives import OBJECTIVES, Tricks, weighted_mean
from model_core.training.snapshot import load_snapshot
from model_core.training.trainer import Trainer
from tests.model_core.tiny import RICH, build_network
from tests.model_core.training.tiny_batches import BATCHES


def numpy(values):
    return np.asarray(ops.convert_to_numpy(values))


def test_the_gradient_of_a_sum_of_squares_is_twice_the_point():
    point = ops.convert_to_tensor(np.array([[1.0, -2.0, 0.5]], "float32"))
    found = gradient_at(lambda x: ops.sum(ops.square(x)), point)
    np.testing.assert_allclose(numpy(found), [[2.0, -4.0, 1.0]], atol=1e-6)


@pytest.mark.parametrize("name", ["writing", "reading", "pointing", "clauses"])
def test_the_adversarial_step_raises_the_loss_and_has_its_length(name):
    network, batch = build_network(RICH, tuple(HEADS), seed=2), BATCHES[name]()
    plain = OBJECTIVES[name](network)
    tricky = OBJECTIVES[name](network, Tricks(adversarial=0.5))
    noise = tricky._against_the_loss(batch.weighted_inputs, training=False)
    norms = np.sqrt((numpy(noise) ** 2).sum(axis=(1, 2)))
    assert ((norms < 1e-6) | (np.abs(norms - 0.5) < 1e-3)).all()
    clean = numpy(plain(batch.inputs)).sum()
    hurt = numpy(plain.learn(batch.inputs, noise, training=False)).sum()
    assert hurt > clean
    both = numpy(tricky(batch.weighted_inputs)).sum()
    np.testing.assert_allclose(both, clean + hurt, rtol=1e-4)


@pytest.mark.parametrize("name", ["writing", "reading", "pointing", "clauses"])
def test_what_only_fills_up_does_not_turn_the_adversarial_step(name):
    network, batch = build_network(RICH, tuple(HEADS), seed=2), BATCHES[name]()
    tricky = OBJECTIVES[name](network, Tricks(adversarial=0.5))
    weights = np.ones_like(batch.weights)
    weights[::2] = 0.0
    inputs = replace(batch, weights=weights).weighted_inputs
    found = numpy(tricky._against_the_loss(inputs, training=False))
    told = np.flatnonzero(weights)
    gradient = gradient_at(
        lambda noise: ops.sum(
            ops.take(tricky.learn(inputs, noise, training=False), told)
        ),
        ops.zeros(found.shape, "float32"),
    )
    norms = np.sqrt((numpy(gradient) ** 2).sum(axis=(1, 2), keepdims=True))
    expected = 0.5 * numpy(gradient) / np.maximum(norms, 1e-12)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("projected_first", [False, True])
def test_the_adversarial_step_is_as_wide_as_factorised_embeddings(projected_first):
    config = replace(RICH, embedding_size=6, projected_first=projected_first)
    network = build_network(config, tuple(HEADS), seed=2)
    tricky = OBJECTIVES["pointing"](network, Tricks(adversarial=0.5))
    losses = numpy(tricky(BATCHES["pointing"]().weighted_inputs))
    assert np.isfinite(losses).all()


def test_the_sparse_softmax_divides_by_the_best_k_alone():
    network, batch = build_network(RICH, tuple(HEADS), seed=2), BATCHES["writing"]()
    model = OBJECTIVES["writing"](network, Tricks(sparse_top_k=3))
    logits = np.array([[4.0, 3.0, 2.0, 1.0], [0.0, 1.0, 2.0, 3.0]], "float32")
    found = numpy(model._cross_entropy(np.array([0, 0], "int32"), logits))
    best = np.log(np.exp([[4.0, 3.0, 2.0], [1.0, 2.0, 3.0]]).sum(axis=1))
    np.testing.assert_allclose(found, best - [4.0, 0.0], rtol=1e-5)
    assert np.isfinite(numpy(model(batch.inputs))).all()


def test_a_trainer_hands_the_weights_to_the_adversarial_step(tmp_path):
    network = build_network(replace(RICH, num_hidden_layers=1), ("clauses",))
    tricks, optimizer = Tricks(adversarial=0.5), keras.optimizers.Adam(1e-2)
    trainer = Trainer(network, optimizer, tmp_path / "run", tricks)
    batch = BATCHES["clauses"]()
    losses = OBJECTIVES["clauses"](network, tricks)(batch.weighted_inputs)
    expected = numpy(weighted_mean(batch.weights, losses))
    np.testing.assert_allclose(trainer._step(batch), expected, rtol=1e-4)


@pytest.mark.slow
def test_a_run_that_averages_saves_the_means_of_its_weights(tmp_path):
    network = build_network(RICH, tuple(HEADS), seed=2)
    optimizer = keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.5)
    trainer = Trainer(network, optimizer, tmp_path / "run")
    seen = []
    for _ in range(3):
        trainer._step(BATCHES["writing"]())
        seen.append({n: numpy(w) for n, w in weights_by_name(network).items()})
    trainer.save()
    arrays, _ = load_snapshot(tmp_path / "run")
    name = "block_0/attention/query/kernel"
    expected = 0.25 * seen[0][name] + 0.25 * seen[1][name] + 0.5 * seen[2][name]
    np.testing.assert_allclose(arrays[f"averaged/{name}"], expected, atol=1e-6)


@pytest.mark.slow
def test_the_mean_of_what_does_not_learn_is_itself(tmp_path):
    network = build_network(RICH, tuple(HEADS), seed=2)
    frozen, learning = "token_embedding/embeddings", "block_0/attention/query/kernel"
    weights_by_name(network)[frozen].trainable = False
    optimizer = keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.5)
    trainer = Trainer(network, optimizer, tmp_path / "run")
    trainer._step(BATCHES["writing"]())
    trainer._step(BATCHES["writing"]())
    trainer.save()
    arrays, _ = load_snapshot(tmp_path / "run")
    expected = numpy(weights_by_name(network)[frozen])
    np.testing.assert_array_equal(arrays[f"averaged/{frozen}"], expected)
    assert (arrays[f"averaged/{learning}"] != arrays[f"weights/{learning}"]).any()
