"""Gathering: what comes at the same time is done at once, in order, and told apart."""

import threading
import time

import numpy as np
import pytest

from model_core.engines.base import TokenBatch, Writing, causal_steps
from model_core.engines.native import passes
from model_core.engines.native.engine import (
    NativeDynamicEngine,
    NativeEngine,
    NativeInt8Engine,
)
from model_core.engines.native.passes import ROWS_TOGETHER, joined
from model_core.engines.together import Together
from tests.model_core.tiny import PRE_NORM, RICH, VOCABULARY, build_network

pytestmark = pytest.mark.kernels


class Recorder:
    """Squares numbers, slowly enough that others queue up; remembers its batches."""

    def __init__(self):
        self.batches = []
        self.gate = threading.Event()

    def run(self, key, items):
        self.batches.append((key, list(items)))
        self.gate.wait(5)
        if any(item < 0 for item in items):
            raise ValueError("a negative number")
        return [item * item for item in items]


def ask_all(together, asked):
    """Ask from a thread each, one after the other; results in the order asked."""
    found = {}

    def ask(index, key, item, weight):
        try:
            found[index] = together.ask(key, item, weight)
        except ValueError as error:
            found[index] = str(error)

    threads = []
    for index, one in enumerate(asked):
        threads.append(threading.Thread(target=ask, args=(index, *one)))
        threads[-1].start()
        time.sleep(0.02)
    return threads, found


def finish(threads):
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_a_lone_request_runs_at_once():
    recorder = Recorder()
    recorder.gate.set()
    assert Together(recorder.run, 4).ask("a", 3) == 9
    assert recorder.batches == [("a", [3])]


def test_those_that_wait_run_together_by_key_and_in_order():
    recorder = Recorder()
    together = Together(recorder.run, 3)
    threads, found = ask_all(
        together,
        [("a", 1, 1), ("a", 2, 1), ("b", 3, 1), ("a", 4, 1), ("a", 5, 1), ("a", 6, 1)],
    )
    recorder.gate.set()
    finish(threads)
    assert recorder.batches == [
        ("a", [1]),  # came alone
        ("a", [2, 4, 5]),  # no more than three, the one of b left out
        ("b", [3]),
        ("a", [6]),
    ]
    assert [found[index] for index in range(6)] == [1, 4, 9, 16, 25, 36]


def test_what_is_too_heavy_runs_alone():
    recorder = Recorder()
    together = Together(recorder.run, 3)
    threads, found = ask_all(together, [("a", 1, 1), ("a", 2, 9), ("a", 3, 1)])
    recorder.gate.set()
    finish(threads)
    assert recorder.batches == [("a", [1]), ("a", [2]), ("a", [3])]
    assert found == {0: 1, 1: 4, 2: 9}


def test_those_who_ran_together_are_waited_for_but_not_for_ever():
    recorder = Recorder()
    recorder.gate.set()
    together = Together(recorder.run, 8, patience_seconds=1.5)
    together._before = ("a", 2)
    threads, _ = ask_all(together, [("a", 1, 1), ("a", 2, 1)])
    finish(threads)
    assert recorder.batches == [("a", [1, 2])]
    began = time.monotonic()
    assert together.ask("b", 3) == 9  # of another kind: no reason to wait
    assert time.monotonic() - began < 1
    together._before = ("a", 2)
    assert together.ask("a", 4) == 16  # the other one stayed away
    assert 1.4 < time.monotonic() - began < 5
    began = time.monotonic()
    assert together.ask("a", 5) == 25
    assert time.monotonic() - began < 1


def test_an_error_reaches_those_of_its_batch_and_nobody_else():
    recorder = Recorder()
    together = Together(recorder.run, 8)
    threads, found = ask_all(
        together, [("a", 1, 1), ("a", -2, 1), ("a", 3, 1), ("b", 4, 1)]
    )
    recorder.gate.set()
    finish(threads)
    assert found == {0: 1, 1: "a negative number", 2: "a negative number", 3: 16}
    assert together.ask("a", 5) == 25


ENGINES = {}


def engine_of(kind):
    if kind not in ENGINES:
        ENGINES[kind] = kind(build_network(RICH, ("language_model", "copy"), seed=2))
    return ENGINES[kind]


