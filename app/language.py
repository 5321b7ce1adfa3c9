"""Which language a visitor reads, by the browser's own word. Knows no page.

Changes when the page speaks a third language.
"""

from collections.abc import Mapping

from model_core.interfaces import Language

KNOWN: tuple[Language, ...] = ("zh", "en")
BOTH: Language = "both"


def language_of(accept_language: str | None) -> Language:
    """Return the visitor's first language that is spoken here, or both.

    A script seldom says: whoever names no language that is spoken here gets all that
    there is to say.

    Args:
        accept_language: The HTTP header (RFC 9110, 12.5.4), e.g. ``en-GB,zh;q=0.8``.
    """
    items = [_weighed(item) for item in (accept_language or "").split(",")]
    ranked = sorted(items, key=lambda item: -item[0])  # stable: ties keep their order
    wanted = [tag for weight, tag in ranked if weight > 0]
    return next((known for tag in wanted for known in KNOWN if known == tag), BOTH)


def said(sentence: Mapping[Language, str], language: Language) -> str:
    """Return a sentence as a visitor reads it: Chinese first where it is in both."""
    return sentence.get(language) or " / ".join(sentence[known] for known in KNOWN)


def _weighed(item: str) -> tuple[float, str]:
    tag, _, quality = item.partition(";q=")
    try:
        weight = float(quality or 1)
    except ValueError:
        weight = 0.0
    return weight, tag.strip().lower().split("-")[0]
