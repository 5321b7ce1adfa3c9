"""The conversing part: answer the last of several turns.

Changes when holding a conversation is asked differently. Plain values and one Protocol.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from model_core.interfaces.generation import Candidate
from model_core.interfaces.models import WeightsInfo

Speaker = Literal["person", "model"]
TurnLayout = Literal["", "speakers", "segments", "joined"]
"""How weights read a conversation; "" for those that were not trained on any."""
SPEAKERS: tuple[Speaker, ...] = ("person", "model")


@dataclass(frozen=True, slots=True)
class Turn:
    """What one of the two said in one go.

    Attributes:
        speaker: Who said it.
        text: What was said, without any mark of its speaker.
    """

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class DialogueOptions:
    """How to reply. The defaults sample among the five best (kexue.fm/archives/7718).

    Attributes:
        max_new_tokens: Upper limit of a reply's tokens, >= 1.
        temperature: > 0; 1 leaves the distribution alone.
        top_k: Keep the k best tokens; 0 keeps all.
        top_p: Keep the smallest set with at least this probability; 1 keeps all.
        repetition_penalty: >= 1; CTRL's penalty on tokens already seen.
        num_return: Replies to choose from, drawn in one batch, 1 to 4.
        seed: None draws one.
    """

    max_new_tokens: int = 64
    temperature: float = 1.0
    top_k: int = 5
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    num_return: int = 1
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class DialogueFrame:
    """The whole result so far: a later frame replaces an earlier one.

    Attributes:
        candidates: One reply so far per ``num_return``, in a fixed order; a text that
            is empty when it has come to its end says that the model said nothing.
        num_new_tokens: Tokens drawn so far, over all candidates.
        elapsed_seconds: Since the request reached the model.
        weights: Which weights answered.
        seed: The seed in use, so that a run without one can be repeated.
        num_turns_dropped: Oldest turns that did not fit and were not read.
        num_message_chars_dropped: Characters at the start of the last turn that did
            not fit; above 0 only where every other turn is dropped.
    """

    candidates: tuple[Candidate, ...]
    num_new_tokens: int
    elapsed_seconds: float
    weights: WeightsInfo
    seed: int
    num_turns_dropped: int = 0
    num_message_chars_dropped: int = 0


class DialoguePartner(Protocol):
    """Holds a conversation: the causal part over turns, told apart by their speaker."""

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        ...

    def reply(
        self, turns: Sequence[Turn], options: DialogueOptions
    ) -> Iterator[DialogueFrame]:
        """Yield the whole result so far after every decoding step.

        Closing the iterator stops the computation within one step.

        Args:
            turns: Oldest first; the two speakers alternate, and the last turn is the
                person's.
            options: How to reply.

        Raises:
            ModelError: The model cannot answer.
        """
        ...
