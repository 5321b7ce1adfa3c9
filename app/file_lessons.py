"""Learning for a file of questions: once, before its first line, in its own thread.

Changes when the page's rules for learning in a file change. Knows no component.
"""

from collections.abc import Generator, Mapping
from contextlib import closing

from app.classroom import Classroom, Waiting
from app.learned import check_teachable
from demos.errors import DemoError
from demos.fewshot.learner import Learner, RecentLessons
from demos.fewshot.lesson import Lesson
from demos.fewshot.task import learn_first
from model_core.interfaces import LearningFrame, MaskFiller

SPARE_SECONDS = 30.0  # to compile the first step, beyond what learning may take
WAITING = "学习 learning …"


class FileLearner(Learner):
    """Remembers the one lesson of a file; a line of its own teaches nothing.

    Args:
        filler: What answers without examples, and is copied for the lesson.
    """

    def __init__(self, filler: MaskFiller) -> None:
        self.memory = RecentLessons(1)
        super().__init__(filler, self.memory)

    def teach(self, lesson: Lesson) -> Generator[LearningFrame, None, None]:
        """Yield the end of the lesson that the file was given.

        Raises:
            DemoError: It is another one.
        """
        if not self.knows(lesson):
            raise _another_lesson()
        yield from super().teach(lesson)


def learn_for_file(
    options: Mapping[str, object], learner: FileLearner
) -> Generator[str, None, None]:
    """Yield in a few words how far the lesson is that the options ask for, if any.

    Closing ends it after its current step.

    Raises:
        DemoError: The examples cannot be used, or the weights are too large.
        DeadlineError: It took longer than one may learn.
    """
    if not options.get("examples"):
        return
    check_teachable(learner.filler.weights)
    teacher = Learner(learner.filler, learner.memory)
    seconds = SPARE_SECONDS + float(str(options["max_seconds"]))
    lesson = Classroom(0).attend("", lambda: learn_first(options, teacher), seconds)
    with closing(lesson) as looks:
        for look in looks:
            yield WAITING if isinstance(look, Waiting) else _so_far(look)


def _so_far(frame: LearningFrame) -> str:
    return f"学习 learning {frame.step} / {frame.num_steps}"


def _another_lesson() -> DemoError:
    return DemoError(
        "文件里的一行不能另带示例（examples），带示例学习时也不能另写标签或句式：请在"
        "“每行通用的参数”里给一次，或在终端里做："
        "python -m demos fewshot --examples FILE --input FILE。",
        "A line of a file cannot bring examples of its own, nor other labels or "
        "another pattern than the examples were learned with: give them once under "
        "“Settings for every line”, or use the terminal: python -m demos fewshot "
        "--examples FILE --input FILE.",
    )
