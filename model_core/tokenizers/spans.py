"""Spans as the tokenizers' laws want them, whatever a library answers.

Changes when the laws of ``base.Encoding`` do. Knows no library.
"""

import re
from collections.abc import Iterable

from model_core.tokenizers.base import Span

SURROGATE = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"


def lawful(text: str, spans: Iterable[Span]) -> list[Span]:
    """Return spans that are in order, in the text and never empty.

    Where one character became several tokens, a library gives it to one of them and
    leaves the others empty: all of them receive it. White space at the ends is left
    out, unless there is nothing else.

    Args:
        text: Not empty where there is a span.
        spans: (start, end), starts and ends nearly in order.
    """
    placed = []
    last = (0, 0)
    size = len(text)
    for start, end in spans:
        span = start, end
        if start >= end:
            span = min(start, size - 1), min(start, size - 1) + 1
        if text[span[0]].isspace() or text[span[1] - 1].isspace():
            span = _trimmed(text, *span)
        if span[0] < last[0] or span[1] < last[1]:
            span = max(span[0], last[0]), max(span[1], last[1])
        placed.append(span)
        last = span
    return placed


def without_surrogates(text: str) -> str:
    """Return a text that UTF-8 can hold, of the same length.

    A lone surrogate becomes U+FFFD, the mark of a character that could not be read.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return SURROGATE.sub(REPLACEMENT, text)
    return text


def _trimmed(text: str, start: int, end: int) -> Span:
    inner = text[start:end]
    if not inner.strip():
        return start, end
    return end - len(inner.lstrip()), start + len(inner.rstrip())
