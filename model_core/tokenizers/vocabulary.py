"""Tokens by id and the parts they play; changes with the format of vocab.txt.

Knows no algorithm: it says which tokens a text may become and how each is written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import starmap
from pathlib import Path

from model_core.tokenizers.joining import Surface

CONTINUATION = "##"
PREVIEW_TOKENS = 5
UNUSED = re.compile(r"\[unused\d+\]")


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """Tokens with a part to play, as the vocabulary spells them.

    Attributes:
        pad: Fills a batch up.
        unk: Stands for what the vocabulary cannot spell.
        cls: Opens a sequence.
        sep: Closes a sequence.
        mask: A blank to fill.
        newline: Stands for a line break and is written as one, or None.
        additional: Further ones, e.g. marks of a style; those that the vocabulary
            lacks have no id and are passed over.
    """

    pad: str = "[PAD]"
    unk: str = "[UNK]"
    cls: str = "[CLS]"
    sep: str = "[SEP]"
    mask: str = "[MASK]"
    newline: str | None = None
    additional: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """All of them but the newline, which is a character of the text."""
        named = {self.pad, self.unk, self.cls, self.sep, self.mask}
        return (self.additional | named) - {self.newline}


BERT_TOKENS = SpecialTokens()


@dataclass(frozen=True)
class Vocabulary:
    """Tokens in the order of their ids.

    A token that stands twice keeps both ids; its text becomes the last of them, as in
    transformers.

    Attributes:
        tokens: One per id.
        special: Which of them are special.

    Raises:
        ValueError: No tokens at all, or the unknown or the newline token is not among
            them.
    """

    tokens: tuple[str, ...]
    special: SpecialTokens = BERT_TOKENS

    def __post_init__(self) -> None:
        needed = (self.special.unk, self.special.newline)
        missing = [t for t in needed if t is not None and t not in self.ids]
        if missing:
            message = (
                f"expected a vocabulary that holds {', '.join(missing)}; "
                f"received {_preview(self.tokens)}"
            )
            raise ValueError(message)

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """Id of every token, special ones too."""
        return {token: index for index, token in enumerate(self.tokens)}

    @cached_property
    def text_ids(self) -> Mapping[str, int]:
        """Id of every token that a typed text may become."""
        return {
            token: index
            for token, index in self.ids.items()
            if token and token != self.special.newline and index not in self.special_ids
        }

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids of the special tokens; ``[unused1]`` and its like always are."""
        names = self.special.names
        return frozenset(
            index
            for index, token in enumerate(self.tokens)
            if token in names or UNUSED.fullmatch(token)
        )

    @cached_property
    def surfaces(self) -> tuple[Surface, ...]:
        """How each id is written."""
        return tuple(starmap(self._surface, enumerate(self.tokens)))

    def _surface(self, index: int, token: str) -> Surface:
        if index in self.special_ids:
            return Surface("", continues=False)
        if token == self.special.newline:
            return Surface("\n", continues=False)
        continues = is_continuation(token)
        text = token.removeprefix(CONTINUATION) if continues else token
        return Surface(text, continues)


def is_continuation(token: str) -> bool:
    """Return whether a token only ever continues a word, like ``##ing``."""
    return token.startswith(CONTINUATION) and token != CONTINUATION


def load_tokens(path: Path) -> tuple[str, ...]:
    r"""Load vocab.txt: one token per line, the line's number is the id.

    A byte order mark is dropped, and ``\r\n`` ends a line as ``\n`` does. Empty lines
    keep their number and match no text. Spaces belong to the token.

    Raises:
        ValueError: The file is absent, holds no token or is not UTF-8.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError) as error:
        message = f"expected a vocabulary at {path}; received no such file"
        raise ValueError(message) from error
    except UnicodeDecodeError as error:
        message = (
            f"expected UTF-8 in {path}; "
            f"received byte 0x{error.object[error.start]:02x} at offset {error.start}"
        )
        raise ValueError(message) from error
    tokens = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if tokens == [""]:
        message = f"expected one token per line in {path}; received an empty file"
        raise ValueError(message)
    return tuple(tokens)


def _preview(tokens: tuple[str, ...]) -> str:
    shown = ", ".join(map(repr, tokens[:PREVIEW_TOKENS]))
    more = ", …" if len(tokens) > PREVIEW_TOKENS else ""
    return f"{len(tokens)} tokens: {shown}{more}"
