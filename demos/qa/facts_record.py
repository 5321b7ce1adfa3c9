"""Facts found in a base as a record for files and as text for a terminal.

Changes when people who script against the output need another field.
"""

from dataclasses import asdict

from demos.qa.facts import FactsResult, MatchedFact
from demos.records import name_of

ADDED_FIELDS = ("matches", "elapsed_seconds", "weights", "base")
NOTHING = "库里没有沾边的。 Nothing in the base comes close."


def to_record(result: FactsResult) -> dict[str, object]:
    """Return the question, every match with its objects, the base and the weights."""
    return {
        "question": result.request.question,
        "matches": [_record_of(match) for match in result.matches],
        "elapsed_seconds": round(result.elapsed_seconds, 6),
        "weights": name_of(result.weights),
        "base": asdict(result.base),
    }


def render_text(result: FactsResult) -> str:
    """Return one line per fact, best first."""
    return "\n".join(map(_line, result.matches)) or NOTHING


def _line(match: MatchedFact) -> str:
    objects = "、".join(match.objects)
    return (
        f"{match.subject} — {match.key.predicate} → {objects} {match.probability:.2f}"
    )


def _record_of(match: MatchedFact) -> dict[str, object]:
    return {
        "subject": match.key.subject,
        "meaning": match.key.meaning,
        "predicate": match.key.predicate,
        "objects": list(match.objects),
        "probability": round(match.probability, 6),
    }
