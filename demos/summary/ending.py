"""End a text within its bounds and say so where there was more. Pure.

Changes when a summary is cut short differently.
"""

MORE = "…"  # stands where there was more
FULL_STOP = "。"
SOFT_ENDS = "，、：；"
SENTENCE_ENDS = "。！？!?"


def shortened(text: str, max_chars: int, *, broken_off: bool = False) -> str:
    """Return a text of at most so many characters.

    What is too long, or was broken off while it was written, ends after its last whole
    clause if that is at least half of it. An ellipsis says that there was more, unless
    a sentence ends there.

    Args:
        text: What was written.
        max_chars: >= 1.
        broken_off: Whether its writer would have gone on.
    """
    ended = not broken_off or text[-1:] in SENTENCE_ENDS
    if len(text) <= max_chars and ended:
        return text
    kept = _whole_clauses(text[:max_chars])
    if kept[-1:] in SENTENCE_ENDS:
        return kept
    return kept[: max_chars - 1].rstrip(SOFT_ENDS) + MORE


def closed(text: str) -> str:
    """Return a text with a full stop where it ends in a comma."""
    return text[:-1] + FULL_STOP if text[-1:] in tuple(SOFT_ENDS) else text


def _whole_clauses(text: str) -> str:
    """Return a text up to its last clause's end, if that leaves at least half."""
    end = max(text.rfind(mark) for mark in SENTENCE_ENDS + SOFT_ENDS) + 1
    return text[:end] if 2 * end >= len(text) else text
