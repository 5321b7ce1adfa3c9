"""Reply in a conversation: what may be asked, what comes back, and the call between.

Changes when the question put to the model changes. Knows no page, no file, no network.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from demos import limits
from demos.dialogue.turns import (
    HISTORY_LABEL,
    MODEL,
    PERSON,
    History,
    record_of,
)
from demos.limits import Label, Length, OptionalRange, Range
from model_core.interfaces import Candidate
from model_core.interfaces.dialogue import (
    DialogueFrame,
    DialogueOptions,
    DialoguePartner,
    Turn,
)

HISTORY = History()
MAX_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class DialogueRequest:
    """A message, what was said before it, and how to reply.

    ``history`` may be given as anything that ``History`` reads; it ends as a list of
    maps with ``speaker`` and ``text``.

    Raises:
        InvalidRequestError: A field lies outside its declared limit, or the turns
            before do not alternate.
    """

    ADVICE: ClassVar = (
        "请减少回复的字数或说法",
        "ask for fewer tokens or alternatives",
    )

    message: Annotated[
        str,
        Length(1, 500),
        Label("消息", "Message", "接下来说什么", "what to say next"),
    ]
    history: Annotated[list[dict[str, str]] | None, HISTORY, HISTORY_LABEL] = None
    max_new_tokens: Annotated[
        int,
        Range(1, 256),
        Label("回复最长", "Max new tokens", "词元数上限", "upper limit, in tokens"),
    ] = 64
    temperature: Annotated[
        float,
        Range(0.05, 2.0, 0.05),
        Label("温度", "Temperature", "越高越奔放", "higher is wilder"),
    ] = 1.0
    top_k: Annotated[
        int,
        Range(0, 1000),
        Label("候选词数", "Top-k", "0 为不限", "0 keeps all"),
    ] = 5
    top_p: Annotated[
        float,
        Range(0.05, 1.0, 0.05),
        Label("累积概率", "Top-p", "1 为不限", "1 keeps all"),
    ] = 1.0
    repetition_penalty: Annotated[
        float,
        Range(1.0, 2.0, 0.05),
        Label("重复惩罚", "Repetition penalty", "1 为不罚", "1 is off"),
    ] = 1.0
    num_return: Annotated[
        int,
        Range(1, 4),
        Label("几种说法", "Alternatives", "供挑选的回复数", "replies to choose from"),
    ] = 1
    seed: Annotated[
        int | None,
        OptionalRange(0, MAX_SEED),
        Label(
            "随机种子",
            "Seed",
            "留空则随机；同种子同回复",
            "empty draws one; same seed, same reply",
        ),
    ] = None

    def __post_init__(self) -> None:
        """Check the declared limits, then bring the history to one shape."""
        limits.check(self)
        turns = HISTORY.read(HISTORY_LABEL, self.history)
        object.__setattr__(self, "history", [record_of(turn) for turn in turns])

    @property
    def before(self) -> tuple[Turn, ...]:
        """The turns before the message, oldest first."""
        return HISTORY.read(HISTORY_LABEL, self.history)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All that the model is to read: the turns before, then the message."""
        return (*self.before, Turn(PERSON, self.message))

    @property
    def options(self) -> DialogueOptions:
        """The same settings as the core names them."""
        names = [name for name in limits.names_of(DialogueRequest) if name not in SAID]
        return DialogueOptions(**{name: getattr(self, name) for name in names})


SAID = ("message", "history")  # the fields that are no settings


@dataclass(frozen=True, slots=True)
class DialogueResult:
    """The whole result so far.

    Attributes:
        request: What was asked.
        frame: What the model has said so far, with its weights and seed.
    """

    request: DialogueRequest
    frame: DialogueFrame

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The replies to choose from, in a fixed order."""
        return self.frame.candidates

    @property
    def reply(self) -> Candidate:
        """The reply that counts unless another is chosen: the first."""
        return self.candidates[0]

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The conversation after the reply; without a reply, that before the message.

        A message to which nothing was said is left out: the speakers alternate.
        """
        if not has_words(self.reply):
            return self.request.before
        return (*self.request.turns, Turn(MODEL, self.reply.text))

    @property
    def finished(self) -> bool:
        """Whether every reply has come to its end."""
        return all(candidate.finish for candidate in self.candidates)

    @property
    def begun(self) -> bool:
        """Whether any reply has words yet."""
        return any(map(has_words, self.candidates))


def has_words(candidate: Candidate) -> bool:
    """Tell whether a reply says anything: blanks alone are no turn."""
    return bool(candidate.text.strip())


def converse(
    request: DialogueRequest, model: DialoguePartner
) -> Iterator[DialogueResult]:
    """Yield the whole result so far after every decoding step.

    Raises:
        ModelError: The model cannot answer.
    """
    for frame in model.reply(request.turns, request.options):
        yield DialogueResult(request, frame)
