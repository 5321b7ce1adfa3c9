"""What weights say of a text, as records for files and as text for a terminal.

Changes when people who script against the output need another field.
"""

from demos.judging.classification import ClassificationResult
from demos.judging.detection import DetectionResult
from demos.records import name_of

DIGITS = 6
CLASSIFICATION_FIELDS = (
    "label",
    "probabilities",
    "num_chars_read",
    "num_chars_read_b",
    "weights",
)
DETECTION_FIELDS = ("replaced", "num_tokens", "num_chars_read", "weights")


def classification_record(result: ClassificationResult) -> dict[str, object]:
    """Return the text with its label and every label's probability."""
    second = {"text_b": result.request.text_b} if result.request.text_b else {}
    return {
        "text": result.request.text,
        **second,
        "label": result.label,
        "probabilities": result.probabilities,
        "num_chars_read": result.num_chars_read,
        "num_chars_read_b": result.num_chars_read_b,
        "weights": name_of(result.weights),
    }


def detection_record(result: DetectionResult) -> dict[str, object]:
    """Return the text and its tokens that look replaced, with their offsets."""
    return {
        "text": result.request.text,
        "replaced": [
            {
                "text": result.text_of(token),
                "start": token.start,
                "end": token.end,
                "probability": round(token.probability, DIGITS),
            }
            for token in result.replaced
        ],
        "num_tokens": len(result.tokens),
        "num_chars_read": result.num_chars_read,
        "weights": name_of(result.weights),
    }


def classification_text(result: ClassificationResult) -> str:
    """Return every label for a person, best first."""
    return "\n".join(f"{share:7.2%}  {label}" for label, share in result.ranked)


def detection_text(result: DetectionResult) -> str:
    """Return the text with brackets around what looks replaced."""
    text, shown, done = result.request.text, [], 0
    for token in result.replaced:
        shown += [text[done : token.start], f"【{result.text_of(token)}】"]
        done = token.end
    return "".join([*shown, text[done:]])
