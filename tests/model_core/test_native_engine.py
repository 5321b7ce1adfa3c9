"""Laws of the C kernels that no other engine has to keep, and what may go wrong."""

import math
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.engines import automatic
from model_core.engines.base import TokenBatch, Writing, causal_steps
from model_core.engines.keras_engine import KerasEngine
from model_core.engines.native import compiler, library, packed, passes
from model_core.engines.native.calls import Kernels
from model_core.engines.native.compiler import (
    PLAIN,
    PROBE,
    NativeUnavailableError,
    compiled_library,
    library_name,
    variants,
)
from model_core.engines.native.engine import (
    NativeDynamicEngine,
    NativeEngine,
    NativeInt8Engine,
    seen_positions,
)
from model_core.engines.native.panels import (
    ROUNDINGS,
    PackedLinear,
    in_panels,
    quantised,
)
from model_core.engines.registry import build_engine
from model_core.models.network import weights_by_name
from tests.model_core.test_family_generation import DECODED
from tests.model_core.tiny import (
    POST_NORM,
    RICH,
    ROTARY,
    VOCABULARY,
    build_network,
    random_ids,
)

pytestmark = pytest.mark.kernels

ROOT = Path(__file__).parents[2]
BERT_BASE = replace(
    POST_NORM,
    hidden_size=768,
    num_hidden_layers=12,
    num_attention_heads=12,
    intermediate_size=3072,
)
KNOWN = {name: config for name, config in DECODED.items() if name != "transfer"}
KNOWN |= {
    "uneven": replace(ROTARY, attention_head_size=10, intermediate_size=37),
    "relu": replace(POST_NORM, hidden_act="relu"),
    "silu": replace(POST_NORM, hidden_act="silu"),
    "unscaled": replace(POST_NORM, scaled_attention=False),
    "bare": replace(ROTARY, norm_kind="bare_rms", attention_bias=False),
}


def written(engine, tokens, lengths, steps, moves):
    """Logits of prompts, then of steps with rows moved between them."""
    writing = causal_steps(engine)
    logits, cache = writing.prefill(tokens, lengths, tokens.shape[1] + steps)
    seen, places = [logits], lengths
    for step in range(steps):
        new = ((step * 7 + np.arange(len(places)) * 3) % VOCABULARY).astype("int32")
        logits, cache = writing.decode_one_token(new, places, cache)
        seen.append(logits)
        places = places + 1
        rows = np.asarray(moves[step], "int32") % len(places)
        cache, places = writing.reorder(cache, rows), places[rows]
    return seen


@pytest.mark.parametrize("name", KNOWN)
def test_every_config_reads_and_writes_as_keras_does(name):
    config = KNOWN[name]
    head = "masked_lm" if config.embedding_size else "language_model"
    network = build_network(config, (head,), seed=3)
    native, keras = NativeEngine(network), KerasEngine(network)
    batch = TokenBatch.from_rows([[1, 2, 3, 4, 5, 9, 8], [6, 7], [3] * 13])
    for kind in ("bidirectional", "causal"):
        for output, expected in keras.read(batch, kind).items():
            found = native.read(batch, kind)[output]
            real = batch.padding_mask
            np.testing.assert_allclose(found[real], expected[real], atol=5e-5)
    tokens, lengths = random_ids(3, 6), np.array([6, 2, 4], "int32")
    moves = [[0, 1, 2], [2, 2, 0], [1, 1], [0, 1, 0, 1]]
    for found, expected in zip(
        written(native, tokens, lengths, 4, moves),
        written(keras, tokens, lengths, 4, moves),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, atol=5e-5)


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=9),
    data=st.data(),
)
def test_a_rows_numbers_do_not_depend_on_its_neighbours(lengths, data):
    for engine in (_float_engine(), _int8_engine()):
        ids = random_ids(len(lengths), max(lengths))
        counts = np.asarray(lengths, "int32")
        ids = np.where(np.arange(ids.shape[1]) < counts[:, None], ids, 0)
        together, _ = causal_steps(engine).prefill(ids.astype("int32"), counts, 32)
        row = data.draw(st.integers(0, len(lengths) - 1))
        alone, _ = causal_steps(engine).prefill(
            ids[row : row + 1, : counts[row]].astype("int32"), counts[row : row + 1], 32
        )
        np.testing.assert_array_equal(together[row], alone[0])


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(
    moves=st.lists(
        st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=3, max_size=6
    )
)
def test_rows_may_be_moved_in_any_way(moves):
    engine = _float_engine()
    tokens, lengths = random_ids(2, 5), np.array([5, 3], "int32")
    keras = KerasEngine(engine.network)
    for found, expected in zip(
        written(engine, tokens, lengths, len(moves), moves),
        written(keras, tokens, lengths, len(moves), moves),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, atol=5e-5)


