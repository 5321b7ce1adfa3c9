"""Similar sentences as a record for files and as text for a terminal.

Changes when people who script against the output need another field.
"""

from demos.records import name_of
from demos.rephrasing.rephrasing import RephrasingResult
from model_core.interfaces import Rephrasing

DIGITS = 6
ADDED_FIELDS = (
    "rephrasings",
    "num_samples",
    "num_distinct",
    "num_chars_read",
    "pooling",
    "seed",
    "weights",
)  # beyond the request's own


def to_record(result: RephrasingResult) -> dict[str, object]:
    """Return the sentence, those like it with their cosines, seed and weights."""
    frame = result.frame
    return {
        "text": result.request.text,
        "rephrasings": [record_of(one) for one in result.rephrasings],
        "num_samples": frame.num_samples,
        "num_distinct": frame.num_distinct,
        "num_chars_read": frame.num_chars_read,
        "pooling": frame.pooling,
        "seed": frame.seed,
        "weights": name_of(frame.weights),
    }


def record_of(one: Rephrasing) -> dict[str, object]:
    """Return one sentence; its cosine is None while it is written."""
    return {
        "text": one.text,
        "cosine": one.cosine,
        "log_prob": round(one.log_prob, DIGITS),
    }


def render_text(result: RephrasingResult) -> str:
    """Return the sentences for a person; nothing before they are ranked."""
    if not result.finished:
        return ""
    return "\n".join(f"{one.cosine:.4f}  {one.text}" for one in result.rephrasings)
