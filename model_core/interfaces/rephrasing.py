"""The part that writes sentences of like meaning and says how like they are.

Changes when similar sentences are asked for differently. Plain values and one Protocol.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from model_core.interfaces.models import WeightsInfo
from model_core.interfaces.sentences import Pooling


@dataclass(frozen=True, slots=True)
class RephraseOptions:
    """How to write similar sentences.

    Attributes:
        num_return: Sentences returned at most, >= 1.
        num_samples: Sentences written, >= ``num_return``; the best are returned.
        max_new_tokens: Upper limit of a sentence, >= 1.
        top_k: Draw from the k best tokens; 0 from all, 1 is greedy.
        top_p: Draw from the smallest set with at least this probability; 1 from all.
        seed: None draws one.
    """

    num_return: int = 5
    num_samples: int = 20
    max_new_tokens: int = 128
    top_k: int = 5
    top_p: float = 0.95
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Rephrasing:
    """One sentence so far.

    Attributes:
        text: What is written.
        log_prob: Sum of its tokens' log-probabilities, in nats.
        cosine: How like the source it is, -1..1; None while sentences are written.
    """

    text: str
    log_prob: float
    cosine: float | None = None


@dataclass(frozen=True, slots=True)
class RephraseFrame:
    """The whole result so far: a later frame replaces an earlier one.

    Attributes:
        rephrasings: Distinct sentences, at most ``num_return``: in the order they were
            drawn while they are written; in the last frame the likest first, none of
            them the source.
        num_written: Sentences that have come to their end.
        num_samples: Sentences that are written in all.
        num_distinct: Distinct ones other than the source, of which the best are
            returned; 0 before the last frame.
        num_chars_read: Characters of the source that fitted, from its start.
        num_new_tokens: Tokens written so far, over all sentences.
        elapsed_seconds: Since the request reached the model.
        weights: Which weights answered.
        pooling: How vectors are read off them.
        seed: The seed in use, so that a run without one can be repeated.
        ranked: Whether this is the last frame.
    """

    rephrasings: tuple[Rephrasing, ...]
    num_written: int
    num_samples: int
    num_distinct: int
    num_chars_read: int
    num_new_tokens: int
    elapsed_seconds: float
    weights: WeightsInfo
    pooling: Pooling
    seed: int
    ranked: bool = False


class SentenceRephraser(Protocol):
    """Writes sentences of like meaning (SimBERT, kexue.fm/archives/7427)."""

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        ...

    def rephrase(self, text: str, options: RephraseOptions) -> Iterator[RephraseFrame]:
        """Yield the whole result so far after every decoding step, ranked at last.

        Closing the iterator stops the computation within one step.

        Raises:
            ModelError: ``unsupported`` where the vocabulary knows nothing of the text.
        """
        ...
