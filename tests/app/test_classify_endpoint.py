"""What the endpoint /classify promises of time and of places, without a server."""

import threading
import time

import pytest

from app.classroom import Classroom
from app.learned import SharedLesson
from app.metrics import DeadlineError, Metrics
from app.runs import RunLimits, Runs
from app.tabs import fewshot
from app.wiring import Desk
from demos.fewshot.task import FewshotRequest
from demos.limits import limit_of
from tests.fake_mask_filler import FakeMaskFiller
from tests.fakes import FakeShelf

ASKED = {
    "text": "慢慢凉凉",
    "labels": {"好评": "好", "差评": "差"},
    "pattern": "{text}总的来说很____。",
    "text_b": "",
    "examples": None,
    "max_steps": 24,
    "max_seconds": 60,
    "learning_rate": 0,
    "seed": 0,
    "weights": "auto",
}
EXAMPLES = [{"text": "香", "label": "好评"}, {"text": "慢", "label": "差评"}]


class Watching(FakeMaskFiller):
    """Notes what it may take to learn, and how many ask it at once."""

    def __init__(self, **kept):
        super().__init__(**kept)
        self.options, self.now, self.most = [], 0, 0
        self.lock = threading.Lock()

    def learn(self, sentences, words, answers, options):
        self.options.append(options)
        return super().learn(sentences, words, answers, options)

    def log_probs(self, sentences, words):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.05)
        with self.lock:
            self.now -= 1
        return super().log_probs(sentences, words)


@pytest.fixture
def room():
    return Classroom()


@pytest.fixture
def filler():
    return Watching()


@pytest.fixture
def ask(room, filler):
    """Ask the endpoint as it is published, under a limit of 0.3 s a request."""
    shelf = FakeShelf(players={"mask_filler": filler})
    question = fewshot.question(shelf, room, SharedLesson(), slots=1)
    runs = Runs(Metrics(), RunLimits(deadline_seconds=0.3, frames_per_second=1000))

    def answers(**given):
        values = ASKED | given
        asked = [values[name] for name in question.inputs]
        return Desk(runs, slots=1).ask(question, asked)

    return answers


def lesson_of(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.02)
        yield "a step"


def test_who_waits_while_others_learn_is_answered_all_the_same(room, ask):
    others = room.attend("another", lambda: lesson_of(1.0), 30)
    next(others)
    *before, last = ask(examples=EXAMPLES)
    assert None in before  # it waited
    assert last.label == "差评"
    assert last.learning.step == 24
    others.close()


def test_a_lesson_that_takes_too_long_says_by_how_much(monkeypatch, ask, filler):
    monkeypatch.setattr(fewshot, "ENDPOINT_SPARE", -4.9)
    filler.step_seconds = 0.05
    with pytest.raises(DeadlineError, match=r"学习用了超过 0\.1 秒"):
        list(ask(examples=EXAMPLES, max_seconds=5, max_steps=300))


def test_a_script_may_learn_for_as_long_as_it_asks(ask, filler):
    most = int(limit_of(FewshotRequest, "max_seconds").high)
    list(ask(examples=EXAMPLES, max_seconds=most))
    assert filler.options[0].max_seconds == most == 180


def test_no_more_are_answered_at_once_than_there_are_slots(ask, filler):
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append([*ask()][-1])) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.label for one in answers] == ["好评"] * 5
    assert filler.most == 1


def test_who_waits_for_a_place_can_stop_and_leaves_it_to_the_next(ask, filler):
    blocked = threading.Event()
    begun = blocking(filler, blocked)
    computing = threading.Thread(target=lambda: list(ask()))
    computing.start()
    begun.wait(5)
    waiting = ask()
    assert next(waiting) is None
    waiting.close()
    blocked.set()
    computing.join()
    assert list(ask())[-1].finished


def blocking(filler, blocked):
    """Let the filler wait until ``blocked`` is set; return what tells that it does."""
    begun, answer = threading.Event(), filler.log_probs

    def log_probs(sentences, words):
        begun.set()
        blocked.wait(5)
        return answer(sentences, words)

    filler.log_probs = log_probs
    return begun