@settings(max_examples=15, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=2, max_size=5),
    leaving=st.lists(st.integers(0, 9), min_size=2, max_size=4),
    is_int8=st.booleans(),
)
def test_rows_of_several_prompts_join_and_leave_and_get_what_they_get_alone(
    lengths, leaving, is_int8
):
    engine = _int8_engine() if is_int8 else _float_engine()
    stepper = engine.stepper(Writing())
    prompts = [random_ids(1, length) for length in lengths]
    counts = [np.array([length], "int32") for length in lengths]

    def step(cache, places, number):
        tokens = np.full(len(places), number % VOCABULARY, "int32")
        outputs, cache = stepper.decode_one_token(tokens, places, cache)
        return outputs["logits"], cache, places + np.int32(1)

    caches, alone = [], []
    for index, (prompt, count) in enumerate(zip(prompts, counts, strict=True)):
        room = 12 + 5 * index  # each has asked for another length
        _, cache = stepper.prefill(prompt, count, room)
        caches.append(cache)
        _, cache = stepper.prefill(prompt, count, room)
        said, places = [], count
        for number in range(len(leaving) + 1):
            logits, cache, places = step(cache, places, number)
            said.append(logits[0])
        alone.append(said)
    cache, places = stepper.join(caches), np.concatenate(counts)
    there = list(range(len(lengths)))
    for number, leaves in enumerate([*leaving, 0]):
        logits, cache, places = step(cache, places, number)
        for row, who in enumerate(there):
            np.testing.assert_array_equal(logits[row], alone[who][number])
        if len(there) > 1:
            kept = np.delete(np.arange(len(there), dtype="int32"), leaves % len(there))
            cache, places = stepper.reorder(cache, kept), places[kept]
            there = [there[row] for row in kept]
    assert len(cache.prompts) == len(there)  # nobody's prompt is kept for nobody


def test_one_thread_and_several_give_the_same_numbers(monkeypatch):
    batch = TokenBatch.from_rows([[1, 2, 3, 4], list(range(1, 20))])
    read = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv(library.THREADS_VARIABLE, threads)
        engine = NativeEngine(build_network(ROTARY))
        read.append(engine.read(batch, "causal")["logits"])
    for other in read[1:]:
        np.testing.assert_array_equal(read[0], other)


@pytest.mark.parametrize(
    ("kind", "precision", "tolerance"),  # rows are rounded as well
    [(NativeInt8Engine, "int8", 2e-4), (NativeDynamicEngine, "dynamic", 5e-2)],
)
def test_int8_is_the_float_engine_with_rounded_weights(
    kind, precision, tolerance, monkeypatch
):
    monkeypatch.setitem(packed.KEPT_AS, precision, "float32")
    network, rounded = build_network(RICH), build_network(RICH)
    for name, weight in weights_by_name(rounded).items():
        if name.startswith("block_") and name.endswith("kernel") and "norm" not in name:
            numbers, scales = quantised(weight.numpy(), ROUNDINGS[precision].largest)
            weight.assign(numbers.astype("float32") * scales)
    batch = TokenBatch.from_rows([[1, 2, 3, 4, 5], [6, 7]])
    found = kind(network).read(batch, "causal", ())["hidden"]
    expected = NativeEngine(rounded).read(batch, "causal", ())["hidden"]
    np.testing.assert_allclose(found, expected, atol=tolerance)


