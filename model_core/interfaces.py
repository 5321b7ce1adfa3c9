"""What a demo or the page may know of a model: plain values and Protocols.

Changes when a new question is asked of the core. Imports nothing heavy and knows no
framework, no file and no network.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

ErrorKind = Literal[
    "not_ready",
    "unknown_weights",
    "unsafe_name",
    "offline",
    "not_found",
    "gated",
    "corrupt",
    "disk",
    "network",
    "missing_head",
    "unsupported",
    "busy",
    "internal",
]
Language = Literal["zh", "en"]


class ModelError(Exception):
    """A failure of the core, already written for the person, in both languages.

    Attributes:
        kind: What failed, for code that must decide.
        zh: One Chinese sentence that says what happened and what to do next.
        en: The same in English.
    """

    def __init__(self, kind: ErrorKind, zh: str, en: str) -> None:
        super().__init__(kind, zh, en)
        self.kind: ErrorKind = kind
        self.zh = zh
        self.en = en

    def text(self, language: Language) -> str:
        """Return the sentence in one language."""
        return self.en if language == "en" else self.zh

    def __str__(self) -> str:
        """Return both sentences, Chinese first."""
        return f"{self.zh} / {self.en}"


@dataclass(frozen=True, slots=True)
class WeightsInfo:
    """Which weights answered, and on what.

    Attributes:
        name: ``embedded``, a hub id (``owner/name``) or a folder's name.
        family: Name of the model family, e.g. ``gpt2``.
        num_parameters: Number of scalars in all weights.
        size_bytes: Bytes the weights occupy in memory.
        dtype: Keras dtype policy, e.g. ``float32``.
        engine: Name of the engine, e.g. ``keras-tensorflow``.
        device: ``cpu`` or ``gpu:0`` and so on.
        commit: The hub's 40-digit commit, or "" where there is none.
    """

    name: str
    family: str
    num_parameters: int
    size_bytes: int
    dtype: str
    engine: str
    device: str
    commit: str = ""


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

    def complete(
        self, prompt: str, options: GenerationOptions
    ) -> Iterator[GenerationFrame]:
        """Yield the whole result so far after every decoding step.

        Closing the iterator stops the computation within one step.

        Raises:
            ModelError: ``unsupported`` for a style these weights do not know.
        """
        ...


ModelStatus = Literal["absent", "waiting", "downloading", "loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class ModelState:
    """One line of the model panel.

    Attributes:
        name: ``embedded``, a hub id or a folder's name.
        title: For people, e.g. ``内置小模型 · embedded``.
        status: Where the weights are on their way.
        downloaded_bytes: While downloading; with ``total_bytes`` as its limit.
        total_bytes: 0 when not known yet.
        failure: Why ``status`` is ``failed``.
        info: Set when ``ready``.
    """

    name: str
    title: str
    status: ModelStatus
    downloaded_bytes: int = 0
    total_bytes: int = 0
    failure: ModelError | None = None
    info: WeightsInfo | None = None
