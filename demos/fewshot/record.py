"""A classification as a record for files and as text for a terminal.

Changes when people who script against the output need another field.
"""

from demos.fewshot.task import FewshotResult
from demos.records import name_of
from model_core.interfaces import LearningFrame

ADDED_FIELDS = ("label", "probabilities", "filled", "weights")
DOTS = 30  # that a lesson draws in a terminal


def to_record(result: FewshotResult) -> dict[str, object]:
    """Return the text with its label, every label's probability and the sentence."""
    second = {"text_b": result.request.text_b} if result.request.text_b else {}
    return {
        "text": result.request.text,
        **second,
        "label": result.label,
        "probabilities": result.probabilities,
        "filled": result.filled,
        "weights": name_of(result.weights),
    }


def render_text(result: FewshotResult) -> str:
    """Return the answer for a person; dots that grow while the model learns."""
    if not result.finished:
        return f"学习 learning {_dots(result.learning)}" if result.learning else ""
    ranked = sorted(result.probabilities.items(), key=lambda one: (-one[1], one[0]))
    lines = (f"{share:7.2%}  {label}" for label, share in ranked)
    return "\n".join((result.filled, "", *lines))


def _dots(frame: LearningFrame) -> str:
    return "·" * (DOTS * frame.step // max(1, frame.num_steps))
