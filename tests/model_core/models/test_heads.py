"""Heads equal their formulas, written out in numpy."""

from dataclasses import replace

import numpy as np
import pytest
from keras import ops

from model_core.models.heads import HEADS
from model_core.models.network import Network, weights_by_name
from tests.model_core.tiny import (
    RICH,
    RICH_POST_NORM,
    build_network,
    random_ids,
)

ALL_HEADS = tuple(HEADS)
POINTER_SIZE = 64


def numpy(values):
    return ops.convert_to_numpy(values)


@pytest.fixture(scope="module", name="network")
def fixture_network():
    return build_network(RICH, ALL_HEADS, seed=1)


@pytest.fixture(scope="module", name="weights")
def fixture_weights(network):
    return {name: numpy(w) for name, w in weights_by_name(network).items()}


def dense(weights, name, inputs):
    return inputs @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]


def normed(inputs, gamma, beta, epsilon):
    centred = inputs - inputs.mean(-1, keepdims=True)
    return centred / np.sqrt(inputs.var(-1, keepdims=True) + epsilon) * gamma + beta


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def turned(vector, position):
    """Rotate the two halves of a vector by a position's angles, pair by pair."""
    half = len(vector) // 2
    made = np.zeros_like(vector)
    for pair in range(half):
        angle = position * 10_000.0 ** (-2 * pair / len(vector))
        first, second = vector[pair], vector[pair + half]
        made[pair] = first * np.cos(angle) - second * np.sin(angle)
        made[pair + half] = second * np.cos(angle) + first * np.sin(angle)
    return made


# Pointing


def test_the_residual_is_the_stream_before_the_last_norm(network, weights):
    outputs = network(random_ids(2, 5))
    expected = normed(
        numpy(outputs["residual"]),
        weights["final_norm/gamma"],
        weights["final_norm/beta"],
        RICH.layer_norm_eps,
    )
    np.testing.assert_allclose(numpy(outputs["hidden"]), expected, atol=1e-4)


def test_without_a_last_norm_the_residual_is_the_hidden_state():
    network = build_network(RICH_POST_NORM, ("half_pointer",))
    outputs = network(random_ids(1, 4))
    np.testing.assert_array_equal(numpy(outputs["residual"]), numpy(outputs["hidden"]))


def test_a_subject_conditions_the_norm_that_its_objects_are_read_off(network, weights):
    residual = numpy(network(random_ids(2, 7))["residual"])
    starts, ends = np.array([2, 5], "int32"), np.array([4, 5], "int32")
    found = network.apply("half_pointer", residual, starts, ends)["object_logits"]
    assert tuple(found.shape) == (2, 7, RICH.num_relations, 2)
    for row in range(2):
        subject = np.concatenate([residual[row, starts[row]], residual[row, ends[row]]])
        gamma, beta = (
            weights[f"half_pointer/norm/{part}"]
            + subject @ weights[f"half_pointer/norm/{part}_kernel"]
            for part in ("gamma", "beta")
        )
        read = normed(residual[row], gamma, beta, RICH.layer_norm_eps)
        expected = dense(weights, "half_pointer/objects", read)
        for relation in range(RICH.num_relations):
            for side in range(2):
                np.testing.assert_allclose(
                    numpy(found)[row, :, relation, side],
                    expected[:, 2 * relation + side],
                    atol=1e-3,
                    rtol=1e-4,
                )


def test_an_untrained_subject_changes_no_object():
    network = Network(RICH, ("half_pointer",))
    residual = numpy(network(random_ids(1, 6))["residual"])
    one, other = (
        numpy(network.apply("half_pointer", residual, place, place)["object_logits"])
        for place in (np.array([0], "int32"), np.array([5], "int32"))
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("name", "kinds", "rotary"),
    [("entity", 2, True), ("heads", 3, False), ("tails", 3, False)],
)
def test_every_pair_has_the_score_of_the_formula(network, weights, name, kinds, rotary):
    outputs = network(random_ids(1, 5))
    hidden = numpy(outputs["hidden"])[0]
    shared = numpy(outputs[f"{name}_shared"])[0]
    alone = numpy(outputs[f"{name}_alone"])[0]
    sides = dense(weights, f"gplinker/{name}/sides", hidden)
    both = dense(weights, f"gplinker/{name}/alone", sides) / 2
    for i in range(5):
        for j in range(5):
            first, second = sides[i, :POINTER_SIZE], sides[j, POINTER_SIZE:]
            if rotary:
                first, second = turned(first, i), turned(second, j)
            for kind in range(kinds):
                expected = first @ second / np.sqrt(POINTER_SIZE)
                expected += both[i, kind] + both[j, kinds + kind]
                found = shared[i, j] + alone[i, 0, kind] + alone[j, 1, kind]
                assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)


# Reading


