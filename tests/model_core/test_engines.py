"""Laws that every engine keeps; an engine is tested by being in the registry."""

import keras
import numpy as np
import pytest
from keras import ops

from model_core import masks
from model_core.engines.base import TokenBatch, Writing, causal_steps
from model_core.engines.registry import ENGINES, OPTIONAL, build_engine
from model_core.models.heads import HEADS
from model_core.models.network import weights_by_name
from tests.model_core.tiny import (
    CONFIGS,
    POST_NORM,
    RICH,
    ROTARY,
    build_network,
    random_ids,
)

TOLERANCE = {
    "keras": 2e-5,
    "native": 2e-5,
    "native-int8": 0.1,
    "native-int8-dynamic": 0.1,
}


@pytest.fixture(
    params=[name for name in ENGINES if name not in OPTIONAL], name="engine_name"
)
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
    steps = causal_steps(engine)
    logits, cache = steps.prefill(ids[:, :5], lengths, 9)
    rows = np.arange(2)
    assert logits.shape == (2, 31)
    for done in range(5):
        place = lengths + done
        expected = full[rows, place - 1]
        np.testing.assert_allclose(logits, expected, atol=TOLERANCE[engine_name])
        if done < 4:
            logits, cache = causal_steps(engine).decode_one_token(
                ids[rows, place], place, cache
            )


def test_reordering_moves_whole_rows(engine_name):
    engine = build_engine(engine_name, build_network(ROTARY))
    ids, lengths = random_ids(2, 4), np.array([4, 4], "int32")
    _, cache = causal_steps(engine).prefill(ids, lengths, 8)
    rows = np.array([1, 1, 0], "int32")
    swapped = causal_steps(engine).reorder(cache, rows)
    new, place = np.array([3, 3, 3], "int32"), np.array([4, 4, 4], "int32")
    logits, _ = causal_steps(engine).decode_one_token(new, place, swapped)
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-6)
    _, again = causal_steps(engine).prefill(ids[rows], place, 8)
    expected, _ = causal_steps(engine).decode_one_token(new, place, again)
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
    engine = build_engine(engine_name, build_network(RICH, tuple(HEADS)))
    assert engine.heads == tuple(HEADS)
    outputs = engine.read(TokenBatch.from_rows([[1, 2, 3, 4, 5], [6, 7]]), "causal")
    shapes = {name: values.shape for name, values in outputs.items()}
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


@pytest.mark.parametrize("kind", masks.MASKS)
def test_reading_is_the_network_with_its_marks_and_segments(engine_name, kind):
    network = build_network(RICH, ("language_model", "gplinker"))
    engine = build_engine(engine_name, network)
    rows, segments, marks = (
        [[1, 2, 3, 4], [5, 6]],
        [[0, 0, 1, 1], [0, 1]],
        [[4, 0, 2, 1], [3, 3]],
    )
    batch = TokenBatch.from_rows(rows, segments, marks=marks)
    found = engine.read(batch, kind)
    expected = network(
        batch.token_ids,
        batch.segment_ids,
        batch.padding_mask,
        mark_ids=batch.mark_ids,
        attention=kind,
    )
    assert found.keys() == expected.keys()
    real = batch.padding_mask
    for name in ("hidden", "logits", "heads_alone"):
        values = ops.convert_to_numpy(expected[name])
        np.testing.assert_allclose(
            found[name][real], values[real], atol=TOLERANCE[engine_name] * 10
        )
    pairs = real[:, :, None] & real[:, None, :]
    values = ops.convert_to_numpy(expected["entity_shared"])
    np.testing.assert_allclose(
        found["entity_shared"][pairs],
        values[pairs],
        rtol=1e-4,
        atol=max(1e-3, TOLERANCE[engine_name]),
    )
    unmarked = engine.read(TokenBatch.from_rows(rows, segments), kind)["hidden"]
    assert np.abs(unmarked - found["hidden"])[real].max() > 1e-2


def test_reading_at_places_is_reading_and_then_looking_there(engine_name):
    engine = build_engine(engine_name, build_network(RICH, ("language_model", "span")))
    batch = TokenBatch.from_rows([[1, 2, 3, 4, 5], [6, 7, 8]])
    everywhere = engine.read(batch, "bidirectional")
    for rows in ([[4, 1, 1], [2, 0, 1]], [[3], [2]]):
        places = np.array(rows, "int32")
        there = engine.read(batch, "bidirectional", ("language_model", "span"), places)
        assert there.keys() == everywhere.keys()
        for name, values in everywhere.items():
            index = places.reshape(places.shape + (1,) * (values.ndim - 2))
            expected = np.take_along_axis(values, index, axis=1)
            np.testing.assert_allclose(
                there[name], expected, atol=TOLERANCE[engine_name]
            )


def test_only_the_heads_asked_for_are_read(engine_name):
    engine = build_engine(engine_name, build_network(RICH, tuple(HEADS)))
    batch = TokenBatch.from_rows([[1, 2, 3]])
    assert engine.read(batch, "bidirectional", ()).keys() == {"hidden"}
    some = engine.read(batch, "bidirectional", ("copy",))
    assert some.keys() == {"hidden", "copy_logits"}


