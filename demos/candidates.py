"""What a model wrote, one way or several: as records, and as far as they are settled.

Changes when people who script against written texts need another field. Knows no task.
"""

from collections.abc import Sequence

from model_core.interfaces import Candidate


def candidate_record(candidate: Candidate) -> dict[str, object]:
    """Return a candidate as JSON values."""
    return {
        "text": candidate.text,
        "log_prob": round(candidate.log_prob, 6),
        "finish": candidate.finish,
    }


def settled(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Return the first candidates, up to one that still grows."""
    growing = (n for n, candidate in enumerate(candidates, 1) if not candidate.finish)
    return candidates[: next(growing, len(candidates))]
