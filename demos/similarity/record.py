"""How alike two sentences are, as a record for files and as text for a terminal.

Changes when people who script against the output need another field.
"""

from demos.records import name_of
from demos.similarity.task import SimilarityResult

DIGITS = 6
ADDED_FIELDS = (
    "cosine",
    "num_chars_read",
    "num_chars_read_b",
    "pooling",
    "weights",
)  # beyond the request's own


def to_record(result: SimilarityResult) -> dict[str, object]:
    """Return both sentences, their cosine, what was read of them, and the weights."""
    return {
        "text": result.request.text,
        "text_b": result.request.text_b,
        "cosine": round(result.cosine, DIGITS),
        "num_chars_read": result.num_chars_read,
        "num_chars_read_b": result.num_chars_read_b,
        "pooling": result.pooling,
        "weights": name_of(result.weights),
    }


def render_text(result: SimilarityResult) -> str:
    """Return the cosine for a person."""
    return f"{result.cosine:.4f}"
