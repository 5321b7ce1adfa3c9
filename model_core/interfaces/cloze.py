"""The cloze part: how well words fill a blank, and a copy that learns from examples.

Changes when blanks are asked about differently. Plain values and Protocols.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from model_core.interfaces.models import WeightsInfo


@dataclass(frozen=True, slots=True)
class Blanked:
    """A sentence with one blank.

    Attributes:
        before: What stands before the blank.
        after: What stands after it.
        shorten: Which side gives way, from its far end, where both do not fit:
            ``before`` loses its beginning, ``after`` its end.
    """

    before: str
    after: str
    shorten: str = "after"


@dataclass(frozen=True, slots=True)
class LearningOptions:
    """How to learn from examples.

    Attributes:
        max_steps: Upper limit of optimizer steps.
        max_seconds: Upper limit of time.
        learning_rate: Of AdamW.
        batch_size: Examples per step.
        mask_rate: Share of the other tokens that are hidden as well.
        seed: Fixes the order and the masks.
    """

    max_steps: int = 100
    max_seconds: float = 120.0
    learning_rate: float = 1e-4
    batch_size: int = 8
    mask_rate: float = 0.15
    seed: int = 0


@dataclass(frozen=True, slots=True)
class LearningFrame:
    """Where learning stands.

    Attributes:
        step: Steps made.
        num_steps: Steps planned.
        losses: Mean loss of every step so far, in nats.
        elapsed_seconds: Since learning began.
        learned: The learned copy; only in the last frame.
    """

    step: int
    num_steps: int
    losses: tuple[float, ...]
    elapsed_seconds: float
    learned: "MaskFiller | None" = None


class MaskFiller(Protocol):
    """Scores words in blanks with a masked language model."""

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        ...

    @property
    def is_taught(self) -> bool:
        """Whether it has learned from examples what belongs in the blank."""
        ...

    def log_probs(
        self, sentences: Sequence[Blanked], words: Sequence[str]
    ) -> npt.NDArray[np.float64]:
        """Score every word in every sentence's blank, all in few passes.

        The blank becomes as many masks as the word has tokens; the score is the mean
        log-probability of its tokens, so that words of different lengths compare.

        Args:
            sentences: (num_sentences,).
            words: (num_words,), none empty.

        Returns:
            Nats, float64 (num_sentences, num_words).

        Raises:
            ModelError: ``unsupported`` for a word the vocabulary cannot spell.
        """
        ...

    def learn(
        self,
        sentences: Sequence[Blanked],
        words: Sequence[str],
        answers: Sequence[int],
        options: LearningOptions,
    ) -> Iterator[LearningFrame]:
        """Train a copy on filled blanks; these weights never change.

        Closing the iterator stops within one step and frees the copy.

        Args:
            sentences: (num_examples,).
            words: (num_words,), all of one length in tokens or not.
            answers: (num_examples,), index of each example's word.
            options: Its limits.
        """
        ...

    def save(self, folder: str) -> None:
        """Write these weights as a checkpoint folder that can be loaded again."""
        ...
