"""What a row is made of, what it is, and where its documents lie.

Changes when rows carry more than tokens, segments and losses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
HEAD_TOKENS = 2  # a document opens with [CLS] and its style


@dataclass(frozen=True, slots=True)
class SpecialIds:
    """The tokens that rows must know.

    Attributes:
        cls, sep, mask, newline: The core's marks.
        blank: Stands between the spans of a target.
        title, summary: Open the source of a pseudo-summary.
        first_plain: Ids below it are marks.
        vocab_size: Number of ids.
        sentence_ends: End a sentence; a new line does so too.
        closers: Quotes and brackets that belong to the sentence before them.
    """

    cls: int
    sep: int
    mask: int
    first_plain: int
    vocab_size: int
    newline: int = -1
    blank: int = -1
    title: int = -1
    summary: int = -1
    sentence_ends: tuple[int, ...] = ()
    closers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Tokens of a corpus.

    Attributes:
        token_ids: Integers (length,).
        begins: bool (length,), where a word begins; everywhere if nobody knows.
    """

    token_ids: np.ndarray
    begins: np.ndarray

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.token_ids)

    def cut(self, start: int, end: int | None = None) -> "Stretch":
        """Return the tokens from ``start`` up to ``end``."""
        return Stretch(self.token_ids[start:end], self.begins[start:end])

    @classmethod
    def join(cls, pieces: Sequence["Stretch"]) -> "Stretch":
        """Lay stretches end to end."""
        return cls(
            np.concatenate([piece.token_ids for piece in pieces]),
            np.concatenate([piece.begins for piece in pieces]),
        )


class Row(NamedTuple):
    """A row of a batch.

    Attributes:
        token_ids, segment_ids: int32 (length,).
        places: (num_losses,), positions whose output is judged.
        targets: (num_losses,), the tokens expected there.
    """

    token_ids: Ints
    segment_ids: Ints
    places: np.ndarray
    targets: np.ndarray

    @classmethod
    def written(cls, token_ids: Ints, segment_ids: Ints, mark: int) -> "Row":
        """Return a row whose tokens of segment 1 are predicted by those before them.

        Args:
            token_ids: int32 (length,).
            segment_ids: int32 (length,).
            mark: Opens a document: nothing predicts it.
        """
        places = np.flatnonzero((token_ids[1:] != mark) & (segment_ids[1:] == 1))
        return cls(token_ids, segment_ids, places, token_ids[1:][places])


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """What of a document stands in a row.

    Attributes:
        start: Its first token's place in the row.
        end: The place after its last.
        head: [CLS] and style; empty where the document began in another row.
        text: What it says, without its end mark.
    """

    start: int
    end: int
    head: np.ndarray
    text: Stretch

    @property
    def text_start(self) -> int:
        """Place of the text's first token in the row."""
        return self.start + len(self.head)


def fragments(read: Stretch, ids: SpecialIds) -> Iterator[Fragment]:
    """Yield the documents of a row, and the parts of some at its ends."""
    opened = np.flatnonzero(read.token_ids == ids.cls).tolist()
    edges = sorted({0, *opened, len(read)})
    for start, end in pairwise(edges):
        whole = read.cut(start, end)
        head = HEAD_TOKENS if whole.token_ids[0] == ids.cls else 0
        last = len(whole) - int(whole.token_ids[-1] == ids.sep)
        text = whole.cut(head, max(head, last))
        yield Fragment(start, end, whole.token_ids[:head], text)
