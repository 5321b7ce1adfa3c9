"""The reader: answer a question from passages.

Changes when reading is asked differently. Plain values and one Protocol.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from model_core.interfaces.models import WeightsInfo

ReadingMode = Literal["seq2seq", "mlm", "span"]


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How to read.

    Attributes:
        mode: ``seq2seq`` writes the answer after the passage (prefix mask), ``mlm``
            reads all its positions off masks in one pass, ``span`` points at it.
        extractive: Let only n-grams of the passages through (seq2seq and mlm).
        max_answer_tokens: Upper limit, >= 1.
        num_answers: Answers returned, best first, >= 1.
    """

    mode: ReadingMode
    extractive: bool = True
    max_answer_tokens: int = 32
    num_answers: int = 3


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """One answer.

    Attributes:
        text: As it stands in its passage; "" says that there is no answer.
        probability: 0..1, comparable within one mode only.
        passage: Index of the passage it came from, -1 where it is in none.
        start: Character offset in that passage, -1 where it is in none.
    """

    text: str
    probability: float
    passage: int = -1
    start: int = -1


@dataclass(frozen=True, slots=True)
class PassageVote:
    """What one passage says for itself.

    Attributes:
        passage: Its index.
        has_answer: Probability that it holds an answer.
        text: Its own best answer; "" where it says that it has none.
        probability: Of that answer, given that there is one.
        start: Character offset of that answer in the passage, -1 where it has none.
    """

    passage: int
    has_answer: float
    text: str
    probability: float
    start: int = -1


@dataclass(frozen=True, slots=True)
class ReadingFrame:
    """The whole result so far: a later frame replaces an earlier one.

    Attributes:
        answers: Best first; the first is the reader's answer.
        votes: One per passage, in their order.
        num_steps: Passes through the network so far.
        elapsed_seconds: Since the request reached the model.
        mode: How it was read.
        weights: Which weights answered.
        num_windows: Windows that the passages were cut into.
        finished: Whether this is the last frame.
    """

    answers: tuple[ReadAnswer, ...]
    votes: tuple[PassageVote, ...]
    num_steps: int
    elapsed_seconds: float
    mode: ReadingMode
    weights: WeightsInfo
    num_windows: int = 1
    finished: bool = False


class PassageReader(Protocol):
    """Answers a question from passages."""

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        ...

    @property
    def modes(self) -> tuple[ReadingMode, ...]:
        """The modes these weights can read in, the best first."""
        ...

    def read(
        self, question: str, passages: Sequence[str], options: ReadingOptions
    ) -> Iterator[ReadingFrame]:
        """Yield the whole result so far.

        Passages that do not fit are cut into overlapping windows; offsets are those
        of the whole passage. A passage without an answer takes no part in the vote.

        Raises:
            ModelError: ``unsupported`` for a mode these weights do not have, or for a
                question that leaves no room for a passage.
        """
        ...
