"""Texts made of another text's stretches, and where each stretch stands in it. Pure.

Changes when stretches are joined or found again differently.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from demos.summary.clauses import Clause
from model_core.interfaces import CopiedSpan


@dataclass(frozen=True, slots=True)
class Passage:
    """A text made of another one's stretches.

    Attributes:
        text: Its characters.
        copied: Its stretches and where they stand in the other text.
    """

    text: str
    copied: tuple[CopiedSpan, ...]


def joined(clauses: Sequence[Clause]) -> Passage:
    """Return clauses as a text of their own.

    The blanks around a clause go; a single one stands where clauses that do not touch
    have no mark between them.

    Args:
        clauses: In the order of the text, none blank.
    """
    text, copied, last_end = "", list[CopiedSpan](), -1
    for clause in clauses:
        bare = clause.text.strip()
        start = clause.start + clause.text.index(bare)
        if text and start != last_end and not _is_mark(text[-1]):
            text += " "
        last_end = start + len(bare)
        copied.append(CopiedSpan(len(text), len(text) + len(bare), start))
        text += bare
    return Passage(text, tuple(copied))


def bare_length(clause: Clause) -> int:
    """Return the most characters that a clause adds to a passage."""
    bare = clause.text.strip()
    return len(bare) + (not _is_mark(bare[-1]))


def cut_spans(spans: Sequence[CopiedSpan], end: int) -> tuple[CopiedSpan, ...]:
    """Return spans as far as they lie before one character of their text."""
    return tuple(
        CopiedSpan(span.start, min(span.end, end), span.source_start)
        for span in spans
        if span.start < end
    )


def num_shared_chars(one: str, other: str) -> int:
    """Return how many characters two texts share from their start."""
    pairs = enumerate(zip(one, other, strict=False))
    differing = (place for place, (ours, theirs) in pairs if ours != theirs)
    return next(differing, min(len(one), len(other)))


def placed_spans(
    spans: Sequence[CopiedSpan], target: str, passage: Passage, text: str
) -> tuple[CopiedSpan, ...]:
    """Return copies out of a passage as copies out of the text it was made of.

    A copy that runs over two stretches is parted where they do not touch; characters
    that differ from the text's (a model may write another case or width) are left out.

    Args:
        spans: Stretches of the target, with offsets in the passage.
        target: What was written.
        passage: What it was written from.
        text: What the passage was made of.
    """
    origin = _origins(passage)
    pairs = [
        (span.start + step, origin.get(span.source_start + step, -1))
        for span in spans
        for step in range(span.end - span.start)
    ]
    return _runs([pair for pair in pairs if _same(target, text, *pair)])


def _origins(passage: Passage) -> dict[int, int]:
    """Return where each character of a passage stands in the text."""
    return {
        span.start + step: span.source_start + step
        for span in passage.copied
        for step in range(span.end - span.start)
    }


def _same(target: str, text: str, here: int, there: int) -> bool:
    return there >= 0 and target[here : here + 1] == text[there]


def _runs(pairs: Sequence[tuple[int, int]]) -> tuple[CopiedSpan, ...]:
    """Return neighbouring places in target and text as spans."""
    spans = list[CopiedSpan]()
    for here, there in pairs:
        if spans and _follows(spans[-1], here, there):
            last = spans.pop()
            spans.append(CopiedSpan(last.start, here + 1, last.source_start))
        else:
            spans.append(CopiedSpan(here, here + 1, there))
    return tuple(spans)


def _follows(span: CopiedSpan, here: int, there: int) -> bool:
    length = span.end - span.start
    return (here, there) == (span.end, span.source_start + length)


def _is_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("P")
