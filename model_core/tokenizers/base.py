"""What the core may know of a tokenizer; changes when a new question is asked of one.

Knows no file, no algorithm and no library.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

IdArray = npt.NDArray[np.int32]
Span = tuple[int, int]
Pieces = tuple[Sequence[int], Sequence[Span]]  # ids, and where each stands


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids of one text and where each stands in it.

    Attributes:
        token_ids: (length,) ids, without special tokens around them.
        spans: (length,) half-open ``(start, end)`` Python string indices into the
            text as it was typed; starts never fall, and ``0 <= start < end <= len``.

    Raises:
        ValueError: The two differ in length.
    """

    token_ids: tuple[int, ...]
    spans: tuple[Span, ...]

    def __post_init__(self) -> None:
        if len(self.token_ids) != len(self.spans):
            message = (
                "expected one span per token id; "
                f"received {len(self.token_ids)} ids and {len(self.spans)} spans"
            )
            raise ValueError(message)

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.token_ids)


class Tokenizer(Protocol):
    """Text to ids and back over one fixed vocabulary; safe to share between threads."""

    @property
    def vocab_size(self) -> int:
        """Number of ids; they run from 0."""
        ...

    @property
    def pad_id(self) -> int | None:
        """Id of the padding token, or None where the vocabulary has none."""
        ...

    @property
    def unk_id(self) -> int | None:
        """Id that stands for what the vocabulary cannot spell."""
        ...

    @property
    def cls_id(self) -> int | None:
        """Id that opens a sequence."""
        ...

    @property
    def sep_id(self) -> int | None:
        """Id that closes a sequence."""
        ...

    @property
    def mask_id(self) -> int | None:
        """Id of a blank to fill."""
        ...

    @property
    def bos_id(self) -> int | None:
        """Id that a generated sequence starts from, where the files name one."""
        ...

    @property
    def eos_id(self) -> int | None:
        """Id that ends a generated sequence, where the files name one."""
        ...

    @property
    def special_ids(self) -> frozenset[int]:
        """Ids that no text can become and that add nothing to a decoded text.

        The newline token is not among them: it is a character of the text.
        """
        ...

    def token_to_id(self, token: str) -> int | None:
        """Return the id of a token as the vocabulary spells it, special ones too."""
        ...

    def id_to_token(self, token_id: int) -> str:
        """Return the token as the vocabulary spells it.

        Raises:
            ValueError: The id is outside of the vocabulary.
        """
        ...

    def encode(self, text: str) -> Encoding:
        """Return the ids of a text; any string at all is accepted.

        No special token is added, and none comes out: a typed ``[CLS]`` is text.
        """
        ...

    def decode(self, token_ids: Iterable[int]) -> str:
        """Return the text of ids; special ones are skipped.

        The text of the first ids is a prefix of the text of all of them, so a
        streamed text only ever grows.

        Raises:
            ValueError: An id is outside of the vocabulary.
        """
        ...

    def decode_each(self, token_ids: Iterable[int]) -> Iterator[str]:
        """Yield what each id adds to ``decode``: "" for a special one.

        Raises:
            ValueError: An id is outside of the vocabulary.
        """
        ...

    def token_text(self, token_id: int) -> str:
        """Return a token's own characters: ``##ing`` is ``ing``, a special one "".

        Raises:
            ValueError: The id is outside of the vocabulary.
        """
        ...

    def ids_starting_with(self, prefix: str, *, continuation: bool) -> IdArray:
        """Return the ids whose ``token_text`` starts with a prefix, ascending.

        Args:
            prefix: Compared as it is; a token's own characters are already in the
                vocabulary's case. "" matches every token that has characters.
            continuation: True for the tokens that continue a word (``##ing``), False
                for those that begin one.
        """
        ...