def one_request(engine, seed, jitter=False):
    """A request of random size that writes, moves rows and leaves; its numbers."""
    rng = np.random.default_rng(seed)
    writing = (
        Writing(),
        Writing("prefix_lm", ("copy",)),
        Writing(condition=1),
    )[seed % 3]
    stepper = engine.stepper(writing)
    lengths = rng.integers(1, 9, rng.integers(1, 4)).astype("int32")
    ids = rng.integers(0, VOCABULARY, (len(lengths), lengths.max()), "int32")
    ids = np.where(np.arange(ids.shape[1]) < lengths[:, None], ids, 0)
    outputs, cache = stepper.prefill(ids, lengths, 24)
    seen, places = [outputs["logits"]], lengths
    for _ in range(int(rng.integers(1, 9))):
        tokens = rng.integers(0, VOCABULARY, len(places)).astype("int32")
        outputs, cache = stepper.decode_one_token(tokens, places, cache)
        seen.append(outputs["logits"])
        rows = rng.integers(0, len(places), rng.integers(1, 5)).astype("int32")
        cache, places = stepper.reorder(cache, rows), (places + 1)[rows]
        if jitter:
            time.sleep(seed % 5 / 2500)
    return seen


@pytest.mark.parametrize("kind", [NativeEngine, NativeInt8Engine, NativeDynamicEngine])
def test_requests_that_join_and_leave_get_exactly_what_they_get_alone(
    kind, monkeypatch
):
    engine = engine_of(kind)
    shared = []
    monkeypatch.setattr(
        passes, "joined", lambda asked: shared.append(len(asked)) or joined(asked)
    )
    count = 24
    alone = [one_request(engine, seed) for seed in range(count)]
    found = {}

    def ask(seed):
        time.sleep(seed / 400)
        found[seed] = one_request(engine, seed, jitter=True)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for seed in range(count):
        assert len(found[seed]) == len(alone[seed])
        for mine, expected in zip(found[seed], alone[seed], strict=True):
            np.testing.assert_array_equal(mine, expected)
    assert max(shared) > 2  # they did run together


