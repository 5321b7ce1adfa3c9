"""Learn from examples and tell what it was worth: a part is held back and measured.

Changes when the trial or its measure changes. Knows no page: a generator, so that Stop
acts within one step.
"""

import random
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from demos import limits
from demos.fewshot.calibration import calibrated
from demos.fewshot.example_list import ExampleList
from demos.fewshot.fields import (
    LABEL_WORDS,
    Examples,
    Labels,
    LearningRate,
    MaxSeconds,
    MaxSteps,
    PatternText,
    Seed,
    options_of,
)
from demos.fewshot.labels import LABELS_LABEL
from demos.fewshot.learner import taught
from demos.fewshot.lesson import (
    EXAMPLES_LABEL,
    FEWEST,
    MOST,
    Example,
    Lesson,
    Wanted,
)
from demos.fewshot.pattern import Pattern, read_pattern
from demos.fewshot.scoring import Tally, best_of, probabilities_of, tally
from model_core.interfaces import (
    LearningFrame,
    MaskFiller,
    WeightsInfo,
)

HELD_SHARE = 0.25
MOST_HELD = 200
CHUNK = 16  # held-back lines put to the model at once: Stop acts between
NEEDED = ExampleList(FEWEST, MOST)

Stage = Literal["before", "learning", "after", "done"]


@dataclass(frozen=True, slots=True)
class LearnRequest:
    """Labelled texts, the labels and the sentence, and how long to learn.

    Raises:
        InvalidRequestError: A field cannot be used, or two do not go together.
    """

    labels: Labels = None
    pattern: PatternText = ""
    examples: Examples = None
    max_steps: MaxSteps = 100
    max_seconds: MaxSeconds = 120
    learning_rate: LearningRate = 0.0
    seed: Seed = 0

    def __post_init__(self) -> None:
        """Read labels and examples, check every limit, then what binds two fields."""
        words = LABEL_WORDS.read(LABELS_LABEL, self.labels)
        object.__setattr__(self, "labels", words)
        limits.check(self)
        wanted = Wanted(tuple(words), pairs=self.blank.takes_pairs)
        examples = NEEDED.read(EXAMPLES_LABEL, self.examples, wanted)
        if len({example.label for example in examples}) < FEWEST:
            raise EXAMPLES_LABEL.refuse(
                f"须有 {FEWEST} 到 {MOST} 条，至少用到两个标签，"
                f"收到 {len(examples)} 条。",
                f"must be {FEWEST} to {MOST} with two labels or more among them, got "
                f"{len(examples)}.",
            )
        object.__setattr__(self, "examples", [one.record for one in examples])

    @property
    def blank(self) -> Pattern:
        """The pattern, read."""
        return read_pattern(self.pattern)

    @property
    def words(self) -> dict[str, str]:
        """Each label's word, in the order given."""
        return self.labels or {}

    @property
    def split(self) -> "Split":
        """Which lines teach and which are held back."""
        records = self.examples or []
        return split(tuple(Example(**record) for record in records), self.seed or 0)

    def lesson(self, examples: Sequence[Example], weights: WeightsInfo) -> Lesson:
        """Return what these weights would learn from so many examples."""
        labels, options = tuple(self.words.items()), options_of(self, weights)
        return Lesson(self.blank, labels, tuple(examples), options)


@dataclass(frozen=True, slots=True)
class Split:
    """Examples in two parts.

    Attributes:
        train: Those that teach.
        held: Those that measure; none of a label that has one example only.
        num_repeated: Examples left out because they stand there twice.
        unmeasured: Labels without a held-back example.
    """

    train: tuple[Example, ...]
    held: tuple[Example, ...]
    num_repeated: int
    unmeasured: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LearnResult:
    """The whole result so far.

    Attributes:
        request: What was asked.
        split: Which examples teach and which measure.
        weights: Which weights were copied.
        stage: What is being done.
        zero_shot: What the weights answer as they are; None before it was measured,
            and where nothing was held back.
        learning: Where learning stands; its copy is in ``learned`` alone.
        few_shot: What the learned copy answers.
        learned: The learned copy; only when all is done.
    """

    request: LearnRequest
    split: Split
    weights: WeightsInfo
    stage: Stage = "before"
    zero_shot: Tally | None = None
    learning: LearningFrame | None = None
    few_shot: Tally | None = None
    learned: MaskFiller | None = None


def split(examples: Sequence[Example], seed: int) -> Split:
    """Hold back about a quarter of each label's examples, at most 200 altogether.

    A label with one example keeps it for learning. The same seed holds back the same
    examples.
    """
    unique = tuple(dict.fromkeys(examples))
    share = min(HELD_SHARE, MOST_HELD / len(unique))
    held: set[Example] = set()
    rest: list[str] = []
    draw = random.Random(seed)
    for label in dict.fromkeys(example.label for example in unique):
        own = [example for example in unique if example.label == label]
        chosen = draw.sample(own, _number_held(len(own), share))
        held.update(chosen)
        rest += [] if chosen else [label]
    return Split(
        train=tuple(example for example in unique if example not in held),
        held=tuple(example for example in unique if example in held),
        num_repeated=len(examples) - len(unique),
        unmeasured=tuple(rest),
    )


def learn(request: LearnRequest, filler: MaskFiller) -> Iterator[LearnResult]:
    """Measure, learn, measure again; yield the whole result after every step.

    Raises:
        ModelError: The model cannot answer or cannot learn.
        DemoError: Learning came to no result.
    """
    parts, weights = request.split, filler.weights
    result = LearnResult(request, parts, weights)
    yield result
    zero_shot = yield from _measured(result, filler)
    result = replace(result, stage="learning", zero_shot=zero_shot)
    yield result
    lesson, learned = request.lesson(parts.train, weights), filler
    for frame in taught(filler, lesson):
        learned = frame.learned or filler
        result = replace(result, learning=replace(frame, learned=None))
        yield result
    result = replace(result, stage="after")
    yield result
    few_shot = yield from _measured(result, learned)
    yield replace(result, stage="done", few_shot=few_shot, learned=learned)


def _number_held(number: int, share: float) -> int:
    """Return how many of one label's examples are held back."""
    return 0 if number < FEWEST else max(1, round(number * share))


def _measured(
    result: LearnResult, filler: MaskFiller
) -> Generator[LearnResult, None, Tally | None]:
    """Yield between two parts of the held-back lines, then return how many were hit."""
    held, request = result.split.held, result.request
    labels, words = tuple(request.words), tuple(request.words.values())
    answers: list[str] = []
    for start in range(0, len(held), CHUNK):
        sentences = [
            request.blank.blanked(example.text, example.text_b)
            for example in held[start : start + CHUNK]
        ]
        answers += [
            best_of(probabilities_of(labels, list(map(float, row))))
            for row in calibrated(filler, request.blank, sentences, words)
        ]
        yield result
    if not held:
        return None
    return tally(labels, (example.label for example in held), answers)
