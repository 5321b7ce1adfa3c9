"""A summary as a record for files and as text for a terminal.

Changes when people who script against the output need another field.
"""

from demos.records import name_of
from demos.summary.task import SummaryResult

ADDED_FIELDS = ("summary", "finish", "extracted", "weights")  # beside the request's


def to_record(result: SummaryResult) -> dict[str, object]:
    """Return the text, its summary, the clauses extracted, and the weights.

    Every extracted text stands in ``text`` at its ``start``. ``finish`` is ``stop`` or
    ``length``, "" where writing was stopped.
    """
    return {
        "text": result.request.text,
        "summary": result.draft.text,
        "finish": result.draft.finish,
        "extracted": _extracted(result),
        "weights": name_of(result.weights),
    }


def render_text(result: SummaryResult) -> str:
    """Return the summary; nothing before it has come to its end.

    A beam may still change its mind: what has been printed cannot be taken back.
    """
    return result.draft.text if result.finished else ""


def _extracted(result: SummaryResult) -> list[dict[str, object]]:
    extraction = result.extraction
    spans = extraction.passage.copied
    return [
        {
            "text": extraction.clauses[index].text.strip(),
            "start": span.source_start,
            "score": round(extraction.scores[index], 6),
        }
        for index, span in zip(extraction.chosen, spans, strict=True)
    ]
