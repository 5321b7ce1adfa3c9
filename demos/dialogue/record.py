"""A reply as a record and as text, and a whole conversation to keep.

Changes when people who script against the output, or keep a conversation, need another
field.
"""

import json
from collections.abc import Iterator

from demos.candidates import candidate_record, settled
from demos.dialogue.conversation import Conversation, Exchange
from demos.dialogue.task import DialogueResult
from demos.dialogue.turns import MODEL, MOST_TURNS, PERSON, record_of
from demos.records import name_of
from model_core.interfaces.dialogue import Speaker

ADDED_FIELDS = (  # what to_record adds to the request's own
    "reply",
    "replies",
    "history",
    "num_turns_dropped",
    "num_turns_forgotten",
    "num_message_chars_dropped",
    "seed",
    "weights",
)
WHO: dict[Speaker, str] = {PERSON: "我 Me", MODEL: "模型 Model"}
SILENCE = "（没有说话 said nothing）"


def to_record(result: DialogueResult) -> dict[str, object]:
    """Return the message, the replies, and the history for the next message.

    ``history`` holds the latest turns, this reply included, as many as the next request
    takes; ``num_turns_forgotten`` counts the oldest ones left out of it, and
    ``num_turns_dropped`` those that the model could not read this time.
    """
    frame, turns = result.frame, result.turns
    return {
        "message": result.request.message,
        "reply": result.reply.text,
        "replies": [candidate_record(candidate) for candidate in result.candidates],
        "history": [record_of(turn) for turn in turns[-MOST_TURNS:]],
        "num_turns_dropped": frame.num_turns_dropped,
        "num_turns_forgotten": max(0, len(turns) - MOST_TURNS),
        "num_message_chars_dropped": frame.num_message_chars_dropped,
        "seed": frame.seed,
        "weights": name_of(frame.weights),
    }


def render_text(result: DialogueResult) -> str:
    """Return the reply; several replies under their numbers.

    Every later frame of one reply extends this text: a reply appears when those before
    it have come to their end.
    """
    if len(result.candidates) == 1:
        return result.reply.text
    texts = [candidate.text for candidate in settled(result.candidates)]
    return "\n\n".join(f"【{rank}】\n{text}" for rank, text in enumerate(texts, 1))


def as_jsonl(conversation: Conversation) -> str:
    """Return a conversation as JSON lines, a turn each, with how it came about.

    The lines can be given as ``history`` again, as long as every message has a reply.
    """
    lines = (
        json.dumps(record, ensure_ascii=False)
        for exchange in conversation.exchanges
        for record in _turn_records(exchange)
    )
    return "".join(f"{line}\n" for line in lines)


def as_text(conversation: Conversation) -> str:
    """Return a conversation as people read it."""
    lines = (
        f"{WHO[speaker]}：{text.strip() or SILENCE}\n"
        for exchange in conversation.exchanges
        for speaker, text in ((PERSON, exchange.message), (MODEL, exchange.reply.text))
    )
    return "".join(lines)


def _turn_records(exchange: Exchange) -> Iterator[dict[str, object]]:
    yield {"speaker": PERSON, "text": exchange.message}
    others = [
        one.text for n, one in enumerate(exchange.replies) if n != exchange.chosen
    ]
    yield {
        "speaker": MODEL,
        **candidate_record(exchange.reply),
        "others": others,
        "seed": exchange.seed,
        "weights": exchange.weights,
        "num_turns_unread": exchange.num_turns_unread,
    }
