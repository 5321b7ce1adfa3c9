"""What of a text stands in its source: digits, whole numbers, Latin words, names.

Changes when a number or a word is cut otherwise. Full-width digits and letters count
as half-width ones. A number kept is a whole number of the source: ``12`` is not kept
by ``120``. A name kept occurs in the source, wherever jieba would cut that. Numbers in
Chinese characters are not looked at.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from model_core.tokenizers.word_marks import KINDS, WORD_MARKS, begins_word

_HALF_WIDTH = {0xFF01 + n: 0x21 + n for n in range(94)}
_HALF_WIDTH = {wide: half for wide, half in _HALF_WIDTH.items() if chr(half).isalnum()}
_DIGIT = re.compile(r"[0-9]")
_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
_LATIN_WORD = re.compile(r"[A-Za-z]+")
NAMES = ("person", "place", "institution", "name")  # jieba's nr, ns, nt, nz
SHORTEST_NAME = 2  # a single character that is tagged as a name seldom is one


@dataclass(frozen=True, slots=True)
class Kept:
    """How much was said and how much of it the source has.

    Attributes:
        said: Pieces of the text, each as often as it stands there.
        kept: Those of them that the source has.
    """

    said: int
    kept: int

    @property
    def share(self) -> float:
        """Kept of said; 1 where nothing was said, as nothing was made up."""
        return self.kept / self.said if self.said else 1.0


def digits(text: str) -> list[str]:
    """Return a text's digit characters."""
    return _DIGIT.findall(text.translate(_HALF_WIDTH))


def numbers(text: str) -> list[str]:
    """Return a text's numbers, with the points and commas inside them."""
    return _NUMBER.findall(text.translate(_HALF_WIDTH))


def latin_words(text: str) -> list[str]:
    """Return a text's words of Latin letters, lower-cased."""
    return _LATIN_WORD.findall(text.translate(_HALF_WIDTH).lower())


def names(text: str) -> list[str]:
    """Return the words that jieba tags as names of somebody, a place or a body."""
    marks = WORD_MARKS.of_text(text)
    bounds = [*np.flatnonzero(begins_word(marks)).tolist(), len(text)]
    return [
        text[start:end]
        for start, end in pairwise(bounds)
        if KINDS[(int(marks[start]) - 1) // 2] in NAMES and end - start >= SHORTEST_NAME
    ]


@dataclass(frozen=True, slots=True)
class Pieces:
    """What is counted of a text.

    Attributes:
        cut: Returns a text's pieces.
        whole: Whether one is kept by a piece of the source alone, not by a part of one.
    """

    cut: Callable[[str], list[str]]
    whole: bool = True


PIECES: dict[str, Pieces] = {
    "digits": Pieces(digits),
    "numbers": Pieces(numbers),
    "latin_words": Pieces(latin_words),
    "names": Pieces(names, whole=False),
}


def kept(pairs: Iterable[tuple[str, str]], pieces: Pieces) -> Kept:
    """Count the pieces of texts and those that their sources have.

    Args:
        pairs: Of a source and a text made from it.
        pieces: Such as one of ``PIECES``.
    """
    said = stand = 0
    for source, text in pairs:
        mine = pieces.cut(text)
        theirs = frozenset(pieces.cut(source)) if pieces.whole else source
        said += len(mine)
        stand += sum(piece in theirs for piece in mine)
    return Kept(said, stand)