@pytest.mark.parametrize("config", [RICH, POST_NORM], ids=["rich", "post_norm"])
def test_keys_and_values_kept_by_half_err_by_their_rounding(config, monkeypatch):
    network = build_network(config)
    ids, lengths = random_ids(3, 20), np.array([20, 13, 7], "int32")
    said = []
    for kind in ("float32", "bfloat16"):
        monkeypatch.setitem(packed.KEPT_AS, "float32", kind)
        steps = causal_steps(NativeEngine(network))
        logits, cache = steps.prefill(ids, lengths, 24)
        assert cache.own[0].keys.itemsize == {"float32": 4, "bfloat16": 2}[kind]
        said.append([logits, steps.decode_one_token(ids[:, 0], lengths, cache)[0]])
    whole, half = np.array(said)
    assert (whole != half).any()
    # numbers of eight bits err by 1 in 256; scores of a few units shift weights so much
    np.testing.assert_allclose(half, whole, atol=0.02 * np.abs(whole).max())


@settings(max_examples=30, deadline=None)
@given(width=st.integers(1, 40), outputs=st.integers(1, 50), seed=st.integers(0, 99))
def test_rounding_errs_by_half_a_step_at_most(width, outputs, seed):
    kernel = np.random.default_rng(seed).normal(0, 1, (width, outputs))
    kernel = kernel.astype("float32")
    numbers, scales = quantised(kernel)
    assert np.abs(numbers.astype(int)).max() <= 127
    assert (np.abs(numbers * scales - kernel) <= scales * 0.5001).all()
    panels = in_panels(kernel)
    back = panels.transpose(1, 0, 2).reshape(width, -1)
    np.testing.assert_array_equal(back[:, :outputs], kernel)
    assert not back[:, outputs:].any()


@settings(max_examples=30, deadline=None)
@given(
    rows=st.integers(1, 30),
    width=st.integers(1, 70),
    outputs=st.integers(1, 70),
    seed=st.integers(0, 99),
)
def test_rows_rounded_to_shorts_lose_next_to_nothing(rows, width, outputs, seed):
    draw = np.random.default_rng(seed)
    inputs = draw.normal(0, 10 ** draw.uniform(-3, 3), (rows, width)).astype("float32")
    kernel = draw.normal(0, 1, (width, outputs)).astype("float32")
    numbers, scales = quantised(kernel)
    exact = inputs.astype(float) @ (numbers.astype(float) * scales)
    found = Kernels().linear(PackedLinear.of(kernel, None, "int8"), inputs)
    largest = np.abs(inputs).max(axis=1, keepdims=True)
    step = largest / min(32767, 2**31 / 127 / width)
    bound = 0.51 * step * np.abs(numbers * scales).sum(axis=0) + 1e-5 * largest
    assert (np.abs(found - exact) <= bound).all()


@settings(max_examples=30, deadline=None)
@given(
    rows=st.integers(1, 30),
    width=st.integers(1, 70),
    outputs=st.integers(1, 70),
    seed=st.integers(0, 99),
)
def test_rows_rounded_to_bytes_err_by_half_a_step(rows, width, outputs, seed):
    draw = np.random.default_rng(seed)
    inputs = draw.normal(0, 10 ** draw.uniform(-3, 3), (rows, width)).astype("float32")
    kernel = draw.normal(0, 1, (width, outputs)).astype("float32")
    numbers, scales = quantised(kernel, ROUNDINGS["dynamic"].largest)
    exact = inputs.astype(float) @ (numbers.astype(float) * scales)
    found = Kernels().linear(PackedLinear.of(kernel, None, "dynamic"), inputs)
    largest = np.abs(inputs).max(axis=1, keepdims=True)
    bound = 0.51 * largest / 127 * np.abs(numbers * scales).sum(axis=0)
    assert (np.abs(found - exact) <= bound + 1e-5 * largest).all()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("precision", ROUNDINGS)
