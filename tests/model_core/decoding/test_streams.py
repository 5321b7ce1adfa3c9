"""Laws of sampling together: nobody can tell that others are there."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding import streams
from model_core.decoding.logits import (
    AllowedFirst,
    MinNewTokens,
    RepetitionPenalty,
    Temperature,
    TopK,
    TopP,
)
from model_core.decoding.loop import SamplingOptions, generate
from model_core.decoding.streams import Streams
from tests.model_core.decoding.test_healing import PLACES
from tests.model_core.decoding.toy_stepper import ToyStepper

RULES = (
    (),
    (Temperature(0.7), TopK(5), TopP(0.9)),
    (MinNewTokens(6, (0, 7)), TopK(4)),
    (AllowedFirst((3, 4)), RepetitionPenalty(1.3), TopK(3)),
)
REQUEST = st.builds(
    lambda prompts, rules, seed, length, alternatives: (
        prompts,
        SamplingOptions(length, frozenset({0, 7}), rules, seed, alternatives),
    ),
    st.lists(
        st.lists(st.integers(1, 11), min_size=1, max_size=5), min_size=1, max_size=3
    ),
    st.sampled_from(RULES),
    st.integers(0, 50),
    st.integers(1, 30),
    st.integers(0, 3),
)


class Slow(ToyStepper):
    """Takes its time, and waits for a sign before the first step."""

    def __post_init__(self):
        super().__post_init__()
        self.may_go = threading.Event()
        self.step_seconds = 0.002

    def decode_one_token(self, token_ids, positions, cache):
        assert self.may_go.wait(5)
        time.sleep(self.step_seconds)
        return super().decode_one_token(token_ids, positions, cache)


def finished(together, request):
    *_, last = together.generate(*request)
    return last


@settings(max_examples=40, deadline=None)
@given(requests=st.lists(REQUEST, min_size=1, max_size=6), data=st.data())
def test_everyone_gets_what_they_get_alone(requests, data):
    waits = [data.draw(st.sampled_from([0.0, 0.001, 0.004])) for _ in requests]
    together = Streams(ToyStepper(12))

    def asked(request, wait):
        time.sleep(wait)
        return finished(together, request)

    with ThreadPoolExecutor(len(requests)) as threads:
        found = list(threads.map(asked, requests, waits))
    for request, frame in zip(requests, found, strict=True):
        *_, expected = generate(ToyStepper(12), *request)
        assert frame == expected


def test_those_who_come_together_share_their_steps():
    stepper = Slow(12)
    together = Streams(stepper)
    asked = SamplingOptions(20, rules=(TopK(3),))
    with ThreadPoolExecutor(5) as threads:
        requests = [([[first]], asked) for first in range(1, 6)]
        frames = [threads.submit(finished, together, one) for one in requests]
        while stepper.count("prefill") < 5:
            time.sleep(0.001)
        stepper.may_go.set()
        assert all(len(f.result().rows[0].tokens) == 20 for f in frames)
    sizes = [size for call, size in stepper.calls if call == "decode"]
    assert max(sizes) == 5
    assert len(sizes) < 2 * 20


def test_two_who_end_in_the_same_half_word_are_each_healed():
    stepper = Slow(len(PLACES.tokens))
    together = Streams(stepper)
    healed = [PLACES.heal("广州", "的", "白云") for _ in range(2)]
    requests = [
        ([list(one.token_ids)], SamplingOptions(6, rules=(*one.rules, TopK(3))))
        for one in healed
    ]
    with ThreadPoolExecutor(2) as threads:
        frames = [threads.submit(finished, together, one) for one in requests]
        while stepper.count("prefill") < 2:
            time.sleep(0.001)
        stepper.may_go.set()
        for request, frame in zip(requests, frames, strict=True):
            *_, expected = generate(ToyStepper(len(PLACES.tokens)), *request)
            assert frame.result() == expected


def test_frames_grow_and_end_with_the_whole():
    request = ([[3, 1]], SamplingOptions(15, rules=(TopK(3),)))
    frames = list(Streams(ToyStepper(12)).generate(*request))
    texts = [frame.rows[0].token_ids for frame in frames]
    for sooner, later in pairwise(texts):
        assert later[: len(sooner)] == sooner
        assert len(later) > len(sooner)
    *_, expected = generate(ToyStepper(12), *request)
    assert frames[-1] == expected


def test_frames_come_no_oftener_than_asked_but_the_first_and_last_at_once():
    stepper = Slow(12)
    stepper.may_go.set()
    now = [0.0]
    together = Streams(stepper, clock=lambda: now[0])
    asked = SamplingOptions(10, rules=(TopK(1),))
    frames = list(together.generate([[1]], asked, frame_seconds=1.0))
    assert len(frames) == 2
    assert not frames[0].is_finished
    assert frames[-1].is_finished


class Gated(ToyStepper):
    """Takes a step only when told to."""

    def __post_init__(self):
        super().__post_init__()
        self.entered, self.gate = threading.Semaphore(0), threading.Semaphore(0)

    def decode_one_token(self, token_ids, positions, cache):
        self.entered.release()
        assert self.gate.acquire(timeout=30)
        return super().decode_one_token(token_ids, positions, cache)

    def step(self):
        """End the step that waits; return when the next one waits."""
        self.gate.release()
        assert self.entered.acquire(timeout=30)


def test_nobody_stalls_however_many_share_the_steps():
    stepper, now, count = Gated(12), [0.0], 16
    together = Streams(stepper, clock=lambda: now[0])
    asked = SamplingOptions(40, rules=(TopK(3),))
    looks = [
        together.generate([[1 + place % 9]], asked, frame_seconds=1 / 30)
        for place in range(count)
    ]
    with ThreadPoolExecutor(count) as threads:

        def looking():
            return [threads.submit(next, look) for look in looks]

        def seen(frames):
            return [len(frame.result(30).rows[0].tokens) for frame in frames]

        try:
            begun = [threads.submit(next, looks[0])]
            assert stepper.entered.acquire(timeout=30)  # it waits in its first step
            begun += [threads.submit(next, look) for look in looks[1:]]
            while len(together._arrived) < count - 1:
                time.sleep(0.001)
            stepper.step()
            assert seen(begun) == [1] * count
            now[0] = 1.0
            stepper.step()
            assert seen(looking()) == [3] + [2] * (count - 1)
            waiting = looking()
            now[0] = 1.079
            stepper.step()
            stepper.step()
            assert not any(frame.done() for frame in waiting)
            now[0] = 1.081  # with a step behind it 0.1 s at most
            stepper.step()
            assert seen(waiting) == [6] + [5] * (count - 1)
        finally:
            stepper.gate.release(100)


@pytest.mark.parametrize(
    ("asked", "num_streams", "expected"),
    [
        (1 / 30, 0, 1 / 30),
        (1 / 30, 1, 1 / 30),
        (1 / 30, 4, 1 / 30),
        (1 / 30, 6, 0.05),
        (1 / 30, 9, 0.075),
        (1 / 30, 12, streams.MOST_SPACING_SECONDS),
        (1 / 30, 64, streams.MOST_SPACING_SECONDS),
        (0.0, 64, 0.0),
        (1.0, 1, 1.0),  # who asks for less gets less
        (1.0, 64, 1.0),
    ],
)
def test_frames_are_rarer_among_many_up_to_a_limit(asked, num_streams, expected):
    found = streams.spacing_seconds(asked, num_streams)
    assert found == pytest.approx(expected)


def test_who_leaves_frees_the_place_and_the_others_go_on():
    stepper = Slow(12)
    stepper.may_go.set()
    together = Streams(stepper)
    long = SamplingOptions(400, rules=(TopK(3),))
    leaving = together.generate([[1], [2]], long)
    staying = together.generate([[3]], replace(long, max_new_tokens=60))
    next(leaving)
    next(staying)
    leaving.close()
    *_, last = staying
    *_, expected = generate(ToyStepper(12), [[3]], replace(long, max_new_tokens=60))
    assert last == expected
    assert stepper.calls[-1] == ("decode", 1)
    steps = stepper.count("decode")
    time.sleep(0.05)
    assert stepper.count("decode") == steps  # nobody computes for nobody


def test_a_row_without_numbers_ends_its_own_request_alone():
    class Poisoned(Slow):
        def logits_after(self, token_ids):
            logits = super().logits_after(token_ids)
            return (
                logits * np.nan if token_ids[0] == 9 and len(token_ids) > 3 else logits
            )

    stepper = Poisoned(12)
    stepper.may_go.set()
    together = Streams(stepper)
    asked = SamplingOptions(40, rules=(TopK(2),))
    with ThreadPoolExecutor(2) as threads:
        ill = threads.submit(finished, together, ([[9]], asked))
        well = threads.submit(finished, together, ([[4]], asked))
        with pytest.raises(FloatingPointError, match="run the model in float32"):
            ill.result()
        *_, expected = generate(ToyStepper(12), [[4]], asked)
        assert well.result() == expected


def test_a_step_that_fails_is_told_to_everyone_and_the_next_request_is_served():
    class Failing(Slow):
        fails = True

        def decode_one_token(self, token_ids, positions, cache):
            if self.fails:
                raise MemoryError("no room")
            return super().decode_one_token(token_ids, positions, cache)

    stepper = Failing(12)
    stepper.may_go.set()
    together = Streams(stepper)
    asked = SamplingOptions(5, rules=(TopK(1),))
    with pytest.raises(MemoryError, match="no room"):
        finished(together, ([[1]], asked))
    stepper.fails = False
    assert finished(together, ([[1]], asked)).is_finished


def test_a_join_that_fails_is_told_to_everyone_who_arrived():
    class Cramped(Slow):
        def join(self, caches):
            raise MemoryError("no room beside each other")

    stepper = Cramped(12)
    together = Streams(stepper)
    told = []

    def ask(first):
        with pytest.raises(MemoryError, match="no room beside") as error:
            finished(together, ([[first]], SamplingOptions(5, rules=(TopK(1),))))
        told.append(error.value)

    def asking(firsts):
        started = [threading.Thread(target=ask, args=(n,), daemon=True) for n in firsts]
        for thread in started:
            thread.start()
        return started

    threads = asking([1])
    while not together._num_streams:  # it waits in its first step
        time.sleep(0.001)
    threads += asking([2, 3, 4])
    while len(together._arrived) < 3:
        time.sleep(0.001)
    stepper.may_go.set()
    for thread in threads:
        thread.join(5)
    assert len(told) == 4


def test_an_idle_thread_ends_and_another_serves_the_next(monkeypatch):
    monkeypatch.setattr(streams, "IDLE_SECONDS", 0.01)
    together = Streams(ToyStepper(12))
    request = ([[2]], SamplingOptions(3, rules=(TopK(1),)))
    first = finished(together, request)
    for _ in range(500):
        if not any(thread.name == "streams" for thread in threading.enumerate()):
            break
        time.sleep(0.01)
    assert not any(thread.name == "streams" for thread in threading.enumerate())
    assert finished(together, request) == first


def test_a_prompt_without_a_token_is_refused_at_once():
    with pytest.raises(ValueError, match="prompt"):
        Streams(ToyStepper(12)).generate([[]], SamplingOptions(3))
