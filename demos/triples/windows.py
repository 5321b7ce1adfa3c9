"""Windows: a long text in pieces that a model can read, cut where sentences end.

Changes when a text is cut at other places. Knows no model.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

CLOSING = "”’」』）)】》〉\"'"  # stays with the sentence that it closes
# Where to cut, the best first; a piece that is still too long is cut at the next.
CUTS = (
    re.compile(rf"[。！？；!?;\n]+[{CLOSING}]*"),
    re.compile(r"[，,、：:]+"),
    re.compile(r"\.?\s+"),
)
HARD_PARTS = 4  # of a window: text without any mark overlaps by such a part


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a text.

    Attributes:
        start: Its first character's offset in the text.
        text: Its characters, unchanged.
    """

    start: int
    text: str

    @property
    def end(self) -> int:
        """The offset behind its last character."""
        return self.start + len(self.text)


def windows(text: str, max_chars: int) -> tuple[Window, ...]:
    """Return windows that together hold all of the text but blanks.

    They end where sentences do, else at a comma, else at a blank, else anywhere. A
    window begins with the last sentence of the one before, where it fits beside the
    next sentence: what two neighbouring sentences say together is seen in one window.

    Args:
        text: Any text.
        max_chars: Longest window, at least 1.
    """
    if len(text) <= max_chars:
        cut = [Window(0, text)]
    else:
        cut = list(_pack(text, _pieces(text, max_chars), max_chars))
    return tuple(window for window in cut if window.text.strip())


def _pack(text: str, pieces: Sequence[str], max_chars: int) -> Iterator[Window]:
    """Yield windows of as many neighbouring pieces as fit."""
    starts = [0, *accumulate(map(len, pieces))]  # and the end
    first, count = 0, len(pieces)
    while first < count:
        last = first + 1
        while last < count and starts[last + 1] - starts[first] <= max_chars:
            last += 1
        yield Window(starts[first], text[starts[first] : starts[last]])
        if last == count:
            return
        fits_again = starts[last + 1] - starts[last - 1] <= max_chars
        first = last - 1 if fits_again and last - 1 > first else last


def _pieces(text: str, max_chars: int) -> list[str]:
    """Cut a text into pieces of at most ``max_chars``; joined they are the text."""
    pieces = [text]
    for cut in CUTS:
        pieces = [
            part
            for piece in pieces
            for part in ([piece] if len(piece) <= max_chars else _split(piece, cut))
        ]
    size = max(1, max_chars // HARD_PARTS)
    return [
        part
        for piece in pieces
        for part in ([piece] if len(piece) <= max_chars else _chop(piece, size))
    ]


def _split(text: str, cut: re.Pattern[str]) -> list[str]:
    """Cut behind every match."""
    ends = [0, *(found.end() for found in cut.finditer(text)), len(text)]
    return [text[start:end] for start, end in pairwise(ends) if start < end]


def _chop(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]