def test_sums_of_the_largest_numbers_do_not_overflow(precision, sign):
    for width in (1, 300, 3072, 20_000):
        kernel = np.full((width, 17), sign, "float32")
        inputs = np.stack([np.ones(width), -np.ones(width)]).astype("float32")
        found = Kernels().linear(PackedLinear.of(kernel, None, precision), inputs)
        expected = sign * width * np.repeat([[1.0], [-1.0]], 17, axis=1)
        np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize("precision", ROUNDINGS)
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_not_rounded_to_one(odd, precision):
    inputs = np.ones((3, 21), "float32")
    inputs[1, 20] = odd
    kernel = np.ones((21, 5), "float32")
    found = Kernels().linear(PackedLinear.of(kernel, None, precision), inputs)
    assert np.isfinite(found).all(axis=1).tolist() == [True, False, True]


def exact_activations():
    """Return each activation over float64, as the field defines it."""
    erf = np.vectorize(math.erf)
    inside = lambda x: np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)  # noqa: E731
    return {
        "gelu": lambda x: 0.5 * x * (1 + erf(x / np.sqrt(2))),
        "gelu_new": lambda x: 0.5 * x * (1 + np.tanh(inside(x))),
        "relu": lambda x: np.maximum(x, 0),
        "silu": lambda x: x / (1 + np.exp(-x)),
        "tanh": np.tanh,
    }


@pytest.mark.parametrize("name", exact_activations())
def test_activations_are_what_the_field_defines(name):
    numbers = np.concatenate([np.linspace(-9, 9, 20_001), [0.0, 80.0, -80.0]])
    inputs = numbers[:, None].astype("float32")
    packed = PackedLinear.of(np.ones((1, 5), "float32"))
    found = Kernels().linear(packed, inputs, name)
    exact = exact_activations()[name](inputs.astype(float))
    size = np.maximum(1, np.abs(inputs))
    np.testing.assert_allclose(found / size, (exact + 0 * found) / size, atol=3e-7)


@pytest.mark.parametrize("name", exact_activations())
def test_an_activation_hides_nothing_that_is_no_number(name):
    packed = PackedLinear.of(np.ones((1, 21), "float32"))
    odd = np.array([np.nan, -np.nan, 1], "float32")[:, None]
    odd.view("uint32")[0] += 1  # no number of another spelling
    found = Kernels().linear(packed, odd, name)
    assert np.isnan(found).all(axis=1).tolist() == [True, True, False]
    assert np.isnan(found).any(axis=1).tolist() == [True, True, False]


def test_a_column_of_zeros_stays_zero():
    numbers, scales = quantised(np.zeros((4, 3), "float32"))
    assert not numbers.any()
    assert np.isfinite(scales).all()
    for precision in ROUNDINGS:
        packed = PackedLinear.of(np.zeros((4, 3), "float32"), None, precision)
        assert packed.size_bytes == 64
        found = Kernels().linear(packed, np.ones((2, 4), "float32"))
        np.testing.assert_array_equal(found, 0)


@pytest.mark.parametrize("most", [1, 4, 7, 100])
def test_a_batch_read_in_parts_is_the_batch_read_at_once(monkeypatch, most):
    texts = [[1, 2, 3], [4, 5, 6, 7, 8], [9], [1, 2], [3, 4, 5, 6]]
    batch = TokenBatch.from_rows(texts, marks=[[1] * len(text) for text in texts])
    reader = NativeEngine(build_network(RICH))
    whole = reader.read(batch, "bidirectional")
    monkeypatch.setattr(passes, "ROWS_OF_PASS", most)
    parts = list(passes.few_rows([len(text) for text in texts]))
    assert [text for part in parts for text in texts[part]] == texts
    assert all(sum(map(len, texts[p])) <= most or len(texts[p]) == 1 for p in parts)
    for name, values in reader.read(batch, "bidirectional").items():
        np.testing.assert_array_equal(values, whole[name])


