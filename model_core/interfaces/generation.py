"""The causal part: continue a text.

Changes when continuing a text is asked differently. Plain values and one Protocol.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from model_core.interfaces.models import WeightsInfo


@dataclass(frozen=True, slots=True)
class Alternative:
    """A runner-up for one position and its probability under the model."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class TokenScore:
    """One generated token.

    Attributes:
        text: The characters it adds to the text (may be empty).
        log_prob: Log-probability in nats under the model, before any filter.
        alternatives: The most probable tokens at this position, best first.
    """

    text: str
    log_prob: float
    alternatives: tuple[Alternative, ...] = ()


Finish = Literal["", "stop", "length"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One continuation so far.

    Attributes:
        text: The continuation, without the prompt.
        log_prob: Sum of the tokens' log-probabilities, in nats.
        tokens: The tokens behind the text, in order.
        finish: "" while running, ``stop`` at a stop token, ``length`` at a limit.
    """

    text: str
    log_prob: float
    tokens: tuple[TokenScore, ...] = ()
    finish: Finish = ""


@dataclass(frozen=True, slots=True)
class GenerationFrame:
    """The whole result so far: a later frame replaces an earlier one.

    Attributes:
        candidates: One per requested continuation, in a fixed order.
        num_new_tokens: Tokens generated so far, over all candidates.
        elapsed_seconds: Since the request reached the model.
        weights: Which weights answered.
        seed: The seed in use, so that a run without one can be repeated.
        num_prompt_chars_dropped: Characters at the prompt's start that did not fit.
    """

    candidates: tuple[Candidate, ...]
    num_new_tokens: int
    elapsed_seconds: float
    weights: WeightsInfo
    seed: int
    num_prompt_chars_dropped: int = 0


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """How to continue a text. Defaults switch every filter off.

    Attributes:
        max_new_tokens: Upper limit of generated tokens, >= 1.
        min_new_tokens: No stop token before this many.
        temperature: > 0; 1 leaves the distribution alone.
        top_k: Keep the k best tokens; 0 keeps all.
        top_p: Keep the smallest set with at least this probability; 1 keeps all.
        repetition_penalty: >= 1; CTRL's penalty on tokens already seen.
        no_repeat_ngram_size: Forbid a repeated n-gram; 0 is off.
        num_return: Continuations in one batch.
        seed: None draws one.
        style: One of the generator's ``styles``, or "" for none.
        condition: One of the generator's ``conditions``, or "" for none.
        num_beams: 1 samples; more searches (deterministic).
        length_penalty: Exponent of the length that divides a beam's score.
        num_alternatives: Runners-up reported per position.
    """

    max_new_tokens: int = 128
    min_new_tokens: int = 0
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    num_return: int = 1
    seed: int | None = None
    style: str = ""
    condition: str = ""
    num_beams: int = 1
    length_penalty: float = 1.0
    num_alternatives: int = 5


class TextGenerator(Protocol):
    """Continues a text: the causal part."""

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        ...

    @property
    def styles(self) -> tuple[str, ...]:
        """Styles these weights were trained to follow, in display order."""
        ...

    @property
    def conditions(self) -> tuple[str, ...]:
        """Moods these weights can be given, in display order."""
        ...

    def complete(
        self, prompt: str, options: GenerationOptions
    ) -> Iterator[GenerationFrame]:
        """Yield the whole result so far after every decoding step.

        Closing the iterator stops the computation within one step.

        Raises:
            ModelError: ``unsupported`` for a style or a condition these weights do
                not know.
        """
        ...
