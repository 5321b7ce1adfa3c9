"""An answer as a record for files and as text for a terminal.

Changes when people who script against the output need another field.
"""

from demos.qa.task import QaResult, best_of
from demos.records import name_of
from model_core.interfaces import (
    PassageVote,
    ReadAnswer,
    ReadingFrame,
)

# what to_record adds to the request's own; a line's own ``passage`` makes room for the
# index of the passage that holds the answer, its own ``mode`` for the one in use
ADDED_FIELDS = (
    "answer",
    "probability",
    "passage",
    "start",
    "mode",
    "answers",
    "votes",
    "modes",
    "weights",
)
NO_ANSWER = ReadAnswer("", 0.0)


def to_record(result: QaResult) -> dict[str, object]:
    """Return the question, the answer with its place, what lost, and every mode."""
    reading = result.reading
    return {
        "question": result.request.question,
        "passages": list(result.request.passages),
        **_answer_of(best_of(reading) or NO_ANSWER, "answer"),
        "mode": reading.mode,
        "answers": [_answer_of(one) for one in reading.answers],
        "votes": [_vote_of(vote) for vote in reading.votes],
        "modes": [_mode_of(one) for one in result.readings],
        "weights": name_of(reading.weights),
    }


def render_text(result: QaResult) -> str:
    """Return the answer with its place, a line per mode.

    Every later frame of one answer extends this text: a mode appears when it has come
    to its end.
    """
    done = [reading for reading in result.readings if reading.finished]
    return "\n".join(map(_line, done))


def place_of(one: ReadAnswer) -> str:
    """Return where an answer stands, for people, who count from 1; "" for nowhere."""
    if one.start < 0:
        return ""
    passage, character = one.passage + 1, one.start + 1
    return f"第 {passage} 段第 {character} 字 passage {passage}, character {character}"


def _line(reading: ReadingFrame) -> str:
    best = best_of(reading) or NO_ANSWER
    place = f"{place_of(best)} · " if best.start >= 0 else ""
    return (
        f"{best.text or '（没有答案 no answer）'}"
        f"（{best.probability:.0%} · {place}{reading.mode} "
        f"{reading.elapsed_seconds:.2f} s）"
    )


def _answer_of(one: ReadAnswer, key: str = "text") -> dict[str, object]:
    return {
        key: one.text,
        "probability": round(one.probability, 6),
        "passage": one.passage,
        "start": one.start,
    }


def _vote_of(vote: PassageVote) -> dict[str, object]:
    return {
        "passage": vote.passage,
        "has_answer": round(vote.has_answer, 6),
        "text": vote.text,
        "probability": round(vote.probability, 6),
        "start": vote.start,
    }


def _mode_of(reading: ReadingFrame) -> dict[str, object]:
    return {
        "mode": reading.mode,
        **_answer_of(best_of(reading) or NO_ANSWER, "answer"),
        "elapsed_seconds": round(reading.elapsed_seconds, 6),
        "num_steps": reading.num_steps,
        "num_windows": reading.num_windows,
    }
