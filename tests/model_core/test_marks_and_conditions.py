"""What a third embedding and a condition may change, and what they must not."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

from model_core import masks
from model_core.models.network import Network, weights_by_name
from tests.model_core.tiny import (
    RICH,
    RICH_POST_NORM,
    ROTARY,
    build_network,
    random_ids,
)

RICH_CONFIGS = {"pre_norm": RICH, "post_norm": RICH_POST_NORM}


def numpy(values):
    return ops.convert_to_numpy(values)


def hidden_of(network, ids, **arguments):
    """Hidden states where every position sees every other."""
    hidden, _, _ = network.body(ids, masks.bidirectional(ids), **arguments)
    return numpy(hidden)


@pytest.fixture(params=RICH_CONFIGS, name="config")
def fixture_config(request):
    return RICH_CONFIGS[request.param]


@pytest.fixture(name="network")
def fixture_network(config):
    return build_network(config)


def test_an_untrained_condition_is_the_plain_network(config):
    keras.utils.set_random_seed(0)
    network, ids = Network(config), random_ids(2, 6)
    plain = hidden_of(network, ids)
    for condition in range(config.num_conditions):
        conditions = np.full(2, condition, "int32")
        conditioned = hidden_of(network, ids, condition_ids=conditions)
        np.testing.assert_array_equal(conditioned, plain)


def test_a_trained_condition_changes_what_is_read(network, config):
    ids = random_ids(1, 6)
    read = [hidden_of(network, ids)]
    for condition in range(config.num_conditions):
        conditions = np.array([condition], "int32")
        read.append(hidden_of(network, ids, condition_ids=conditions))
    for index, one in enumerate(read):
        for other in read[index + 1 :]:
            assert np.abs(one - other).max() > 1e-2


def test_a_condition_is_its_own_rows_alone(network):
    ids, conditions = random_ids(3, 5), np.array([1, 0, 1], "int32")
    together = hidden_of(network, ids, condition_ids=conditions)
    for row in range(3):
        chosen = slice(row, row + 1)
        alone = hidden_of(network, ids[chosen], condition_ids=conditions[chosen])
        np.testing.assert_allclose(together[chosen], alone, atol=1e-5)


def test_every_norm_of_the_body_is_conditional(network, config):
    ids, conditions = random_ids(1, 4), np.array([0], "int32")
    before = hidden_of(network, ids, condition_ids=conditions)
    maps = {n: w for n, w in weights_by_name(network).items() if "a_kernel" in n}
    norms = 1 + 2 * config.num_hidden_layers  # the embeddings' or the last one
    assert len(maps) == 2 * norms
    for weight in maps.values():
        kept = numpy(weight)
        weight.assign(np.zeros_like(kept))
        without = hidden_of(network, ids, condition_ids=conditions)
        assert np.abs(without - before).max() > 1e-4
        weight.assign(kept)


def test_mark_0_says_nothing(network):
    ids = random_ids(2, 6)
    unmarked = hidden_of(network, ids)
    marks = np.zeros_like(ids)
    np.testing.assert_array_equal(hidden_of(network, ids, mark_ids=marks), unmarked)


def test_marks_are_a_third_sum_of_the_input(network):
    ids, marks = random_ids(1, 4), np.array([[0, 2, 4, 2]], "int32")
    names = weights_by_name(network)
    table = names["mark_embedding/embeddings"]
    marked = hidden_of(network, ids, mark_ids=marks)
    assert np.abs(marked - hidden_of(network, ids)).max() > 1e-2
    tokens = numpy(names["token_embedding/embeddings"]).copy()
    # the same sum with the marks written into tokens of their own
    for token, place in enumerate(range(4)):
        row = tokens[ids[0, place]] + (numpy(table)[marks[0, place]] if place else 0)
        tokens[20 + token] = row
    names["token_embedding/embeddings"].assign(tokens)
    summed = hidden_of(network, np.array([[20, 21, 22, 23]], "int32"))
    np.testing.assert_allclose(summed, marked, atol=1e-5)


def test_untrained_marks_change_nothing(config):
    keras.utils.set_random_seed(0)
    network, ids = Network(config), random_ids(1, 5)
    marks = np.array([[1, 2, 3, 4, 0]], "int32")
    marked = hidden_of(network, ids, mark_ids=marks)
    np.testing.assert_array_equal(marked, hidden_of(network, ids))


def test_marks_mean_nothing_to_a_network_without_them():
    network, ids = build_network(ROTARY), random_ids(1, 4)
    marks = np.ones_like(ids)
    marked = hidden_of(network, ids, mark_ids=marks)
    np.testing.assert_array_equal(marked, hidden_of(network, ids))


def test_a_condition_that_the_network_does_not_know_is_refused():
    network = build_network(replace(RICH, num_conditions=0))
    with pytest.raises(ValueError, match="condition_ids need num_conditions >= 1"):
        hidden_of(network, random_ids(1, 3), condition_ids=np.array([0], "int32"))


def prefix_rows(sources, targets, seed=3):
    """Sources and targets in one row each, with their segments and marks."""
    width = max(s + t for s, t in zip(sources, targets, strict=True))
    ids = random_ids(len(sources), width, seed)
    place = np.arange(width)[None]
    lengths = np.array(sources)[:, None]
    segments = (place >= lengths).astype("int32")
    marks = np.random.default_rng(seed).integers(1, 5, ids.shape).astype("int32")
    return ids, segments, np.where(segments == 0, marks, 0).astype("int32")


@pytest.mark.parametrize("condition", [None, 1])
def test_writing_after_a_source_equals_one_pass_with_the_prefix_mask(
    network, condition
):
    sources, steps = [4, 6, 5], 5
    ids, segments, marks = prefix_rows(sources, [steps] * 3)
    rows, lengths = np.arange(3), np.array(sources, "int32")
    conditions = None if condition is None else np.full(3, condition, "int32")
    hidden, _, _ = network.body(
        ids,
        masks.prefix_lm(segments),
        segment_ids=segments,
        mark_ids=marks,
        condition_ids=conditions,
    )
    table = numpy(weights_by_name(network)["token_embedding/embeddings"])
    full = numpy(hidden) @ table.T
    step, caches = network.prefill(
        ids[:, :6],
        lengths,
        capacity=12,
        segment_ids=np.zeros((3, 6), "int32"),
        mark_ids=marks[:, :6],
        condition_ids=conditions,
        attention="bidirectional",
    )
    for done in range(steps):
        expected = full[rows, lengths + done - 1]
        np.testing.assert_allclose(numpy(step["logits"]), expected, atol=5e-5)
        places = lengths + done
        step, caches = network.decode_one_token(
            ids[rows, places],
            places,
            caches,
            np.ones(3, "int32"),
            condition_ids=conditions,
        )
