r"""Cut a text into clauses that lose nothing: joined, they are the text.

Changes when a cut is placed elsewhere. SPACES (kexue.fm/archives/8046) cuts after
``\n。；：，``; here exclamation and question marks cut as well, and what runs on
without any of these is cut at a softer mark, at a blank, or at last anywhere.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MAX_CLAUSE_CHARS = 64
SENTENCE_ENDS = "\n。！？"
# A run, the marks behind it and what they close; possessive, so that time is linear.
_MARKED = re.compile(
    r"(?s)(?=.)[^\n。；：，！？]*+(?:[\n。；：，！？][”’」』）》】\s]*+)*+"
)
# Where a long run may be cut: after a soft mark or a blank, never within a number.
_SOFT = re.compile(r"[,;:!?、…—](?!\d)|\.(?![\w.])|\s")
_CONTENT = frozenset("LMNS")  # letters, marks that combine, numbers, symbols
_TAIL = "\n。；：，！？”’」』）》】 \t\u3000"  # what may close a clause


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a text.

    Attributes:
        text: Its characters, the marks and blanks behind it included.
        start: Offset of its first character in the whole text.
    """

    text: str
    start: int

    @property
    def end(self) -> int:
        """Offset after its last character."""
        return self.start + len(self.text)

    @property
    def ends_sentence(self) -> bool:
        """Whether one of its closing marks ends a sentence."""
        tail = self.text[len(self.text.rstrip(_TAIL)) :]
        return any(mark in SENTENCE_ENDS for mark in tail)


def cut_clauses(text: str) -> tuple[Clause, ...]:
    """Return the clauses of a text, in order.

    Joined they are the text. Every clause has a letter, a number or a symbol, where the
    text has any; from its first to its last one, a clause is at most
    ``MAX_CLAUSE_CHARS`` long.
    """
    marked = (match[0] for match in _MARKED.finditer(text))
    pieces = (part for piece in marked for part in _bounded(piece))
    return tuple(_placed(_filled(pieces)))


def readable_clauses(text: str, max_clauses: int) -> tuple[Clause, ...]:
    """Return the clauses that a scorer can read at once.

    A text with more of them is taken by its sentences, cut where they grow long; where
    that is not enough either, its last ones are taken: a text ends with what matters.

    Args:
        text: The whole text.
        max_clauses: The most that can be scored at once, >= 1.
    """
    clauses = cut_clauses(text)
    if len(clauses) > max_clauses:
        clauses = tuple(_placed(_sentences(clauses)))
    return clauses[-max_clauses:]


def has_content(text: str) -> bool:
    """Tell whether a text is more than punctuation and blanks."""
    return any(unicodedata.category(char)[0] in _CONTENT for char in text)


def _bounded(piece: str) -> Iterator[str]:
    """Yield a piece whole, or cut so that no part is too long."""
    start, end_of_content = 0, len(piece.rstrip(_TAIL))
    while end_of_content - start > MAX_CLAUSE_CHARS:
        end = _softest_end(piece, start, start + MAX_CLAUSE_CHARS)
        yield piece[start:end]
        start = end
    yield piece[start:]


def _softest_end(piece: str, start: int, limit: int) -> int:
    """Return the last place up to a limit where a cut hurts least."""
    end = limit
    for match in _SOFT.finditer(piece, start, limit + 1):  # it looks one further
        if match.end() <= limit:
            end = match.end()
    return end


def _filled(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the pieces with content; those without go with the one before."""
    held, filled = "", False
    for piece in pieces:
        fills = has_content(piece)
        if filled and fills:
            yield held
            held = ""
        held, filled = held + piece, filled or fills
    if held:
        yield held


def _sentences(clauses: Sequence[Clause]) -> Iterator[str]:
    """Yield neighbours of one sentence joined, as long as they stay short."""
    held = ""
    for clause, previous in zip(clauses, (None, *clauses), strict=False):
        parted = previous is not None and previous.ends_sentence
        if held and (parted or len(held) + len(clause.text) > MAX_CLAUSE_CHARS):
            yield held
            held = ""
        held += clause.text
    if held:
        yield held


def _placed(texts: Iterable[str]) -> Iterator[Clause]:
    start = 0
    for text in texts:
        yield Clause(text, start)
        start += len(text)
