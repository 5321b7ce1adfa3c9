"""The class of a text, by weights that were fine-tuned for it: request, result, call.

Changes when the question put to the model changes. Knows no page, no file, no network.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Annotated

from demos import limits
from demos.limits import Label, Length
from model_core.interfaces import TextClassifier, TextPair, WeightsInfo

MAX_CHARS = 2000


@dataclass(frozen=True, slots=True)
class ClassificationRequest:
    """A text, or two that are judged together.

    Raises:
        InvalidRequestError: A field lies outside its declared limit.
    """

    text: Annotated[
        str, Length(1, MAX_CHARS), Label("文本", "Text", "要判别的文字", "to be judged")
    ]
    text_b: Annotated[
        str,
        Length(0, MAX_CHARS),
        Label(
            "第二句",
            "Second text",
            "判别两句关系的权重才需要",
            "for weights that judge pairs",
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Check the declared limits; a second text of blanks is none."""
        limits.check(self)
        if not self.text_b.strip():
            object.__setattr__(self, "text_b", "")

    @property
    def pair(self) -> TextPair:
        """The same as the core names it."""
        return TextPair(self.text, self.text_b)


@dataclass(frozen=True, slots=True)
class ClassificationResult:
    """What a classifier says.

    Attributes:
        request: What was asked.
        probabilities: Of every label, in the checkpoint's order; they sum to 1.
        num_chars_read: Characters of the text that fitted, from its start.
        num_chars_read_b: The same of the second text.
        weights: Which weights answered.
        elapsed_seconds: Since the model was asked.
    """

    request: ClassificationRequest
    probabilities: dict[str, float]
    num_chars_read: int
    num_chars_read_b: int
    weights: WeightsInfo
    elapsed_seconds: float

    @property
    def ranked(self) -> tuple[tuple[str, float], ...]:
        """Labels with their probabilities, best first; equals in their order."""
        return tuple(sorted(self.probabilities.items(), key=lambda one: -one[1]))

    @property
    def label(self) -> str:
        """The most probable label."""
        return self.ranked[0][0]

    @property
    def read_whole(self) -> bool:
        """Whether nothing but blanks was left out."""
        left = self.request.text[self.num_chars_read :]
        return not f"{left}{self.request.text_b[self.num_chars_read_b :]}".strip()


def categorize(
    request: ClassificationRequest, model: TextClassifier
) -> Iterator[ClassificationResult]:
    """Yield what the classifier says.

    Raises:
        ModelError: The model cannot answer.
    """
    yield from categorize_many([request], model)


def categorize_many(
    requests: Sequence[ClassificationRequest], model: TextClassifier
) -> Iterator[ClassificationResult]:
    """Yield one result per request, in order; all texts are read together.

    Raises:
        ModelError: The model cannot answer.
    """
    begun = perf_counter()
    judged = model.classify([request.pair for request in requests])
    seconds = (perf_counter() - begun) / max(1, len(requests))
    for request, one in zip(requests, judged, strict=True):
        yield ClassificationResult(
            request,
            dict(zip(model.labels, one.probabilities, strict=True)),
            one.num_chars_read,
            one.num_chars_read_b,
            model.weights,
            seconds,
        )
