"""Text to WordPiece ids, led back to the typed text; changes with the way back.

Knows no file: the parts that normalise and cut are handed in.
"""

from collections.abc import Sequence
from typing import Protocol

from model_core.tokenizers.base import Pieces, Span
from model_core.tokenizers.normalise import CharacterNormaliser, NormalisedText


class Segmenter(Protocol):
    """Cuts a normalised text into tokens of a vocabulary."""

    def segment(self, text: str) -> Pieces:
        """Return ids, and spans in the normalised text, both in its order."""
        ...


class WordEncoder:
    """Normalise, cut, and lead every span back to the typed text.

    Args:
        normaliser: Each character's normalised form.
        segmenter: Cuts the normalised text.
        newline_id: Of the token that every line break becomes, None for none.
    """

    def __init__(
        self,
        normaliser: CharacterNormaliser,
        segmenter: Segmenter,
        newline_id: int | None = None,
    ) -> None:
        self._normaliser = normaliser
        self._segmenter = segmenter
        self._newline_id = newline_id

    def encode(self, text: str) -> Pieces:
        """Return ids, and spans in the text as it was typed."""
        normalised = self._normaliser.normalise(text)
        ids, spans = self._segmenter.segment(normalised.text)
        placed = _placed(normalised, spans)
        if self._newline_id is not None and "\n" in text:
            return _with_newlines(text, ids, placed, self._newline_id)
        return ids, placed


def _placed(normalised: NormalisedText, spans: Sequence[Span]) -> Sequence[Span]:
    """Return the spans in the typed text; they are the same where no length changed."""
    if isinstance(normalised.starts, range):
        return spans
    return [normalised.span(start, end) for start, end in spans]


def _with_newlines(
    text: str, ids: Sequence[int], spans: Sequence[Span], newline_id: int
) -> Pieces:
    """Return the pieces with one more for every line break; no other holds one."""
    breaks = [index for index, char in enumerate(text) if char == "\n"]
    rows = [*zip(spans, ids, strict=True)]
    rows += [((index, index + 1), newline_id) for index in breaks]
    rows.sort(key=lambda row: row[0][0])
    return [token_id for _, token_id in rows], [span for span, _ in rows]
