"""One lesson at a time, a few in line, and whoever looks gets an answer at once."""

import threading
import time
from contextlib import closing

import pytest

from app.classroom import Classroom, Waiting
from app.metrics import DeadlineError
from demos.errors import DemoError

PATIENCE = 60.0


class Lesson:
    """Counts to a number, a step whenever it is let."""

    def __init__(self, steps=3, gate=None):
        self.steps, self.gate = steps, gate
        self.made = self.closed = 0

    def __call__(self):
        try:
            for step in range(1, self.steps + 1):
                if self.gate is not None:
                    self.gate.wait(5)
                self.made = step
                yield step
        finally:
            self.closed += 1


def wait_for(condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def gate():
    held = threading.Event()
    yield held
    held.set()


def test_a_lesson_comes_to_its_end_and_frees_its_place():
    room, lesson = Classroom(), Lesson()
    assert list(room.attend("甲", lesson, PATIENCE))[-1] == 3
    assert lesson.closed == 1
    wait_for(lambda: not room._line)


def test_looking_never_waits_for_a_long_step(gate):
    room = Classroom()
    with closing(room.attend("甲", Lesson(gate=gate), PATIENCE)) as looks:
        began = time.monotonic()
        assert next(looks) == Waiting(0)
        assert next(looks) == Waiting(0)
        assert time.monotonic() - began < 5  # the gate stays shut till the end


def test_closing_never_waits_either_and_ends_the_lesson_after_its_step(gate):
    room, lesson = Classroom(), Lesson(steps=1000, gate=gate)
    looks = room.attend("甲", lesson, PATIENCE)
    next(looks)
    looks.close()
    assert lesson.closed == 0  # still in the middle of its step
    gate.set()
    wait_for(lambda: lesson.closed == 1)
    assert lesson.made == 1
    wait_for(lambda: not room._line)


def test_the_second_waits_its_turn_and_is_told_how_many_come_first(gate):
    room = Classroom()
    first, second = Lesson(gate=gate), Lesson()
    one = room.attend("甲", first, PATIENCE)
    next(one)
    two = room.attend("乙", second, PATIENCE)
    assert next(two) == Waiting(1)
    assert second.made == 0
    gate.set()
    assert list(one)[-1] == list(two)[-1] == 3


def test_who_gives_up_in_line_never_learns(gate):
    room, second = Classroom(), Lesson()
    one = room.attend("甲", Lesson(gate=gate), PATIENCE)
    next(one)
    two = room.attend("乙", second, PATIENCE)
    next(two)
    two.close()
    gate.set()
    list(one)
    assert second.made == 0
    wait_for(lambda: not room._line)


def test_one_lesson_each(gate):
    room = Classroom()
    with closing(room.attend("甲", Lesson(gate=gate), PATIENCE)) as looks:
        next(looks)
        with pytest.raises(DemoError) as caught:
            next(room.attend("甲", Lesson(), PATIENCE))
    assert "你已有一次学习在进行" in caught.value.zh
    assert "You are learning already" in caught.value.en
    # what was stopped, though still in its last step, is no obstacle
    again = room.attend("甲", Lesson(), PATIENCE)
    assert next(again) == Waiting(1)
    gate.set()
    assert list(again)[-1] == 3


def test_a_full_line_earns_a_sentence(gate):
    room = Classroom(most_waiting=2)
    queued = [room.attend(str(n), Lesson(gate=gate), PATIENCE) for n in range(3)]
    for looks in queued:
        next(looks)
    with pytest.raises(DemoError, match="3 people are learning or waiting"):
        next(room.attend("晚", Lesson(), PATIENCE))
    gate.set()
    assert [list(looks)[-1] for looks in queued] == [3, 3, 3]


def test_what_a_lesson_raises_is_raised_where_one_looks():
    def lesson():
        yield 1
        raise DemoError("坏了。", "Broken.")

    room = Classroom()
    with pytest.raises(DemoError, match="Broken"):
        list(room.attend("甲", lesson, PATIENCE))
    assert list(room.attend("甲", Lesson(), PATIENCE))[-1] == 3


def test_a_lesson_that_takes_too_long_is_stopped():
    lesson = Lesson(steps=1000)
    with pytest.raises(DeadlineError, match="more than 0 s and was stopped"):
        list(Classroom().attend("甲", lesson, 0))
    assert (lesson.made, lesson.closed) == (2, 1)


def test_a_last_look_that_comes_late_is_kept():
    lesson = Lesson(steps=1)
    assert list(Classroom().attend("甲", lesson, 0))[-1] == 1
    assert (lesson.made, lesson.closed) == (1, 1)
