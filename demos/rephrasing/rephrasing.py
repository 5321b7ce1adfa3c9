"""Sentences of like meaning: what may be asked, what comes back, the call between.

Changes when the question put to the model changes. Knows no page, no file, no network.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from demos import limits
from demos.limits import Label, Length, OptionalRange, Range
from model_core.interfaces import (
    RephraseFrame,
    RephraseOptions,
    Rephrasing,
    SentenceRephraser,
)

MAX_CHARS = 100  # such weights were trained on questions of about 30
SAMPLES_FOR_EACH = 4  # written for every sentence that is returned


@dataclass(frozen=True, slots=True)
class RephrasingRequest:
    """A sentence, and how freely it may be said again.

    Raises:
        InvalidRequestError: A field lies outside its declared limit.
    """

    ADVICE: ClassVar = ("请少写几句", "ask for fewer sentences")

    text: Annotated[
        str,
        Length(1, MAX_CHARS),
        Label("原句", "Sentence", "换个说法的是它", "what to say in other words"),
    ]
    num_return: Annotated[
        int,
        Range(1, 10),
        Label("写几句", "Sentences", "最多这么多", "at most so many"),
    ] = 5
    top_k: Annotated[
        int,
        Range(0, 100),
        Label("候选词数", "Top-k", "0 为不限，1 最稳", "0 keeps all, 1 is greedy"),
    ] = 5
    top_p: Annotated[
        float,
        Range(0.05, 1.0, 0.05),
        Label("累积概率", "Top-p", "1 为不限", "1 keeps all"),
    ] = 0.95
    seed: Annotated[
        int | None,
        OptionalRange(0, 2**31 - 1),
        Label(
            "随机种子",
            "Seed",
            "留空则随机；同种子同句",
            "empty draws one; same seed, same sentences",
        ),
    ] = None

    def __post_init__(self) -> None:
        """Check the declared limits."""
        limits.check(self)

    @property
    def options(self) -> RephraseOptions:
        """The same settings as the core names them."""
        return RephraseOptions(
            num_return=self.num_return,
            num_samples=SAMPLES_FOR_EACH * self.num_return,
            top_k=self.top_k,
            top_p=self.top_p,
            seed=self.seed,
        )


@dataclass(frozen=True, slots=True)
class RephrasingResult:
    """The whole result so far.

    Attributes:
        request: What was asked.
        frame: What the model has written so far, with its weights and seed.
    """

    request: RephrasingRequest
    frame: RephraseFrame

    @property
    def rephrasings(self) -> tuple[Rephrasing, ...]:
        """The sentences, the likest first once ``finished``."""
        return self.frame.rephrasings

    @property
    def finished(self) -> bool:
        """Whether they are all written and ranked."""
        return self.frame.ranked

    @property
    def read_whole(self) -> bool:
        """Whether nothing but blanks of the sentence was left out."""
        return not self.request.text[self.frame.num_chars_read :].strip()

    @property
    def again(self) -> RephrasingRequest:
        """The request that repeats this result: the same, with the seed in use."""
        return replace(self.request, seed=self.frame.seed)


def rephrase(
    request: RephrasingRequest, model: SentenceRephraser
) -> Iterator[RephrasingResult]:
    """Yield the whole result so far after every decoding step, ranked at last.

    Raises:
        ModelError: The model cannot answer.
    """
    for frame in model.rephrase(request.text, request.options):
        yield RephrasingResult(request, frame)
