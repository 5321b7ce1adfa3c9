import itertools
import time

import pytest

from app.metrics import DeadlineError, Metrics
from app.runs import RunLimits, Runs, throttled, timely
from demos.errors import DemoError, InvalidRequestError
from model_core.interfaces import ModelError


class FrameBefore(int):
    """A frame before a long step."""

    at_once = True


def frames(count, closed):
    try:
        yield from range(1, count + 1)
    finally:
        closed.append(True)


def watch(runs, generator):
    return runs.watch("generate", generator, lambda frame: frame)


def sample(metrics, line):
    text = metrics.text((), 0).decode()
    found = [row for row in text.splitlines() if row.startswith(line + " ")]
    return float(found[0].split()[-1]) if found else None


def outcome(name):
    return f'maskplay_requests_total{{endpoint="generate",outcome="{name}"}}'


def test_the_first_and_the_last_frame_are_always_shown():
    clock = iter(itertools.repeat(0.0))
    assert list(throttled(iter(range(10)), 1.0, lambda: next(clock))) == [0, 9]


def test_frames_are_shown_once_an_interval():
    times = iter(range(100))  # the clock moves one second each time it is read
    shown = list(throttled(iter(range(10)), 3.0, lambda: next(times)))
    assert shown[0] == 0
    assert shown[-1] == 9
    assert 3 < len(shown) < 8


def test_a_frame_before_a_long_step_is_always_shown():
    before_long = FrameBefore(1)
    frames = [0, before_long, 2, 3]
    clock = iter(itertools.repeat(0.0))
    shown = list(throttled(iter(frames), 1.0, lambda: next(clock)))
    assert shown == [0, before_long, 3]


def test_nothing_is_shown_twice_and_nothing_of_nothing():
    assert list(throttled(iter([1]), 0.0)) == [1]
    assert list(throttled(iter([]), 0.0)) == []


def test_a_whole_run_is_counted_with_its_tokens_and_its_first_text():
    metrics, closed = Metrics(), []
    assert list(watch(Runs(metrics), frames(9, closed)))[-1] == 9
    assert closed
    assert sample(metrics, outcome("ok")) == 1
    assert sample(metrics, "maskplay_generated_tokens_total") == 9
    assert sample(metrics, "maskplay_first_text_seconds_count") == 1
    assert sample(metrics, "maskplay_running") == 0


def test_closing_a_run_closes_what_it_watches():
    metrics, closed = Metrics(), []
    run = watch(Runs(metrics), frames(9, closed))
    next(run)
    assert sample(metrics, "maskplay_running") == 1
    run.close()
    assert closed
    assert sample(metrics, outcome("cancelled")) == 1
    assert sample(metrics, "maskplay_running") == 0


def test_the_deadline_ends_a_run_that_never_ends():
    metrics, closed = Metrics(), []
    limits = RunLimits(deadline_seconds=0.05, frames_per_second=1000)
    with pytest.raises(
        DeadlineError, match=r"超过了每次 0.05 秒的限时.* / Stopped aft"
    ):
        list(watch(Runs(metrics, limits), frames(10**9, closed)))
    assert closed
    assert sample(metrics, outcome("deadline")) == 1


def slowly(*frames, seconds=0.02):
    for frame in frames:
        time.sleep(seconds)
        yield frame


def test_a_whole_answer_that_comes_late_is_an_answer():
    assert list(timely(slowly("answer"), 0.01)) == ["answer"]


def test_what_would_go_on_after_the_limit_is_ended_with_the_questions_advice():
    shown, advice = [], ("请减少段落", "give fewer passages")
    with pytest.raises(
        DeadlineError, match=r"停在这里；请减少段落。 / .* request: give fewer pas"
    ):
        shown.extend(timely(slowly(1, 2, 3), 0.01, advice))
    assert shown == [1]


def test_a_frame_before_a_long_step_is_known_to_go_on():
    begun = []

    def frames():
        yield from slowly(FrameBefore(1))
        begun.append("the long step")
        yield 2

    with pytest.raises(DeadlineError):
        list(timely(frames(), 0.01))
    assert not begun


def test_stopping_the_server_ends_its_runs_with_a_sentence():
    runs, closed = Runs(Metrics()), []
    run = watch(runs, frames(10**9, closed))
    next(run)
    runs.stop()
    with pytest.raises(DemoError, match="服务正在关闭"):
        list(run)
    assert closed


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (InvalidRequestError("错", "wrong"), "refused"),
        (ModelError("network", "断", "gone"), "model_error"),
        (RuntimeError("bug"), "failed"),
    ],
)
def test_every_way_to_fail_has_its_outcome(error, name):
    def failing():
        yield 1
        raise error

    metrics = Metrics()
    with pytest.raises(type(error)):
        list(watch(Runs(metrics), failing()))
    assert sample(metrics, outcome(name)) == 1
