"""Parts that judge whole sentences: classes, vectors, and tokens that do not belong.

Changes when sentences are asked about differently. Plain values and Protocols.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from model_core.interfaces.models import WeightsInfo

Pooling = Literal["mean", "cls", "pooler", "linear_pooler"]
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
"""How a sentence's vector is read off hidden states.

``mean`` of the last states over all positions but padding; ``cls``: the last state of
the token that stands for all; ``pooler``: that state through the pooler as the config
has it; ``linear_pooler``: the same without its activation (SimBERT,
kexue.fm/archives/7427).
"""


@dataclass(frozen=True, slots=True)
class TextPair:
    """A text, and a second one where two are judged together.

    Attributes:
        text: The first.
        text_b: The second, "" for none.
    """

    text: str
    text_b: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a classifier says of a text or a pair.

    Attributes:
        probabilities: One per label, 0..1; they sum to 1.
        num_chars_read: Characters of the text that fitted, from its start.
        num_chars_read_b: The same of the second text.
    """

    probabilities: tuple[float, ...]
    num_chars_read: int
    num_chars_read_b: int = 0


class TextClassifier(Protocol):
    """Weights that were fine-tuned to tell classes apart."""

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, as the checkpoint's config names them."""
        ...

    def classify(self, pairs: Sequence[TextPair]) -> tuple[Judged, ...]:
        """Return every text's probabilities, in order.

        What does not fit is left out from the end of the longer text.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SentenceVectors:
    """Sentences as points.

    Attributes:
        vectors: float32 (num_texts, width), each of length 1; zeros for a text without
            a token.
        num_chars_read: Characters of each text that fitted, from its start.
    """

    vectors: npt.NDArray[np.float32]
    num_chars_read: tuple[int, ...]


class SentenceEncoder(Protocol):
    """Turns sentences into vectors whose cosine says how alike they are."""

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        ...

    @property
    def pooling(self) -> Pooling:
        """How a vector is read off hidden states."""
        ...

    def encode(self, texts: Sequence[str]) -> SentenceVectors:
        """Return every text's vector, in order; the same whoever stands beside it."""
        ...


@dataclass(frozen=True, slots=True)
class TokenVerdict:
    """What a detector says of one token.

    Attributes:
        start: Where it begins in the text, in characters.
        end: Where it ends, exclusive.
        probability: That it was put there in another's place, 0..1.
    """

    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a detector says of a text.

    Attributes:
        tokens: In order; they do not overlap.
        num_chars_read: Characters of the text that fitted, from its start.
    """

    tokens: tuple[TokenVerdict, ...]
    num_chars_read: int


class ReplacedTokenDetector(Protocol):
    """Tells tokens that were replaced (ELECTRA's discriminator, arXiv 2003.10555)."""

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        ...

    def inspect(self, texts: Sequence[str]) -> tuple[Inspected, ...]:
        """Return every text's tokens with their probabilities, in order."""
        ...