def test_a_head_asked_again_answers_as_the_network_does(engine_name):
    network = build_network(RICH, tuple(HEADS))
    engine = build_engine(engine_name, network)
    rng = np.random.default_rng(0)
    for rows, length in ((2, 5), (3, 9), (1, 4)):
        states = rng.normal(0, 0.3, (rows, length, 16)).astype("float32")
        place = np.arange(rows, dtype="int32")
        occurs = (rng.random((rows, 31)) < 0.3).astype("float32")
        for head, arrays in {
            "clauses": (states / 10,),
            "half_pointer": (states, place, place + 1),
            "source_prior": (occurs,),
        }.items():
            found = engine.apply(head, *arrays)
            expected = network.apply(head, *arrays)
            assert found.keys() == expected.keys()
            for name, values in expected.items():
                np.testing.assert_allclose(
                    found[name], ops.convert_to_numpy(values), rtol=1e-3, atol=1e-4
                )


@pytest.mark.parametrize("condition", [None, 1])
def test_writing_after_a_source_equals_one_pass_with_the_prefix_mask(
    engine_name, condition
):
    network = build_network(RICH, ("language_model", "copy", "span"))
    engine = build_engine(engine_name, network)
    sources, targets = np.array([5, 3], "int32"), 4
    ids, rows = random_ids(2, 9), np.arange(2)
    segments = (np.arange(9)[None] >= sources[:, None]).astype("int32")
    marks = np.where(segments == 0, random_ids(2, 9, seed=1) % 5, 0).astype("int32")
    hidden, _, _ = network.body(
        ids,
        masks.prefix_lm(segments),
        segment_ids=segments,
        mark_ids=marks,
        condition_ids=None if condition is None else np.full(2, condition, "int32"),
    )
    names = {n: ops.convert_to_numpy(w) for n, w in weights_by_name(network).items()}
    hidden = ops.convert_to_numpy(hidden)
    expected = {
        "logits": hidden @ names["token_embedding/embeddings"].T,
        "copy_logits": hidden @ names["copy/dense/kernel"] + names["copy/dense/bias"],
    }
    writing = Writing("prefix_lm", ("copy",), condition)
    stepper = engine.stepper(writing)
    outputs, cache = stepper.prefill(ids[:, :5], sources, 9, marks[:, :5])
    for done in range(targets):
        assert outputs.keys() == expected.keys()
        for name, values in expected.items():
            there = values[rows, sources + done - 1]
            np.testing.assert_allclose(
                outputs[name], there, atol=5 * TOLERANCE[engine_name]
            )
        places = sources + done
        outputs, cache = stepper.decode_one_token(ids[rows, places], places, cache)
    assert engine.stepper(writing) is stepper  # its steps are compiled once


def test_a_steppers_rows_can_be_reordered(engine_name):
    engine = build_engine(engine_name, build_network(RICH))
    stepper = engine.stepper(Writing("prefix_lm"))
    ids, lengths = random_ids(2, 4), np.array([4, 2], "int32")
    _, cache = stepper.prefill(ids, lengths, 6, ids % 5)
    rows, new = np.array([1, 0, 1], "int32"), np.array([3, 4, 3], "int32")
    swapped = stepper.reorder(cache, rows)
    outputs, _ = stepper.decode_one_token(new, lengths[rows], swapped)
    np.testing.assert_allclose(outputs["logits"][0], outputs["logits"][2], atol=1e-6)
    _, again = stepper.prefill(ids[rows], lengths[rows], 6, ids[rows] % 5)
    expected, _ = stepper.decode_one_token(new, lengths[rows], again)
    np.testing.assert_allclose(
        outputs["logits"], expected["logits"], atol=TOLERANCE[engine_name]
    )


def test_a_source_is_read_otherwise_than_a_beginning(engine_name):
    engine = build_engine(engine_name, build_network(ROTARY))
    ids, lengths = random_ids(1, 5), np.array([5], "int32")
    causal, _ = causal_steps(engine).prefill(ids, lengths, 8)
    plain, _ = engine.stepper(Writing()).prefill(ids, lengths, 8)
    np.testing.assert_allclose(plain["logits"], causal, atol=1e-6)
    prefix, _ = engine.stepper(Writing("prefix_lm")).prefill(ids, lengths, 8)
    assert np.abs(prefix["logits"] - causal).max() > 1e-3


def test_an_engine_says_what_it_is(engine_name):
    engine = build_engine(engine_name, build_network(POST_NORM))
    assert engine_name in engine.name
    assert engine.device


def test_an_unknown_engine_is_refused_with_the_known_ones():
    with pytest.raises(
        ValueError, match=r"one of \['auto', 'keras', .*received 'warp'"
    ):
        build_engine("warp", build_network(POST_NORM))


def test_token_batch_pads_and_marks():
    assert TokenBatch.from_rows([[5]]).mark_ids is None
    batch = TokenBatch.from_rows(
        [[5, 6, 7], [8]], [[0, 1, 1], [0]], pad_id=9, marks=[[2, 3, 4], [1]]
    )
    assert batch.mark_ids.tolist() == [[2, 3, 4], [1, 0, 0]]
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
        _, cache = causal_steps(engine).prefill(
            random_ids(rows, length), lengths, capacity
        )
        causal_steps(engine).decode_one_token(lengths * 0, lengths, cache)
    assert len(traced) <= 2  # one prefill, one step