@pytest.mark.parametrize("most", [1, 7, 100])
@pytest.mark.parametrize("num_decoder_layers", [0, 2], ids=["prompts", "sources"])
def test_a_few_are_read_at_a_time_as_all_at_once(monkeypatch, most, num_decoder_layers):
    config = replace(POST_NORM, num_decoder_layers=num_decoder_layers)
    writing = Writing(start_ids=(1, 2) if num_decoder_layers else ())
    stepper = NativeEngine(build_network(config)).stepper(writing)
    lengths = np.array([3, 5, 1, 2, 8], "int32")
    ids = np.where(np.arange(8) < lengths[:, None], random_ids(5, 8), 0)
    run, counts = Kernels.run, []

    def counted(kernels, body, rows, *others):
        counts.append(len(rows.slot))
        run(kernels, body, rows, *others)

    def said():
        first, cache = stepper.prefill(ids, lengths, 12, segment_ids=ids % 2)
        then, _ = stepper.decode_one_token(ids[:, 0], lengths, cache)
        return np.stack([first["logits"], then["logits"]])

    whole = said()
    monkeypatch.setattr(Kernels, "run", counted)
    monkeypatch.setattr(passes, "ROWS_OF_PASS", most)
    np.testing.assert_array_equal(said(), whole)
    assert max(counts) == {1: 8, 7: 8, 100: lengths.sum()}[most]  # a text of 8 alone


def test_a_mask_is_a_number_of_seen_positions():
    batch = TokenBatch.from_rows([[1, 2, 3, 4], [5, 6]], [[0, 0, 1, 1], [0, 1]])
    lengths = batch.padding_mask.sum(axis=1)
    real = batch.padding_mask
    assert seen_positions(batch, "causal", lengths)[real].tolist() == [1, 2, 3, 4, 1, 2]
    both = seen_positions(batch, "bidirectional", lengths)[real].tolist()
    assert both == [4, 4, 4, 4, 2, 2]
    prefix = seen_positions(batch, "prefix_lm", lengths)[real].tolist()
    assert prefix == [2, 2, 3, 4, 1, 2]


def test_padding_before_a_text_is_read_by_keras():
    network = build_network(POST_NORM)
    engine, keras = NativeEngine(network), KerasEngine(network)
    batch = TokenBatch.from_rows([[1, 2, 3], [4, 5, 6]])
    odd = replace(batch, padding_mask=np.array([[False, True, True], [True] * 3]))
    found, expected = (e.read(odd, "bidirectional")["hidden"] for e in (engine, keras))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_finished_row_may_repeat_the_end_of_its_prompt():
    engine = _float_engine()
    ids, lengths = random_ids(2, 4), np.array([4, 4], "int32")
    _, cache = causal_steps(engine).prefill(ids, lengths, 8)
    _, cache = causal_steps(engine).decode_one_token(
        np.array([ids[0, 3], 5], "int32"), np.array([3, 4], "int32"), cache
    )
    logits, _ = causal_steps(engine).decode_one_token(
        np.array([ids[0, 3], 6], "int32"), np.array([3, 5], "int32"), cache
    )
    _, again = causal_steps(engine).prefill(ids[1:], lengths[1:], 8)
    _, again = causal_steps(engine).decode_one_token(
        np.array([5], "int32"), np.array([4], "int32"), again
    )
    expected, _ = causal_steps(engine).decode_one_token(
        np.array([6], "int32"), np.array([5], "int32"), again
    )
    np.testing.assert_array_equal(logits[1], expected[0])


@pytest.mark.parametrize("name", ["rotary", "neighbours", "buckets"])
def test_nobody_stands_where_the_kernels_tables_end(name):
    config = replace(DECODED[name], max_position_embeddings=8)
    engine = NativeEngine(build_network(config))
    steps, ids = causal_steps(engine), random_ids(1, 9)
    for length in (7, 8):
        engine.read(TokenBatch.from_rows(ids[:, :length]), "bidirectional")
    with pytest.raises(ValueError, match=r"position .* below 8, received 8"):
        engine.read(TokenBatch.from_rows(ids), "bidirectional")
    _, cache = steps.prefill(ids[:, :7], np.array([7], "int32"), 12)
    _, cache = steps.decode_one_token(ids[:, 7], np.array([7], "int32"), cache)
    with pytest.raises(ValueError, match=r"position .* below 8, received 8"):
        steps.decode_one_token(ids[:, 8], np.array([8], "int32"), cache)


