"""Headlines as a record for files and as text for a terminal.

Changes when people who script against the output need another field.
"""

from demos.records import name_of
from demos.title.task import Title, TitleResult

ADDED_FIELDS = ("titles", "num_chars_read", "weights")  # beyond the request's own


def to_record(result: TitleResult) -> dict[str, object]:
    """Return the article, its headlines best first, what was read, and the weights.

    ``finish`` is ``stop`` or ``length``, "" where writing was stopped.
    """
    return {
        "text": result.request.text,
        "titles": [_record_of(title) for title in result.titles],
        "num_chars_read": result.num_chars_read,
        "weights": name_of(result.frame.weights),
    }


def render_text(result: TitleResult) -> str:
    """Return the headlines, a line each; nothing before they have come to their end.

    A beam may still change its mind: what has been printed cannot be taken back.
    """
    if not result.finished:
        return ""
    texts = [title.text for title in result.titles]
    if len(texts) == 1:
        return texts[0]
    return "\n".join(f"【{rank}】{text}" for rank, text in enumerate(texts, 1))


def _record_of(title: Title) -> dict[str, object]:
    return {
        "text": title.text,
        "log_prob": round(title.log_prob, 6),
        "finish": title.candidate.finish,
    }
