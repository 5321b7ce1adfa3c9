"""A mask filler that remembers what it has learned: the same lesson is taught once.

Changes when learning is remembered in another way. Knows no page and no file: make one
for a run or a batch and hand it to every request of it.
"""

from collections import OrderedDict
from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from demos.errors import DemoError
from demos.fewshot.lesson import Lesson
from model_core.interfaces import LearningFrame, MaskFiller

CAPACITY = 2  # a learned copy is as large as the weights it was copied from


@dataclass(frozen=True, slots=True)
class LessonKey:
    """What a learned copy depends on.

    Attributes:
        weights: Name and commit of the weights that were copied.
        lesson: What was taught.
    """

    weights: tuple[str, str]
    lesson: Lesson


class Memory(Protocol):
    """Where lessons are kept: the last frame of each, which holds the learned copy."""

    def recall(self, key: LessonKey) -> LearningFrame | None:
        """Return the lesson's last frame, None where it is not kept or no longer."""
        ...

    def keep(self, key: LessonKey, frame: LearningFrame) -> None:
        """Keep a lesson's last frame."""
        ...


class RecentLessons:
    """Keeps the lessons used last, a few of them.

    Args:
        capacity: How many.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[LessonKey, LearningFrame] = OrderedDict()

    def recall(self, key: LessonKey) -> LearningFrame | None:
        """Return a lesson's last frame and count it as used."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: LessonKey, frame: LearningFrame) -> None:
        """Keep a lesson; the one unused for longest makes room."""
        self._kept[key] = frame
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)


class Learner:
    """Teaches copies of one mask filler; the filler itself never changes.

    Args:
        filler: What answers without examples, and is copied for every new lesson.
        memory: Where lessons are kept.
    """

    def __init__(self, filler: MaskFiller, memory: Memory | None = None) -> None:
        self.filler = filler
        self._memory = RecentLessons() if memory is None else memory

    def knows(self, lesson: Lesson) -> bool:
        """Tell whether this lesson is remembered."""
        return self._memory.recall(self._key(lesson)) is not None

    def teach(self, lesson: Lesson) -> Generator[LearningFrame, None, None]:
        """Yield where learning stands; the last frame holds the learned copy.

        A lesson that is remembered yields its last frame alone.

        Raises:
            ModelError: The model cannot learn this.
            DemoError: It ended without a copy.
        """
        known = self._memory.recall(self._key(lesson))
        if known is not None:
            yield known
            return
        for frame in taught(self.filler, lesson):
            if frame.learned is not None:
                self._memory.keep(self._key(lesson), frame)
            yield frame

    def _key(self, lesson: Lesson) -> LessonKey:
        weights = self.filler.weights
        return LessonKey((weights.name, weights.commit), lesson)


def learner_of(model: MaskFiller | Learner) -> Learner:
    """Return a learner: itself, or one that remembers for as long as it lives."""
    return model if isinstance(model, Learner) else Learner(model)


def taught(filler: MaskFiller, lesson: Lesson) -> Generator[LearningFrame, None, None]:
    """Yield where learning stands; the last frame holds the learned copy.

    Raises:
        ModelError: The model cannot learn this.
        DemoError: It ended without a copy.
    """
    finished = False
    learning = filler.learn(
        lesson.sentences, lesson.words, lesson.answers, lesson.options
    )
    try:
        for frame in learning:
            finished = frame.learned is not None
            yield frame
    finally:
        if isinstance(learning, Generator):  # free the copy now, not some time later
            learning.close()
    if not finished:
        raise DemoError(
            "学习没有得出结果，请重试。", "Learning came to no result: try again."
        )