@pytest.mark.parametrize(
    ("told", "threads"),
    [
        (("200000 100000\n",), 2),
        (("150000 100000\n",), 2),
        (("50000 100000\n",), 1),
        (("max 100000\n",), 9),
        (("1600000 100000\n",), 9),  # more than there are
        (("300000\n", "100000\n"), 3),  # of version 1
        (("-1\n", "100000\n"), 9),
        (("",), 9),
        ((None,), 9),
    ],
)
def test_a_containers_quota_of_processors_counts(monkeypatch, tmp_path, told, threads):
    monkeypatch.delenv(library.THREADS_VARIABLE, raising=False)
    nine = {"sched_getaffinity": lambda _: range(9), "cpu_count": lambda: 9}
    for name, answer in nine.items():
        monkeypatch.setattr(library.os, name, answer, raising=False)
    files = tuple(tmp_path / f"of {place}" for place in range(len(told)))
    for path, text in zip(files, told, strict=True):
        if text is not None:
            path.write_text(text)
    assert library.num_threads([files]) == threads
    monkeypatch.setenv(library.THREADS_VARIABLE, "7")
    assert library.num_threads([files]) == 7


# what may be missing or broken


def test_positions_that_the_kernels_do_not_know_are_refused_by_name():
    with pytest.raises(NativeUnavailableError, match="position_kind transfer"):
        NativeEngine(build_network(DECODED["transfer"]))


def test_without_a_compiler_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(NativeUnavailableError, match=r"no C compiler .*gcc"):
        compiled_library(PLAIN, tmp_path)


def test_what_was_built_before_needs_no_compiler(monkeypatch, tmp_path):
    built = compiled_library(PROBE)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert compiled_library(PROBE, built.parent) == built
    monkeypatch.setattr(compiler, "BESIDE", built.parent)
    assert compiled_library(PROBE, tmp_path / "empty") == built


def test_a_first_start_builds_for_this_processor_alone(monkeypatch, tmp_path):
    monkeypatch.delenv(library.INSTRUCTIONS_VARIABLE, raising=False)
    monkeypatch.setattr(library, "_prove", lambda _: None)
    widest = library.load_kernels(tmp_path).mp_name().decode()
    built = {path.name for path in tmp_path.glob("*.so")}
    assert built == {library_name(PROBE), library_name(widest)}
    assert library.instruction_sets(tmp_path)[0] == widest


