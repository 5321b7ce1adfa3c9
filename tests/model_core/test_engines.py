"""Laws that every engine keeps; an engine is tested by being in the registry."""

import keras
import numpy as np
import pytest
from keras import ops

from model_core.engines.base import TokenBatch
from model_core.engines.registry import ENGINES, build_engine
from tests.model_core.tiny import CONFIGS, POST_NORM, ROTARY, build_network, random_ids

TOLERANCE = {"keras": 2e-5}


@pytest.fixture(params=ENGINES, name="engine_name")
def fixture_engine_name(request):
    return request.param


@pytest.mark.parametrize("config", CONFIGS)
def test_decoding_equals_reading(engine_name, config):
    network = build_network(CONFIGS[config])
    engine = build_engine(engine_name, network)
    ids, lengths = random_ids(2, 9), np.array([5, 3], "int32")
    full = engine.read(
        TokenBatch(ids, np.ones_like(ids), np.ones_like(ids, bool)), "causal"
    )["logits"]
    if not network.config.type_vocab_size:
        plain = ops.convert_to_numpy(network(ids, attention="causal")["logits"])
        np.testing.assert_allclose(full, plain, atol=TOLERANCE[engine_name])
    logits, cache = engine.prefill(ids[:, :5], lengths, 9)
    rows = np.arange(2)
    for done in range(5):
        place = lengths + done
        expected = full[rows, place - 1]
        np.testing.assert_allclose(logits, expected, atol=TOLERANCE[engine_name])
        if done < 4:
            logits, cache = engine.decode_one_token(ids[rows, place], place, cache)


def test_reordering_moves_whole_rows(engine_name):
    engine = build_engine(engine_name, build_network(ROTARY))
    ids, lengths = random_ids(2, 4), np.array([4, 4], "int32")
    _, cache = engine.prefill(ids, lengths, 8)
    rows = np.array([1, 1, 0], "int32")
    swapped = engine.reorder(cache, rows)
    new, place = np.array([3, 3, 3], "int32"), np.array([4, 4, 4], "int32")
    logits, _ = engine.decode_one_token(new, place, swapped)
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-6)
    _, again = engine.prefill(ids[rows], place, 8)
    expected, _ = engine.decode_one_token(new, place, again)
    np.testing.assert_allclose(logits, expected, atol=TOLERANCE[engine_name])


def test_rows_of_different_lengths_do_not_disturb_each_other(engine_name):
    engine = build_engine(engine_name, build_network(POST_NORM, ("masked_lm",)))
    rows = [[1, 2, 3, 4, 5], [6, 7]]
    together = engine.read(TokenBatch.from_rows(rows), "bidirectional")["logits"]
    for index, row in enumerate(rows):
        alone = engine.read(TokenBatch.from_rows([row]), "bidirectional")["logits"]
        np.testing.assert_allclose(
            together[index, : len(row)], alone[0], atol=TOLERANCE[engine_name]
        )


def test_every_output_has_the_texts_own_length(engine_name):
    heads = ("masked_lm", "pooler", "span")
    engine = build_engine(engine_name, build_network(POST_NORM, heads))
    outputs = engine.read(TokenBatch.from_rows([[1, 2, 3, 4, 5], [6, 7]]), "causal")
    shapes = {name: values.shape for name, values in outputs.items()}
    assert shapes == {
        "hidden": (2, 5, 16),
        "logits": (2, 5, 31),
        "pooled": (2, 16),
        "start_logits": (2, 5),
        "end_logits": (2, 5),
    }


def test_an_engine_says_what_it_is(engine_name):
    engine = build_engine(engine_name, build_network(POST_NORM))
    assert engine_name in engine.name
    assert engine.device


def test_an_unknown_engine_is_refused_with_the_known_ones():
    with pytest.raises(
        ValueError, match=r"one of \['auto', 'keras'\], received 'warp'"
    ):
        build_engine("warp", build_network(POST_NORM))


def test_token_batch_pads_and_marks():
    batch = TokenBatch.from_rows([[5, 6, 7], [8]], [[0, 1, 1], [0]], pad_id=9)
    assert batch.token_ids.tolist() == [[5, 6, 7], [8, 9, 9]]
    assert batch.segment_ids.tolist() == [[0, 1, 1], [0, 0, 0]]
    assert batch.padding_mask.tolist() == [[True, True, True], [True, False, False]]


def test_nothing_is_compiled_again_for_other_sizes(engine_name, monkeypatch):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow traces once for all sizes")
    network = build_network(ROTARY)
    engine = build_engine(engine_name, network)
    traced = []
    call = network.body.call
    monkeypatch.setattr(
        network.body, "call", lambda *a, **k: traced.append(1) or call(*a, **k)
    )
    for rows, length, capacity in ((1, 3, 8), (2, 5, 70), (3, 4, 200)):
        lengths = np.full(rows, length, "int32")
        _, cache = engine.prefill(random_ids(rows, length), lengths, capacity)
        engine.decode_one_token(lengths * 0, lengths, cache)
    assert len(traced) <= 2  # one prefill, one step
