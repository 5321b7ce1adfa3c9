"""A whole conversation as a value: say, say again, take back, choose another reply.

Changes when something else can be done with a conversation. Longer than what a request
carries; what no longer fits is counted, and nothing leaves it unasked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from demos.dialogue.task import (
    MAX_SEED,
    DialogueResult,
    has_words,
)
from demos.dialogue.turns import (
    HISTORY_LABEL,
    MODEL,
    MOST_TURNS,
    PERSON,
    record_of,
)
from demos.records import name_of
from model_core.interfaces import Candidate
from model_core.interfaces.dialogue import Turn

MOST_EXCHANGES = 100


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message and the replies to it.

    Attributes:
        message: What the person said.
        replies: What the model said, without the tokens behind it; one of them counts.
        weights: Which weights answered, by a name that can be asked for.
        seed: The seed in use.
        num_new_tokens: Tokens drawn, over all replies.
        elapsed_seconds: How long it took.
        num_turns_unread: Oldest turns of the conversation that were not read for it.
        num_message_chars_dropped: Characters at the message's start that did not fit.
        chosen: Which reply counts, from 0.
    """

    message: str
    replies: tuple[Candidate, ...]
    weights: str
    seed: int
    num_new_tokens: int
    elapsed_seconds: float
    num_turns_unread: int = 0
    num_message_chars_dropped: int = 0
    chosen: int = 0

    @property
    def reply(self) -> Candidate:
        """The reply that counts."""
        return self.replies[self.chosen]

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The two turns, or none where nothing was said to the message."""
        if not has_words(self.reply):
            return ()
        return Turn(PERSON, self.message), Turn(MODEL, self.reply.text)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said so far, and what waits for its reply.

    Attributes:
        exchanges: Oldest first.
        pending: A message without any word of a reply yet; "" where there is none.
    """

    exchanges: tuple[Exchange, ...] = ()
    pending: str = ""

    @property
    def last(self) -> Exchange | None:
        """The latest exchange, None before the first."""
        return self.exchanges[-1] if self.exchanges else None

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Everything that a model could read, oldest first."""
        return turns_of(self.exchanges)

    @property
    def history(self) -> list[dict[str, str]]:
        """The latest turns, as many as a request takes."""
        return [record_of(turn) for turn in self.turns[-MOST_TURNS:]]

    def asking(self, message: str) -> "Conversation":
        """Return the conversation while a message waits for its reply.

        Raises:
            InvalidRequestError: It is as long as one may be.
        """
        if len(self.exchanges) >= MOST_EXCHANGES:
            raise HISTORY_LABEL.refuse(
                f"已有 {MOST_EXCHANGES} 轮，一段对话最多这么长；请先下载，再点“清空”，"
                "另起一段。",
                f"has {MOST_EXCHANGES} exchanges, as many as a conversation may have: "
                "download it, then press Reset to begin another.",
            )
        return replace(self, pending=message)

    def after(self, result: DialogueResult) -> "Conversation":
        """Return the conversation with a result, growing or whole, at its end."""
        frame = result.frame
        unsent = len(self.turns) - len(result.request.before)
        exchange = Exchange(
            message=result.request.message,
            replies=tuple(replace(one, tokens=()) for one in frame.candidates),
            weights=name_of(frame.weights),
            seed=frame.seed,
            num_new_tokens=frame.num_new_tokens,
            elapsed_seconds=frame.elapsed_seconds,
            num_turns_unread=unsent + frame.num_turns_dropped,
            num_message_chars_dropped=frame.num_message_chars_dropped,
        )
        return Conversation((*self.exchanges, exchange))

    def without_last(self) -> "Conversation":
        """Return the conversation before its latest exchange; an empty one as it is."""
        return Conversation(self.exchanges[:-1])

    def choosing(self, rank: object) -> "Conversation":
        """Return it with another of the latest replies; as it is for any other rank.

        Args:
            rank: Which reply, from 0; straight from the visitor.
        """
        last = self.last
        if (
            last is None
            or type(rank) is not int
            or rank not in range(len(last.replies))
        ):
            return self
        return Conversation((*self.exchanges[:-1], replace(last, chosen=rank)))

    def to_repeat(self) -> tuple[Exchange, int]:
        """Return the exchange to be said again, and the seed of another reply.

        Raises:
            InvalidRequestError: Nothing has been said yet.
        """
        if self.last is None:
            raise HISTORY_LABEL.refuse(
                "还是空的，没有可以重说的话；请先发一条消息。",
                "is still empty, so there is nothing to regenerate: send a message "
                "first.",
            )
        # past the seeds of all replies, should they have been drawn from neighbours
        seed = (self.last.seed + len(self.last.replies)) % (MAX_SEED + 1)
        return self.last, seed


def turns_of(exchanges: Sequence[Exchange]) -> tuple[Turn, ...]:
    """Return the turns of several exchanges, oldest first."""
    return tuple(turn for exchange in exchanges for turn in exchange.turns)
