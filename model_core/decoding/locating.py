"""Where written names stand in a text: the two occurrences nearest to one another.

Changes when a written name may differ from the text in another way. Knows no network.
Vocabularies of SentencePiece normalise (full-width letters become plain ones) and
write blanks where the text has none, so both are compared in one form (NFKC, without
blanks, case kept).
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Searched:
    """A text in the form that names are looked up in.

    Attributes:
        text: As it was typed.
        folded: Its characters in that form, blanks left out.
        origins: (length of ``folded``,): where each comes from.
    """

    text: str
    folded: str
    origins: tuple[int, ...]

    def occurrences(self, name: str) -> Iterator[Span]:
        """Yield where a name stands in the text, half-open; nowhere for a blank one.

        A name does not begin or end amid a word of letters or amid a number: Art is
        not in Arthur, 18 not in 1881.
        """
        wanted = _folded(name)
        start = self.folded.find(wanted) if wanted else -1
        while start >= 0:
            span = self._span(start, start + len(wanted))
            if not self._is_amid(span[0]) and not self._is_amid(span[1]):
                yield span
            start = self.folded.find(wanted, start + 1)

    def _span(self, start: int, end: int) -> Span:
        return self.origins[start], self.origins[end - 1] + 1

    def _is_amid(self, edge: int) -> bool:
        """Whether a word goes on from one side of an edge to the other."""
        if not 0 < edge < len(self.text):
            return False
        before, after = self.text[edge - 1], self.text[edge]
        letters = _is_cased(before) and _is_cased(after)
        return letters or (before.isdigit() and after.isdigit())


def searched(text: str) -> Searched:
    """Return a text in the form that names are looked up in."""
    folded = [(char, n) for n, raw in enumerate(text) for char in _folded(raw)]
    return Searched(
        text, "".join(char for char, _ in folded), tuple(n for _, n in folded)
    )


def nearest_pair(
    text: Searched, subject: str, object_: str
) -> tuple[Span, Span] | None:
    """Return where two names stand closest to one another, None where one is absent.

    Those that do not overlap come before those that do; of pairs as close the first
    in the text counts. Two names that are one span are no pair.
    """
    pairs = (
        pair
        for pair in product(text.occurrences(subject), text.occurrences(object_))
        if pair[0] != pair[1]
    )
    return min(pairs, key=_distance, default=None)


def _distance(pair: tuple[Span, Span]) -> tuple[bool, int, tuple[Span, Span]]:
    gap = max(pair[0][0], pair[1][0]) - min(pair[0][1], pair[1][1])
    return gap < 0, max(gap, 0), pair


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    return "".join(char for char in plain if not char.isspace())


def _is_cased(char: str) -> bool:
    return char.lower() != char.upper()