def test_a_compiler_too_old_for_the_widest_set_builds_the_next(monkeypatch, tmp_path):
    monkeypatch.setattr(library, "instruction_sets", lambda _: ["vnni", PLAIN])
    monkeypatch.setattr(library, "_prove", lambda _: None)
    old = tmp_path / "old-cc"
    old.write_text(
        '#!/bin/sh\ncase "$*" in *vnni*) echo "unknown option" >&2; exit 1;; esac\n'
        'exec cc "$@"\n'
    )
    old.chmod(old.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("CC", str(old))
    assert library.load_kernels(tmp_path / "cache").mp_name() == b"plain"


def test_a_compiler_that_fails_is_quoted(monkeypatch, tmp_path):
    broken = tmp_path / "broken-cc"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "no such target" >&2\nexit 1\n'
    )
    broken.chmod(broken.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("CC", str(broken))
    with pytest.raises(NativeUnavailableError, match="failed: no such target"):
        library.load_kernels(tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.so"))


def test_where_nothing_can_be_written_one_temporary_folder_serves(
    monkeypatch, tmp_path, caplog
):
    compiler.remove_temporary()
    monkeypatch.setattr(compiler.tempfile, "tempdir", str(tmp_path))
    blocked = tmp_path / "a file"
    blocked.write_text("")
    found = compiled_library(PROBE, blocked)
    assert compiled_library(PROBE, blocked) == found
    monkeypatch.setattr(compiler, "_digest", lambda: "of other sources")
    other = compiled_library(PROBE, blocked)
    assert other != found
    assert other.parent == found.parent
    assert found.is_file()
    assert blocked.read_text() == ""
    (said,) = caplog.messages
    assert f"cannot be kept in {blocked}" in said
    assert "set MASKPLAY_CACHE to a folder that can be written" in said
    compiler.remove_temporary()
    assert list(tmp_path.iterdir()) == [blocked]


def test_where_no_folder_at_all_can_be_written_it_says_what_to_set(
    monkeypatch, tmp_path
):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setattr(compiler.tempfile, "tempdir", str(blocked))
    with pytest.raises(NativeUnavailableError, match="set MASKPLAY_CACHE to one"):
        compiled_library(PROBE, blocked)


def test_a_compiler_that_writes_nothing_is_no_unwritable_cache(
    monkeypatch, tmp_path, caplog
):
    idle = tmp_path / "idle-cc"
    idle.write_text("#!/bin/sh\nexit 0\n")
    idle.chmod(idle.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("CC", str(idle))
    with pytest.raises(NativeUnavailableError, match=r"idle-cc wrote nothing"):
        compiled_library(PROBE, tmp_path / "cache")
    assert not caplog.messages


def test_what_the_container_builds_the_kernels_from_is_enough(tmp_path):
    stage = (ROOT / "deploy" / "Dockerfile").read_text("utf8").split("\nFROM ")[1]
    for source, target in re.findall(r"^COPY (\S+) (\S+)$", stage, re.MULTILINE):
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copyfile
        copy(ROOT / source, tmp_path / target)
    (command,) = re.findall(r"^RUN python -m (\S+)$", stage, re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", f"import {command}"],
        env={name: v for name, v in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert not done.returncode, done.stderr


@pytest.mark.parametrize("content", [b"", b"not a library", b"\x7fELF"])
def test_a_broken_library_is_refused(tmp_path, content):
    path = tmp_path / "kernels.so"
    path.write_bytes(content)
    with pytest.raises(NativeUnavailableError):
        library.open_kernels(path)


def test_kernels_that_crash_or_err_are_refused(monkeypatch, tmp_path):
    for body, said in (
        ("import os; os.abort()", "-6"),
        ("raise ArithmeticError('a product is off by 3.0')", "off by 3.0"),
    ):
        fake = tmp_path / "python"
        fake.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{body}"\n')
        fake.chmod(fake.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setattr(sys, "executable", str(fake))
        with pytest.raises(NativeUnavailableError, match=said):
            library._prove(tmp_path / "kernels.so")
        monkeypatch.undo()


def test_the_proof_notices_wrong_numbers():
    from model_core.engines.native import proof

    wrong = library.load_kernels()

    class Doubling:
        mp_norm_rows = wrong.mp_norm_rows
        mp_linear_room = wrong.mp_linear_room

        def mp_linear_rows(self, weights, inputs, made, rows, *rest):
            wrong.mp_linear_rows(weights, inputs, made, rows - 1, *rest)

    proof.check(wrong)
    with pytest.raises(ArithmeticError, match="product is off by"):
        proof.check(Doubling())


@pytest.mark.parametrize("name", variants())
def test_every_instruction_set_that_runs_here_computes_the_same(name):
    code = (
        "from model_core.engines.native import library, proof\n"
        "kernels = library.load_kernels()\n"
        "proof.check(kernels)\n"
        "print(kernels.mp_name().decode())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {library.INSTRUCTIONS_VARIABLE: name},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and "run on this" in done.stderr:
        pytest.skip(f"this processor has no {name}")
    assert done.stdout.strip() == name, done.stderr


def test_an_instruction_set_nobody_knows_is_refused_with_the_known(monkeypatch):
    monkeypatch.setenv(library.INSTRUCTIONS_VARIABLE, "mmx")
    with pytest.raises(NativeUnavailableError, match=r"one of \['plain'.*'mmx'"):
        library.instruction_sets()


# which engine answers where nobody asked for one


def test_automatic_takes_the_kernels_where_they_are_ready():
    library.load_kernels()
    assert build_engine("auto", build_network(ROTARY)).name == "native-int8"


@pytest.mark.parametrize(
    ("config", "heads", "expected"),
    [
        (BERT_BASE, ("span",), "dynamic"),
        (BERT_BASE, ("masked_lm",), "dynamic"),
        (BERT_BASE, (), "dynamic"),
        (BERT_BASE, ("language_model", "span"), "int8"),
        (replace(BERT_BASE, num_decoder_layers=6), (), "int8"),
        (replace(BERT_BASE, num_layer_groups=1), ("masked_lm",), "dynamic"),
        (replace(BERT_BASE, num_hidden_layers=2), ("span",), "int8"),
    ],
)
def test_large_encoders_are_read_with_rounded_rows_unless_asked_otherwise(
    config, heads, expected
):
    network = SimpleNamespace(config=config, heads=dict.fromkeys(heads))
    assert automatic.native_precision(network) == expected


@pytest.mark.parametrize("config", [POST_NORM, RICH])
def test_products_of_a_token_are_the_weights_of_the_matrices(config):
    weights = weights_by_name(build_network(config))
    matrices = re.compile(r"block_\d+/.*/kernel")
    sizes = [math.prod(w.shape) for name, w in weights.items() if matrices.match(name)]
    assert automatic.products_of_token(config) == sum(sizes)


def test_a_large_encoder_runs_on_the_engine_that_was_chosen(monkeypatch):
    library.load_kernels()
    monkeypatch.setattr(automatic, "MANY_PRODUCTS", 1)
    network = build_network(POST_NORM, heads=("span",))
    assert build_engine("auto", network).name == "native-int8-dynamic"


def test_automatic_takes_keras_on_an_accelerator(monkeypatch):
    class Backend:
        accelerator = staticmethod(lambda: "gpu:0")

    monkeypatch.setattr(automatic, "active_backend", Backend)
    assert "keras" in build_engine("auto", build_network(ROTARY)).name


def test_automatic_takes_keras_where_the_kernels_fail_and_says_so_once(
    monkeypatch, caplog
):
    def fail(network):
        raise NativeUnavailableError("no C compiler on this unusual machine")

    library.load_kernels()
    monkeypatch.setattr(automatic, "_native", fail)
    engines = [build_engine("auto", build_network(ROTARY)) for _ in range(2)]
    assert all("keras" in engine.name for engine in engines)
    assert caplog.text.count("no C compiler on this unusual machine") == 1


def test_keras_answers_until_the_kernels_are_built(monkeypatch):
    network = build_network(ROTARY)
    made = NativeInt8Engine(network)
    gate = __import__("threading").Event()
    monkeypatch.setattr(library, "is_ready", lambda: False)
    monkeypatch.setattr(automatic, "_native", lambda _: gate.wait(10) and made)
    engine = build_engine("auto", network)
    ids, lengths = random_ids(2, 4), np.array([4, 3], "int32")
    assert "keras" in engine.name
    steps = causal_steps(engine)
    _, cache = steps.prefill(ids, lengths, 8)
    gate.set()
    engine.wait()
    assert engine.name == "native-int8"
    # what Keras began it goes on with
    logits, cache = steps.decode_one_token(ids[:, 0].copy(), lengths, cache)
    keras = KerasEngine(network)
    _, expected = causal_steps(keras).prefill(ids, lengths, 8)
    expected, _ = causal_steps(keras).decode_one_token(
        ids[:, 0].copy(), lengths, expected
    )
    np.testing.assert_allclose(logits, expected, atol=1e-6)
    steps.reorder(cache, np.array([1, 0], "int32"))
    batch = TokenBatch.from_rows([[1, 2, 3]])
    found = engine.read(batch, "causal")["logits"]
    np.testing.assert_array_equal(found, made.read(batch, "causal")["logits"])
    assert engine.stepper(Writing()) is made.stepper(Writing())


_engines = {}


def _float_engine():
    if "float" not in _engines:
        _engines["float"] = NativeEngine(build_network(ROTARY))
    return _engines["float"]


def _int8_engine():
    if "int8" not in _engines:
        _engines["int8"] = NativeInt8Engine(build_network(ROTARY))
    return _engines["int8"]
