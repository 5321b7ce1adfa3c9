"""Learning from a few filled blanks: it learns, on a copy, as fast as it is told."""

from dataclasses import replace

import numpy as np
import pytest
from keras import ops

from model_core.models.network import weights_by_name
from model_core.training.cloze_learner import (
    ClozeExample,
    ClozeLearning,
    collate,
    copy_network,
    learn,
    shape_of,
)
from tests.model_core.tiny import POST_NORM, ROTARY, build_network

MASK, SIGNS, WORDS = 4, (10, 11), ((20, 21), (22, 23))


def how(**changes):
    values = {
        "learning_rate": 1e-2,
        "batch_size": 8,
        "num_steps": 40,
        "mask_rate": 0.15,
        "mask_id": MASK,
    }
    return ClozeLearning(**values | changes)


def example(label, rng):
    """A blank of two masks whose word says which sign stands in the text."""
    text = rng.integers(12, 20, 6)
    text[rng.integers(0, 6)] = SIGNS[label]
    ids = np.array([2, MASK, MASK, *text, 3], "int32")
    return ClozeExample(
        ids,
        np.array([1, 2], "int32"),
        np.array(WORDS[label], "int32"),
        np.arange(3, 9, dtype="int32"),
    )


@pytest.fixture(name="examples")
def fixture_examples():
    rng = np.random.default_rng(0)
    return [example(number % 2, rng) for number in range(24)]


@pytest.fixture(scope="module", name="network")
def fixture_network():
    network = build_network(replace(ROTARY, num_hidden_layers=1))
    for name, weight in weights_by_name(network).items():
        if not name.endswith("gamma"):
            weight.assign(weight * 0.3)
    return network


def weights(network):
    return {
        name: np.array(ops.convert_to_numpy(weight))
        for name, weight in weights_by_name(network).items()
    }


def chosen(network, one):
    """The label whose word fits the blank better."""
    outputs = network(one.token_ids[None], places=one.places[None])
    logits = ops.convert_to_numpy(outputs["logits"])[0]
    return int(np.argmax([logits[[0, 1], word].sum() for word in WORDS]))


def test_a_toy_labelling_is_learned_and_the_given_weights_stay(network, examples):
    before = weights(network)
    copy = copy_network(network)
    losses = list(learn(copy, examples, how(num_steps=150, mask_rate=0.05)))
    assert len(losses) == 150
    assert np.mean(losses[-5:]) < 0.5 * losses[0]
    rng = np.random.default_rng(7)
    fresh = [(label, example(label, rng)) for label in (0, 1) * 10]
    right = sum(chosen(copy, one) == label for label, one in fresh)
    assert right >= 18
    for name, weight in weights(network).items():
        np.testing.assert_array_equal(weight, before[name])


def test_a_copy_begins_as_the_given_network(network):
    copy = copy_network(network)
    ours, theirs = weights(copy), weights(network)
    assert ours.keys() == theirs.keys()
    for name, weight in theirs.items():
        np.testing.assert_array_equal(ours[name], weight)
    assert copy.config == network.config
    assert tuple(copy.heads) == tuple(network.heads)


def test_the_rate_rises_over_a_tenth_of_the_steps(network, examples):
    copy = copy_network(network)
    before = weights(copy)
    steps = learn(copy, examples, how(num_steps=100, learning_rate=1e-3))
    next(steps)
    after = weights(copy)
    moved = max(np.abs(after[name] - before[name]).max() for name in before)
    # Adam's first step is as long as the rate, whatever the gradient
    assert 0 < moved < 0.25e-3


@pytest.mark.slow
def test_the_rate_falls_to_nothing(network, examples):
    copy = copy_network(network)
    steps = learn(copy, examples, how(num_steps=12))
    for _ in range(11):
        next(steps)
    before = weights(copy)
    next(steps)
    after = weights(copy)
    moved = max(np.abs(after[name] - before[name]).max() for name in before)
    assert 0 <= moved < 0.2 * 1e-2
    with pytest.raises(StopIteration):
        next(steps)


def test_a_seed_repeats_the_losses(network, examples):
    first, again = (
        list(learn(copy_network(network), examples, how(num_steps=2, seed=1)))
        for _ in range(2)
    )
    np.testing.assert_allclose(first, again, rtol=1e-5)


def test_blanks_and_hidden_tokens_each_weigh_one_per_example(examples):
    rng = np.random.default_rng(0)
    half = how(mask_rate=0.5)
    inputs, flat = collate(examples[:3], half, rng, shape_of(examples, half, 512))
    weight = flat.reshape(3, -1)
    np.testing.assert_allclose(weight[:, :2].sum(axis=1), 1.0)
    np.testing.assert_allclose(weight[:, 2:].sum(axis=1), 1.0)
    for row, one in enumerate(examples[:3]):
        told = weight[row] > 0
        places, targets = inputs["places"][row][told], inputs["targets"][row][told]
        assert places[:2].tolist() == one.places.tolist()
        assert targets[:2].tolist() == one.targets.tolist()
        hidden = places[2:]
        assert len(hidden) == 3
        assert set(hidden.tolist()) <= set(one.plain.tolist())
        assert (inputs["token_ids"][row][hidden] == MASK).all()
        np.testing.assert_array_equal(targets[2:], one.token_ids[hidden])
        seen = np.setdiff1d(np.arange(10), hidden)
        np.testing.assert_array_equal(
            inputs["token_ids"][row][seen], one.token_ids[seen]
        )


def test_without_a_rate_nothing_else_is_hidden(examples):
    rng = np.random.default_rng(0)
    none = how(mask_rate=0.0)
    inputs, flat = collate(examples[:2], none, rng, shape_of(examples, how(), 512))
    assert flat.sum() == pytest.approx(2.0)
    assert inputs["padding_mask"].sum() == 2 * 10
    for row, one in enumerate(examples[:2]):
        np.testing.assert_array_equal(inputs["token_ids"][row][:10], one.token_ids)


def test_one_shape_holds_any_of_the_examples(examples):
    long = replace(examples[0], token_ids=np.full(70, 12, "int32"))
    assert shape_of(examples, how(), 512) == (32, 8)
    assert shape_of([*examples, long], how(), 512) == (96, 8)
    many = replace(examples[0], plain=np.arange(60, dtype="int32"))
    assert shape_of([*examples, many], how(mask_rate=0.5), 512) == (32, 32)


@pytest.mark.slow
def test_no_row_is_longer_than_the_positions(examples):
    assert shape_of(examples, how(), 24) == (24, 8)
    copy = build_network(POST_NORM, ("masked_lm",))
    assert copy.config.max_position_embeddings == 24
    losses = list(learn(copy, examples, how(num_steps=3)))
    assert np.isfinite(losses).all()