def one_reading(engine, seed):
    """Texts of random lengths read with random masks; all that is read off them."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 12, rng.integers(1, 4))
    rows = [rng.integers(0, VOCABULARY, length) for length in lengths]
    segments = [np.sort(rng.integers(0, 2, length)) for length in lengths]
    batch = TokenBatch.from_rows(rows, segments=segments)
    masks = ("causal", "bidirectional", "prefix_lm")
    return [
        engine.read(batch, masks[(seed + step) % 3], heads)
        for step, heads in enumerate([(), None, ("language_model",)])
    ]


@pytest.mark.parametrize("kind", [NativeEngine, NativeInt8Engine, NativeDynamicEngine])
def test_texts_read_at_the_same_time_are_what_they_are_alone(kind, monkeypatch):
    engine = engine_of(kind)
    shared = []
    monkeypatch.setattr(
        passes, "joined", lambda asked: shared.append(len(asked)) or joined(asked)
    )
    count = 16
    alone = [one_reading(engine, seed) for seed in range(count)]
    assert not shared
    start, found = threading.Barrier(count), {}

    def ask(seed):
        start.wait(30)
        if seed % 2:  # beside readers some write
            one_request(engine, seed)
        found[seed] = one_reading(engine, seed)

    run = engine._packed.kernels.run
    monkeypatch.setattr(
        engine._packed.kernels, "run", lambda *a: (time.sleep(0.002), run(*a))
    )
    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for seed in range(count):
        for mine, expected in zip(found[seed], alone[seed], strict=True):
            assert mine.keys() == expected.keys()
            for name, values in expected.items():
                np.testing.assert_array_equal(mine[name], values, err_msg=name)
    assert max(shared) > 2  # they did run together


def test_a_batch_of_readings_takes_a_slice_of_time_at_most():
    assert passes.tokens_together(6_700_000) == passes.TOKENS_TOGETHER
    assert passes.tokens_together(86_000_000) == 46
    assert passes.tokens_together(10**12) == passes.FEW_ROWS


def cost_of_a_layer(engine, rows):
    body = engine._packed.body
    return rows * body.num_weights / body.num_layers


def test_a_prompt_of_a_large_network_is_read_in_slices(monkeypatch):
    engine = NativeEngine(build_network(PRE_NORM))
    bounds = []
    kernels = engine._packed.kernels
    run = kernels.run
    monkeypatch.setattr(
        kernels, "run", lambda *a: (bounds.append((len(a[2]), a[4])), run(*a))
    )
    monkeypatch.setattr(passes, "SLICE_OPERATIONS", cost_of_a_layer(engine, 20))
    ids = np.ones((1, 20), "int32")
    _, cache = causal_steps(engine).prefill(ids, np.array([20], "int32"), 24)
    causal_steps(engine).decode_one_token(
        np.array([2], "int32"), np.array([20], "int32"), cache
    )
    assert bounds == [(20, (0, 1)), (20, (1, 2)), (1, (0, 2))]


@pytest.mark.parametrize("kind", [NativeEngine, NativeInt8Engine])
def test_a_layer_that_is_too_long_for_all_rows_takes_some_at_a_time(kind, monkeypatch):
    ids = np.random.default_rng(0).integers(1, 20, (2, 20)).astype("int32")
    lengths = np.array([20, 13], "int32")
    network = build_network(PRE_NORM)

    def written(engine):
        outputs, cache = causal_steps(engine).prefill(ids, lengths, 24)
        more, _ = causal_steps(engine).decode_one_token(
            np.array([2, 3], "int32"), lengths, cache
        )
        return outputs, more

    whole = written(kind(network))
    monkeypatch.setattr(passes, "SLICE_OPERATIONS", 1)
    engine, bounds = kind(network), []
    run = engine._packed.kernels.run
    monkeypatch.setattr(
        engine._packed.kernels,
        "run",
        lambda *a: (bounds.append((len(a[2]), a[4])), run(*a)),
    )
    for mine, expected in zip(written(engine), whole, strict=True):
        np.testing.assert_array_equal(mine, expected)
    parts = [8, 8, 8, 8, 1]  # of 33 tokens
    assert bounds == [
        *((rows, (0, 1)) for rows in parts),
        *((rows, (1, 2)) for rows in parts),
        (2, (0, 2)),
    ]


def test_rows_that_see_what_follows_stay_together(monkeypatch):
    engine, seen = NativeEngine(build_network(PRE_NORM)), []
    whole = one_reading(engine, 0)
    run = engine._packed.kernels.run
    monkeypatch.setattr(passes, "SLICE_OPERATIONS", 1)
    monkeypatch.setattr(
        engine._packed.kernels,
        "run",
        lambda *a: (seen.append(a[1].see_only_before), run(*a)),
    )
    for mine, expected in zip(one_reading(engine, 0), whole, strict=True):
        for name, values in expected.items():
            np.testing.assert_array_equal(mine[name], values, err_msg=name)
    assert False in seen


def test_a_long_prompt_lets_others_step_in_between(monkeypatch):
    engine = NativeEngine(build_network(PRE_NORM))
    order = []
    kernels = engine._packed.kernels
    run = kernels.run

    def slow(body, rows, hidden, residual, layers):
        order.append((len(hidden) > ROWS_TOGETHER, layers))
        time.sleep(0.05)
        run(body, rows, hidden, residual, layers)

    monkeypatch.setattr(passes, "SLICE_OPERATIONS", cost_of_a_layer(engine, 100))
    ids = np.ones((5, 20), "int32")
    _, cache = causal_steps(engine).prefill(ids[:1, :3], np.array([3], "int32"), 8)
    monkeypatch.setattr(kernels, "run", slow)
    reading = threading.Thread(
        target=lambda: causal_steps(engine).prefill(ids, np.full(5, 20, "int32"), 24)
    )
    reading.start()
    time.sleep(0.02)
    causal_steps(engine).decode_one_token(
        np.array([2], "int32"), np.array([3], "int32"), cache
    )
    reading.join(5)
    assert order == [(True, (0, 1)), (False, (0, 2)), (True, (1, 2))]