def test_copy_and_span_are_projections_of_every_position(network, weights):
    outputs = network(random_ids(2, 5))
    hidden = numpy(outputs["hidden"])
    copy = dense(weights, "copy/dense", hidden)
    np.testing.assert_allclose(numpy(outputs["copy_logits"]), copy, atol=1e-4)
    span = dense(weights, "span/dense", hidden)
    for side, name in enumerate(("start_logits", "end_logits")):
        np.testing.assert_allclose(numpy(outputs[name]), span[..., side], atol=1e-4)


def test_clauses_go_through_gated_convolutions():
    network = Network(RICH, ("clauses",))
    rng = np.random.default_rng(0)
    for weight in network.heads["clauses"].weights:
        weight.assign(rng.normal(0, 0.1, weight.shape).astype("float32"))
    weights = {
        name: numpy(w).astype("float64") for name, w in weights_by_name(network).items()
    }
    vectors = rng.normal(0, 1, (1, 9, 16)).astype("float32")
    found = numpy(network.apply("clauses", vectors)["clause_logits"])[0]
    mixed = dense(weights, "clauses/narrow", vectors[0])
    for layer, dilation in enumerate((1, 2, 4, 8, 1, 1)):
        name = f"clauses/layer_{layer}"
        kernel = weights[f"{name}/convolution/kernel"]
        padded = np.pad(mixed, [(dilation, dilation), (0, 0)])
        made = sum(padded[k * dilation :][:9] @ kernel[k] for k in range(3))
        made = made + weights[f"{name}/convolution/bias"]
        gated = made[:, :128] * sigmoid(made[:, 128:])
        gamma, beta = weights[f"{name}/norm/gamma"], weights[f"{name}/norm/beta"]
        mixed = mixed + weights[f"{name}/alpha"] * normed(gated, gamma, beta, 1e-5)
    expected = dense(weights, "clauses/dense", mixed)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_a_fresh_stack_of_convolutions_judges_every_clause_alone():
    network = Network(RICH, ("clauses",))
    vectors = np.random.default_rng(0).normal(0, 1, (1, 6, 16)).astype("float32")
    together = numpy(network.apply("clauses", vectors)["clause_logits"])[0]
    for clause in range(6):
        alone = network.apply("clauses", vectors[:, clause : clause + 1])
        np.testing.assert_allclose(
            together[clause], numpy(alone["clause_logits"])[0, 0], atol=1e-6
        )


def test_a_clause_is_judged_among_its_neighbours(network):
    vectors = np.random.default_rng(0).normal(0, 1, (1, 6, 16)).astype("float32")
    other = vectors.copy()
    other[0, 5] += 1
    one, two = (
        numpy(network.apply("clauses", each)["clause_logits"])[0]
        for each in (vectors, other)
    )
    assert np.abs(one[:4] - two[:4]).max() > 1e-4


# The source's prior


def test_a_token_of_the_source_gains_its_scale_and_every_token_its_shift(
    network, weights
):
    occurs = np.zeros((2, 31), "float32")
    occurs[0, [3, 7]] = 1
    prior = numpy(network.apply("source_prior", occurs)["prior"])
    shift, scale = weights["source_prior/shift"], weights["source_prior/scale"]
    np.testing.assert_allclose(prior[1], shift, atol=1e-6)
    expected = shift.copy()
    expected[[3, 7]] += scale[[3, 7]]
    np.testing.assert_allclose(prior[0], expected, atol=1e-6)


def test_a_fresh_prior_leans_alike_towards_what_the_source_holds():
    network, occurs = Network(RICH, ("source_prior",)), np.zeros((1, 31), "float32")
    occurs[0, [4, 9, 11]] = 1
    prior = numpy(network.apply("source_prior", occurs)["prior"])[0]
    assert not prior[occurs[0] == 0].any()
    assert len(set(prior[[4, 9, 11]].tolist())) == 1
    assert prior[4] > 0


@pytest.mark.parametrize("head", ["span", "language_model", "copy", "gplinker"])
def test_heads_that_are_read_once_are_not_asked_again(network, head):
    with pytest.raises(TypeError, match="is not asked twice, received 1 arrays"):
        network.apply(head, np.zeros((1, 2, 16), "float32"))


@pytest.mark.parametrize("place", ["first", "last"])
def test_a_class_does_not_depend_on_what_is_padded_behind(place):
    config = replace(RICH_POST_NORM, pooling_place=place)
    network = build_network(config, ("classifier",), seed=5)
    ids = random_ids(2, 6)
    alone = numpy(network(ids)["class_logits"])
    shorter = numpy(network(ids[1:, :4])["class_logits"])
    valid = np.arange(9)[None] < np.array([[6], [4]])
    beside = numpy(network(np.pad(ids, [(0, 0), (0, 3)]), None, valid)["class_logits"])
    np.testing.assert_allclose(beside[0], alone[0], atol=2e-5)
    np.testing.assert_allclose(beside[1], shorter[0], atol=2e-5)
    assert np.abs(beside[1] - alone[1]).max() > 1e-3  # two tokens fewer do matter
