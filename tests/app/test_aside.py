"""Steps beside their runs: what they return, and what closing leaves of them."""

import threading
import time

import pytest

from app.aside import LOOK_SECONDS, Aside


def ended(run):
    """Return what a run yields and what it returns."""
    frames = []
    while True:
        try:
            frames.append(next(run))
        except StopIteration as end:
            return frames, end.value


@pytest.fixture
def gate():
    opened = threading.Event()
    yield opened
    opened.set()


def test_a_short_step_returns_its_value_at_once():
    assert ended(Aside("a").take(lambda: 7, "frame")) == ([], 7)


def test_a_long_step_shows_the_frame_until_it_ends():
    frames, value = ended(Aside("a").take(lambda: time.sleep(0.5) or 7, "frame"))
    assert set(frames) == {"frame"}
    assert 1 <= len(frames) <= 0.5 / LOOK_SECONDS + 1
    assert value == 7


def test_what_a_step_raises_is_raised_in_its_run():
    with pytest.raises(ZeroDivisionError):
        ended(Aside("a").take(lambda: 1 / 0, "frame"))


def test_closing_waits_for_no_step(gate):
    run = Aside("a").take(gate.wait, "frame")
    next(run)
    began = time.monotonic()
    run.close()
    assert time.monotonic() - began < 5  # the gate stays shut till the end


def test_a_step_whose_run_was_closed_before_its_turn_never_begins(gate):
    aside, begun = Aside("a"), []
    first = aside.take(gate.wait, "first")
    second = aside.take(lambda: begun.append(2), "second")
    third = aside.take(lambda: begun.append(3), "third")
    assert [next(first), next(second), next(third)] == ["first", "second", "third"]
    first.close()
    second.close()
    gate.set()
    ended(third)
    assert begun == [3]


def long_steps(gate, closed):
    try:
        yield 1
        gate.wait(0.5)
        yield 2
        return 3
    finally:
        closed.append(True)


def test_a_generator_is_followed_and_its_frames_shown_while_it_works(gate):
    frames, value = ended(Aside("a").follow(long_steps(gate, []), 0))
    assert frames[-1] == 2
    assert frames.count(1) >= 2
    assert list(dict.fromkeys(frame for frame in frames if frame)) == [1, 2]
    assert value == 3


def test_closing_waits_for_no_step_of_a_generator_which_then_ends(gate):
    closed = []
    run = Aside("a").follow(long_steps(gate, closed), 0)
    while next(run) != 1:
        pass
    assert next(run) == 1  # in the long step
    run.close()
    assert not closed
    gate.set()
    end = time.monotonic() + 5
    while not closed:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_as_many_steps_go_on_at_once_as_may(gate):
    aside, begun = Aside("a", most=2), []
    runs = [aside.take(lambda n=n: begun.append(n) or gate.wait(), n) for n in range(3)]
    assert [next(run) for run in runs] == [0, 1, 2]
    assert sorted(begun) == [0, 1]
