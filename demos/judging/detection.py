"""Tokens that look replaced, by ELECTRA's discriminator: request, result, call.

Changes when the question put to the model changes. Knows no page, no file, no network.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Annotated

from demos import limits
from demos.limits import Label, Length, Range
from model_core.interfaces import ReplacedTokenDetector, TokenVerdict, WeightsInfo


@dataclass(frozen=True, slots=True)
class DetectionRequest:
    """A text, and how sure one wants to be.

    Raises:
        InvalidRequestError: A field lies outside its declared limit.
    """

    text: Annotated[
        str, Length(1, 2000), Label("文本", "Text", "要检查的文字", "to be checked")
    ]
    threshold: Annotated[
        float,
        Range(0.0, 1.0, 0.05),
        Label("阈值", "Threshold", "概率不低于它才标出", "lowest probability marked"),
    ] = 0.5

    def __post_init__(self) -> None:
        """Check the declared limits."""
        limits.check(self)


@dataclass(frozen=True, slots=True)
class DetectionResult:
    """What a detector says.

    Attributes:
        request: What was asked.
        tokens: Every token that was read, in order.
        num_chars_read: Characters of the text that fitted, from its start.
        weights: Which weights answered.
        elapsed_seconds: Since the model was asked.
    """

    request: DetectionRequest
    tokens: tuple[TokenVerdict, ...]
    num_chars_read: int
    weights: WeightsInfo
    elapsed_seconds: float

    @property
    def replaced(self) -> tuple[TokenVerdict, ...]:
        """The tokens that look replaced, in order."""
        least = self.request.threshold
        return tuple(one for one in self.tokens if one.probability >= least)

    def text_of(self, token: TokenVerdict) -> str:
        """Return a token as it stands in the text."""
        return self.request.text[token.start : token.end]

    @property
    def read_whole(self) -> bool:
        """Whether nothing but blanks was left out."""
        return not self.request.text[self.num_chars_read :].strip()


def detect(
    request: DetectionRequest, model: ReplacedTokenDetector
) -> Iterator[DetectionResult]:
    """Yield what the detector says.

    Raises:
        ModelError: The model cannot answer.
    """
    yield from detect_many([request], model)


def detect_many(
    requests: Sequence[DetectionRequest], model: ReplacedTokenDetector
) -> Iterator[DetectionResult]:
    """Yield one result per request, in order; all texts are read together.

    Raises:
        ModelError: The model cannot answer.
    """
    begun = perf_counter()
    inspected = model.inspect([request.text for request in requests])
    seconds = (perf_counter() - begun) / max(1, len(requests))
    for request, one in zip(requests, inspected, strict=True):
        yield DetectionResult(
            request, one.tokens, one.num_chars_read, model.weights, seconds
        )
