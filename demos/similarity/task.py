"""How alike two sentences are: what may be asked, what comes back, the call between.

Changes when the question put to the model changes. Knows no page, no file, no network.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Annotated

import numpy as np
import numpy.typing as npt

from demos import limits
from demos.limits import Label, Length
from model_core.interfaces import Pooling, SentenceEncoder, WeightsInfo

MAX_CHARS = 2000


@dataclass(frozen=True, slots=True)
class SimilarityRequest:
    """Two sentences.

    Raises:
        InvalidRequestError: A field lies outside its declared limit.
    """

    text: Annotated[
        str, Length(1, MAX_CHARS), Label("第一句", "First text", "一句话", "a sentence")
    ]
    text_b: Annotated[
        str,
        Length(1, MAX_CHARS),
        Label("第二句", "Second text", "和它比", "to compare it with"),
    ]

    def __post_init__(self) -> None:
        """Check the declared limits."""
        limits.check(self)


@dataclass(frozen=True, slots=True)
class SimilarityResult:
    """How alike two sentences are.

    Attributes:
        request: What was asked.
        cosine: -1..1; 1 for the same sentence.
        num_chars_read: Characters of the first that fitted, from its start.
        num_chars_read_b: The same of the second.
        weights: Which weights answered.
        pooling: How vectors were read off them.
        elapsed_seconds: Since the model was asked.
    """

    request: SimilarityRequest
    cosine: float
    num_chars_read: int
    num_chars_read_b: int
    weights: WeightsInfo
    pooling: Pooling
    elapsed_seconds: float

    @property
    def read_whole(self) -> bool:
        """Whether nothing but blanks of either sentence was left out."""
        left = self.request.text[self.num_chars_read :]
        return not f"{left}{self.request.text_b[self.num_chars_read_b :]}".strip()


def compare(
    request: SimilarityRequest, model: SentenceEncoder
) -> Iterator[SimilarityResult]:
    """Yield how alike the two sentences are.

    Raises:
        ModelError: The model cannot answer.
    """
    yield from compare_many([request], model)


def compare_many(
    requests: Sequence[SimilarityRequest], model: SentenceEncoder
) -> Iterator[SimilarityResult]:
    """Yield one result per request, in order; all sentences are read together.

    Raises:
        ModelError: The model cannot answer.
    """
    begun = perf_counter()
    sides = [(request.text, request.text_b) for request in requests]
    texts = tuple(dict.fromkeys(text for pair in sides for text in pair))
    encoded = model.encode(texts)
    seconds = (perf_counter() - begun) / max(1, len(requests))
    place = {text: index for index, text in enumerate(texts)}
    for request, (text, text_b) in zip(requests, sides, strict=True):
        one, other = place[text], place[text_b]
        (cosine,) = cosines(encoded.vectors[one], encoded.vectors[[other]])
        yield SimilarityResult(
            request,
            float(cosine),
            encoded.num_chars_read[one],
            encoded.num_chars_read[other],
            model.weights,
            model.pooling,
            seconds,
        )


def cosines(
    vector: npt.NDArray[np.float32], others: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """Return the cosine of a unit vector with each of several, -1..1.

    Args:
        vector: (width,).
        others: (number, width).
    """
    products = others.astype("float64") @ vector.astype("float64")
    return np.asarray(np.clip(products, -1.0, 1.0))
