"""Laws of the network: they hold for every config, on every Keras backend."""

import numpy as np
import pytest
from keras import ops

from model_core.models.heads import HEADS
from model_core.models.network import Network, weights_by_name
from tests.model_core.tiny import (
    CONFIGS,
    POST_NORM,
    RICH,
    RICH_POST_NORM,
    ROTARY,
    build_network,
    random_ids,
)


def numpy(values):
    return ops.convert_to_numpy(values)


@pytest.fixture(params=CONFIGS, name="network")
def fixture_network(request):
    return build_network(CONFIGS[request.param])


def logits(network, ids, **arguments):
    return numpy(network(ids, **arguments)["logits"])


def test_padding_never_changes_a_real_tokens_logits(network):
    ids = random_ids(2, 7)
    padded = np.pad(ids, [(0, 0), (0, 4)])
    valid = np.arange(11)[None] < np.array([[7], [7]])
    alone = logits(network, ids)
    beside = logits(network, padded, padding_mask=valid)[:, :7]
    np.testing.assert_allclose(beside, alone, atol=2e-5)


def test_the_future_never_changes_a_causal_logit(network):
    ids = random_ids(1, 9)
    other = ids.copy()
    other[0, 5:] = (other[0, 5:] + 1) % 31
    first = logits(network, ids, attention="causal")[:, :5]
    second = logits(network, other, attention="causal")[:, :5]
    np.testing.assert_allclose(first, second, atol=1e-6)
    changed = logits(network, ids)[:, :5] - logits(network, other)[:, :5]
    assert np.abs(changed).max() > 1e-3  # read freely, the future does matter


def test_cached_decoding_equals_recomputing_everything(network):
    ids, lengths = random_ids(3, 12), np.array([4, 6, 5], "int32")
    full = logits(network, ids, attention="causal")
    step, caches = network.prefill(ids[:, :6], lengths, capacity=12)
    rows = np.arange(3)
    expected = full[rows, lengths - 1]
    np.testing.assert_allclose(numpy(step["logits"]), expected, atol=2e-5)
    for done in range(6):
        positions = lengths + done
        step, caches = network.decode_one_token(ids[rows, positions], positions, caches)
        expected = full[rows, positions]
        np.testing.assert_allclose(numpy(step["logits"]), expected, atol=2e-5)


def test_prefix_lm_of_all_target_is_causal():
    network, ids = build_network(ROTARY), random_ids(2, 6)
    ones = np.ones_like(ids)
    unilm = logits(network, ids, segment_ids=ones, attention="prefix_lm")
    causal = logits(network, ids, segment_ids=ones, attention="causal")
    np.testing.assert_allclose(unilm, causal, atol=1e-6)


def test_a_prefix_is_read_in_both_directions():
    network, ids = build_network(ROTARY), random_ids(1, 6)
    segments = np.array([[0, 0, 0, 1, 1, 1]], "int32")
    other = ids.copy()
    other[0, 2] = (other[0, 2] + 1) % 31
    first, second = (
        logits(network, x, segment_ids=segments, attention="prefix_lm")[0, 0]
        for x in (ids, other)
    )
    assert np.abs(first - second).max() > 1e-3


def test_rotary_scores_depend_on_distance_only():
    network, ids = build_network(ROTARY), random_ids(1, 5)
    mask = np.ones((1, 5, 5), bool)
    near, far = (
        numpy(network.body(ids, mask, position_ids=np.arange(5)[None] + shift)[0])
        for shift in (0, 13)
    )
    np.testing.assert_allclose(near, far, atol=2e-5)


def test_every_head_names_its_outputs():
    network = build_network(RICH, tuple(HEADS))
    outputs = network(random_ids(2, 5))
    shapes = {name: tuple(value.shape) for name, value in outputs.items()}
    assert shapes == {
        "hidden": (2, 5, 16),
        "logits": (2, 5, 31),
        "pooled": (2, 16),
        "start_logits": (2, 5),
        "end_logits": (2, 5),
        "prompted_start": (2, 5),
        "prompted_end": (2, 5),
        "class_logits": (2, 3),
        "next_sentence_logits": (2, 2),
        "replaced_logits": (2, 5),
        "copy_logits": (2, 5, 3),
        "subject_logits": (2, 5, 2),
        "residual": (2, 5, 16),
        "entity_shared": (2, 5, 5),
        "entity_alone": (2, 5, 2, 2),
        "heads_shared": (2, 5, 5),
        "heads_alone": (2, 5, 2, 3),
        "tails_shared": (2, 5, 5),
        "tails_alone": (2, 5, 2, 3),
    }


def test_only_the_heads_asked_for_are_read():
    network, ids = build_network(RICH, tuple(HEADS)), random_ids(2, 5)
    every = network(ids)
    some = network(ids, heads=("span", "copy"))
    assert some.keys() == {"hidden", "start_logits", "end_logits", "copy_logits"}
    for name, values in some.items():
        np.testing.assert_array_equal(numpy(values), numpy(every[name]))
    assert network(ids, heads=()).keys() == {"hidden"}


def test_heads_read_at_places_say_what_they_say_there():
    network, ids = build_network(RICH, ("language_model", "copy")), random_ids(2, 6)
    places = np.array([[4, 0, 4], [5, 2, 1]], "int32")
    everywhere, there = network(ids), network(ids, places=places)
    for name, values in there.items():
        expected = np.take_along_axis(numpy(everywhere[name]), places[..., None], 1)
        np.testing.assert_allclose(numpy(values), expected, atol=1e-5)


def test_every_weight_has_one_name_of_the_tables():
    network = build_network(RICH_POST_NORM, tuple(HEADS))
    names = weights_by_name(network)
    assert len(names) == len(network.trainable_weights)
    expected = {
        "token_embedding/embeddings",
        "position_embedding/embeddings",
        "segment_embedding/embeddings",
        "embedding_norm/gamma",
        "block_1/attention/output/kernel",
        "block_0/feed_forward_norm/beta",
        "masked_lm/bias",
        "pooler/dense/kernel",
        "span/dense/bias",
        "mark_embedding/embeddings",
        "condition_embedding/embeddings",
        "block_1/attention_norm/gamma_kernel",
        "source_prior/scale",
        "clauses/layer_5/convolution/kernel",
        "half_pointer/norm/beta_kernel",
        "gplinker/heads/sides/kernel",
    }
    assert expected <= names.keys()
    assert names["block_0/feed_forward/inner/kernel"].shape == (16, 24)


@pytest.mark.parametrize("dtype", ["bfloat16", "mixed_bfloat16"])
def test_low_precision_stays_near_float32_and_answers_in_float32(dtype):
    ids = random_ids(2, 8)
    exact = logits(build_network(POST_NORM), ids)
    rough = logits(build_network(POST_NORM, dtype=dtype), ids)
    assert rough.dtype == np.float32
    # bfloat16 keeps 8 bits: logits of scale ~1.5 differ in the second digit at most
    assert 0 < np.abs(rough - exact).max() < 0.15 * np.abs(exact).max()


def test_unknown_heads_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"heads must be of .*received \['nsp'\]"):
        Network(POST_NORM, ("nsp",))


def test_prefix_lm_without_segments_is_refused():
    with pytest.raises(ValueError, match="prefix_lm attention needs segment_ids"):
        build_network(ROTARY)(random_ids(1, 3), attention="prefix_lm")


def test_decoding_without_a_vocabulary_head_is_refused():
    network = build_network(POST_NORM, ("pooler",))
    with pytest.raises(ValueError, match="needs a language_model or masked_lm head"):
        network.prefill(random_ids(1, 3), np.array([3], "int32"), capacity=4)
