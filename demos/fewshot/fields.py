"""The fields that classifying and learning have in common, and how fast to learn.

Changes when both may be asked something new. Knows no model.
"""

from typing import Annotated, Any, Protocol

from demos.fewshot.example_list import ExampleList
from demos.fewshot.labels import LABELS_LABEL, LabelWords
from demos.fewshot.lesson import EXAMPLES_LABEL
from demos.fewshot.pattern import PATTERN_LABEL
from demos.limits import Label, Length, OptionalRange, Range
from model_core.interfaces import LearningOptions, WeightsInfo

LABEL_WORDS = LabelWords()
EXAMPLE_LIST = ExampleList()
# Fine-tuning rates as usual for each size: a small network takes larger steps.
SMALL_PARAMETERS = 50_000_000
SMALL_RATE, LARGE_RATE = 1e-4, 2e-5

Labels = Annotated[dict[str, str] | None, LABEL_WORDS, LABELS_LABEL]
PatternText = Annotated[str, Length(0, 500), PATTERN_LABEL]
Examples = Annotated[list[dict[str, Any]] | None, EXAMPLE_LIST, EXAMPLES_LABEL]
MaxSteps = Annotated[
    int, Range(1, 300), Label("最多步数", "Max steps", "学几步", "steps of learning")
]
MaxSeconds = Annotated[
    int, Range(5, 180), Label("最多秒数", "Max seconds", "学到此为止", "ends by then")
]
LearningRate = Annotated[
    float,
    Range(0, 0.01, 0.00001),
    Label("学习率", "Learning rate", "0 为按权重大小定", "0 fits the weights' size"),
]
Seed = Annotated[
    int | None,
    OptionalRange(0, 2**31 - 1),
    Label(
        "随机种子",
        "Seed",
        "同种子同结果，留空为 0",
        "same seed, same result; empty is 0",
    ),
]


class Learns(Protocol):
    """A request that says how to learn."""

    @property
    def max_steps(self) -> int:
        """Upper limit of steps."""
        ...

    @property
    def max_seconds(self) -> int:
        """Upper limit of time."""
        ...

    @property
    def learning_rate(self) -> float:
        """The rate, 0 for one that fits the weights."""
        ...

    @property
    def seed(self) -> int | None:
        """Fixes the order and the masks; None is 0."""
        ...


def options_of(request: Learns, weights: WeightsInfo) -> LearningOptions:
    """Return how these weights learn what a request asks."""
    return LearningOptions(
        max_steps=request.max_steps,
        max_seconds=request.max_seconds,
        learning_rate=request.learning_rate or rate_for(weights),
        seed=request.seed or 0,
    )


def rate_for(weights: WeightsInfo) -> float:
    """Return the learning rate that fits the size of the weights."""
    return SMALL_RATE if weights.num_parameters <= SMALL_PARAMETERS else LARGE_RATE
