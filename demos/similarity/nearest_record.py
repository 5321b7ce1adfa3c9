"""The nearest lines as a record for files and as text for a terminal.

Changes when people who script against the output need another field.
"""

from demos.records import name_of
from demos.similarity.nearest import NearestResult, Neighbour

ADDED_FIELDS = (
    "nearest",
    "num_lines",
    "num_distinct",
    "num_read",
    "num_chars_read",
    "num_cut",
    "pooling",
    "weights",
)  # beyond the request's own


def to_record(result: NearestResult) -> dict[str, object]:
    """Return the query, its nearest lines, how many were searched, and the weights.

    ``num_read`` is less than ``num_distinct`` where the search was stopped.
    """
    return {
        "query": result.request.query,
        "nearest": [record_of(one) for one in result.neighbours],
        "num_lines": result.num_lines,
        "num_distinct": result.num_distinct,
        "num_read": result.num_read,
        "num_chars_read": result.num_chars_read,
        "num_cut": result.num_cut,
        "pooling": result.pooling,
        "weights": name_of(result.weights),
    }


def record_of(neighbour: Neighbour) -> dict[str, object]:
    """Return one line with its cosine; ``lines`` are all that hold it."""
    return {
        "text": neighbour.line.text,
        "cosine": neighbour.cosine,
        "line": neighbour.line.numbers[0],
        "lines": list(neighbour.line.numbers),
    }


def render_text(result: NearestResult) -> str:
    """Return the lines for a person; nothing before all have been read."""
    if not result.finished:
        return ""
    return "\n".join(
        f"{one.cosine:.4f}  {one.line.numbers[0]:>6}  {one.line.text}"
        for one in result.neighbours
    )
