"""Continue a text: what may be asked, what comes back, and the one call between.

Changes when the question put to the model changes. Knows no page, no file, no network.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Annotated, ClassVar

from demos import limits
from demos.limits import Label, Length, OptionalRange, Range
from model_core.interfaces import (
    Candidate,
    GenerationFrame,
    GenerationOptions,
    TextGenerator,
)

STYLE_LABEL = Label(
    "体裁",
    "Style",
    "留空则不限；可选项由所用权重决定",
    "empty for none; the weights in use decide which there are",
)

CONDITION_LABEL = Label(
    "情感",
    "Sentiment",
    "留空则不限；由条件归一化层控制",
    "empty for none; by conditional layer norms",
)


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A prompt and how to continue it.

    Raises:
        InvalidRequestError: A field lies outside its declared limit.
    """

    ADVICE: ClassVar = ("请减少字数或篇数", "ask for fewer tokens or candidates")

    prompt: Annotated[
        str,
        Length(1, 2000),
        Label("开头", "Prompt", "接着它往下写", "the text to continue"),
    ]
    max_new_tokens: Annotated[
        int,
        Range(1, 1024),
        Label("最多续写", "Max new tokens", "词元数上限", "upper limit, in tokens"),
    ] = 128
    min_new_tokens: Annotated[
        int,
        Range(0, 1024),
        Label("最少续写", "Min new tokens", "此前不收尾", "no ending before this many"),
    ] = 0
    temperature: Annotated[
        float,
        Range(0.05, 2.0, 0.05),
        Label("温度", "Temperature", "越高越奔放", "higher is wilder"),
    ] = 0.8
    top_k: Annotated[
        int,
        Range(0, 1000),
        Label("候选词数", "Top-k", "0 为不限", "0 keeps all"),
    ] = 50
    top_p: Annotated[
        float,
        Range(0.05, 1.0, 0.05),
        Label("累积概率", "Top-p", "1 为不限", "1 keeps all"),
    ] = 0.9
    repetition_penalty: Annotated[
        float,
        Range(1.0, 2.0, 0.05),
        Label("重复惩罚", "Repetition penalty", "1 为不罚", "1 is off"),
    ] = 1.1
    no_repeat_ngram_size: Annotated[
        int,
        Range(0, 10),
        Label("禁止重复的片段长", "No-repeat n-gram", "0 为不禁", "0 is off"),
    ] = 4  # small networks loop; a name of four characters comes once, or set it off
    num_return: Annotated[
        int,
        Range(1, 4),
        Label("篇数", "Candidates", "一次写几篇", "continuations at once"),
    ] = 1
    seed: Annotated[
        int | None,
        OptionalRange(0, 2**31 - 1),
        Label(
            "随机种子",
            "Seed",
            "留空则随机；同种子同文",
            "empty draws one; same seed, same text",
        ),
    ] = None
    style: Annotated[str, Length(0, 40), STYLE_LABEL] = ""
    condition: Annotated[str, Length(0, 40), CONDITION_LABEL] = ""

    def __post_init__(self) -> None:
        """Check the declared limits, then what binds two fields."""
        limits.check(self)
        if self.min_new_tokens > self.max_new_tokens:
            low, high = self.min_new_tokens, self.max_new_tokens
            label = limits.label_of(GenerationRequest, "min_new_tokens")
            raise label.refuse(
                f"不能多于“最多续写” {high}，收到 {low}。",
                f"must not exceed “Max new tokens”, {high}; got {low}.",
            )

    @property
    def options(self) -> GenerationOptions:
        """The same settings as the core names them."""
        names = [field.name for field in fields(self) if field.name != "prompt"]
        return GenerationOptions(**{name: getattr(self, name) for name in names})


@dataclass(frozen=True, slots=True)
class GenerationResult:
    """The whole result so far.

    Attributes:
        request: What was asked.
        frame: What the model has written so far, with its weights and seed.
    """

    request: GenerationRequest
    frame: GenerationFrame

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The continuations, without the prompt."""
        return self.frame.candidates

    @property
    def finished(self) -> bool:
        """Whether every continuation has come to its end."""
        return all(candidate.finish for candidate in self.candidates)

    @property
    def tokens_per_second(self) -> float:
        """Speed over all candidates, 0 before the clock has moved."""
        elapsed = self.frame.elapsed_seconds
        return self.frame.num_new_tokens / elapsed if elapsed > 0 else 0.0

    @property
    def again(self) -> GenerationRequest:
        """The request that repeats this result: the same, with the seed in use."""
        return replace(self.request, seed=self.frame.seed)


def generate(
    request: GenerationRequest, model: TextGenerator
) -> Iterator[GenerationResult]:
    """Yield the whole result so far after every decoding step.

    Raises:
        InvalidRequestError: These weights were not trained to follow the style or
            the condition.
        ModelError: The model cannot answer.
    """
    check_known(STYLE_LABEL, request.style, model.styles)
    check_known(CONDITION_LABEL, request.condition, model.conditions)
    for frame in model.complete(request.prompt, request.options):
        yield GenerationResult(request, frame)


def follows(request: GenerationRequest, model: TextGenerator) -> bool:
    """Tell whether these weights know what a request wants of the text."""
    return request.style in ("", *model.styles) and request.condition in (
        "",
        *model.conditions,
    )


def check_known(label: Label, wanted: str, choices: tuple[str, ...]) -> None:
    """Refuse a choice that the weights do not know, and list those they do."""
    if wanted and wanted not in choices:
        raise label.refuse(*_sentences(label, wanted, choices))


def _sentences(label: Label, wanted: str, choices: tuple[str, ...]) -> tuple[str, str]:
    got = limits.shown(wanted)
    if not choices:
        return (
            f"须留空，因为所用权重不分{label.zh}，收到 {got}。",
            f"must be empty, as these weights know none; got {got}.",
        )
    known_zh, known_en = "、".join(choices), ", ".join(choices)
    return (
        f"须为{known_zh}之一，或留空，收到 {got}。",
        f"must be one of {known_en}, or empty, got {got}.",
    )
