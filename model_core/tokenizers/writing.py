"""How ids are written out as text; changes when a vocabulary writes in another way.

Knows no files and no cutting. Every way keeps one law: the text of the first ids is a
prefix of the text of all of them, so a space belongs to the token after it, and half
of a character waits for its other half.
"""

import codecs
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Protocol

from model_core.tokenizers.joining import IsSpaced, Surface, is_spaced, join_each
from model_core.tokenizers.vocabulary import Vocabulary
from model_core.tokenizers.word_list import CONTINUATION

EVERY_SPACE = 1_000_000


class Writing(Protocol):
    """Writes ids that are known to be in the vocabulary."""

    def join_each(self, token_ids: Iterable[int]) -> Iterator[str]:
        """Yield what each id adds to the text, "" for a special one."""
        ...

    def text_of(self, token_id: int) -> str:
        """Return a token's own characters, "" where it has no whole one."""
        ...

    def continues(self, token_id: int) -> bool | None:
        """Return whether a token only continues a word; None: no line is drawn."""
        ...


class WordWriting:
    """WordPiece: ``##ing`` continues a word, spaces are put back by ``joining``.

    Args:
        vocabulary: Tokens and which of them are special.
        spaced: Says which characters belong to words that spaces hold apart.
        prefix: Marks what continues a word.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        spaced: IsSpaced = is_spaced,
        prefix: str = CONTINUATION,
    ) -> None:
        self._vocabulary = vocabulary
        self._spaced = spaced
        self._prefix = prefix

    def join_each(self, token_ids: Iterable[int]) -> Iterator[str]:
        """Yield what each id adds to the text, "" for a special one."""
        surfaces = self._surfaces
        return join_each((surfaces[i] for i in token_ids), self._spaced)

    def text_of(self, token_id: int) -> str:
        """Return a token's own characters: ``##ing`` is ``ing``."""
        return self._surfaces[token_id].text

    def continues(self, token_id: int) -> bool | None:
        """Return whether a token only continues a word."""
        return self._surfaces[token_id].continues

    @cached_property
    def _surfaces(self) -> tuple[Surface, ...]:
        special = self._vocabulary.special_ids
        return tuple(
            Surface("", continues=False) if index in special else self._surface(token)
            for index, token in enumerate(self._vocabulary.tokens)
        )

    def _surface(self, token: str) -> Surface:
        if token == self._vocabulary.special.newline:
            return Surface("\n", continues=False)
        text = token.removeprefix(self._prefix)
        return Surface(text or token, continues=bool(text) and text != token)


class PieceWriting:
    """Pieces that bring their spaces along: SentencePiece and byte-level BPE.

    Args:
        texts: UTF-8 of every id, b"" for special ones. A character may be spread over
            several: it is written when its last byte has come. Bytes that are no
            UTF-8 become U+FFFD, an unfinished character at the end becomes nothing.
        dropped_spaces: How many spaces at the start are taken away again, because the
            vocabulary puts them before every text.
    """

    def __init__(self, texts: Sequence[bytes], *, dropped_spaces: int) -> None:
        self._texts = texts
        self._dropped_spaces = dropped_spaces

    def join_each(self, token_ids: Iterable[int]) -> Iterator[str]:
        """Yield what each id adds to the text, "" for a special one."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        to_drop = self._dropped_spaces
        for token_id in token_ids:
            text = decoder.decode(self._texts[token_id])
            if text and to_drop:
                num_spaces = min(len(text) - len(text.lstrip(" ")), to_drop)
                text = text[num_spaces:]
                to_drop = 0 if text else to_drop - num_spaces
            yield text

    def rewritten(self, rule: Callable[[str], str]) -> "PieceWriting":
        """Return a writing of other characters that drops no space.

        Args:
            rule: A piece's characters to those that stand for it; single bytes are
                left as they are.
        """
        texts = [_rewritten(text, rule) for text in self._texts]
        return PieceWriting(texts, dropped_spaces=0)

    def text_of(self, token_id: int) -> str:
        """Return a token's characters, a space before them included."""
        try:
            return self._texts[token_id].decode()
        except UnicodeDecodeError:
            return ""

    def continues(self, token_id: int) -> bool | None:  # noqa: ARG002 - any token
        """Return None: a space is a character like any other."""
        return None


class EndedWordWriting:
    """BPE whose tokens say that a word ends with them, like GPT's ``ing</w>``.

    Args:
        vocabulary: Tokens and which of them are special.
        suffix: Marks the end of a word.
    """

    def __init__(self, vocabulary: Vocabulary, suffix: str) -> None:
        self._vocabulary = vocabulary
        self._suffix = suffix

    def join_each(self, token_ids: Iterable[int]) -> Iterator[str]:
        """Yield what each id adds to the text, "" for a special one."""
        space = ""
        for token_id in token_ids:
            text = self.text_of(token_id)
            yield space + text if text else ""
            if text:
                ends = self._vocabulary.tokens[token_id].endswith(self._suffix)
                space = " " if ends else ""

    def text_of(self, token_id: int) -> str:
        """Return a token's own characters: ``ing</w>`` is ``ing``."""
        if token_id in self._vocabulary.special_ids:
            return ""
        return self._vocabulary.tokens[token_id].removesuffix(self._suffix)

    def continues(self, token_id: int) -> bool | None:  # noqa: ARG002 - any token
        """Return None: a word's beginning looks like its middle."""
        return None


def _rewritten(text: bytes, rule: Callable[[str], str]) -> bytes:
    try:
        return rule(text.decode()).encode()
    except UnicodeDecodeError:
        return text
