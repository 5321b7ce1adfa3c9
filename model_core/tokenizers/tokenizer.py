"""A tokenizer put together from its parts; changes with how they fit.

Knows no file, no library and no language: the parts are handed in.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Protocol

from model_core.tokenizers.base import Encoding, IdArray, Pieces
from model_core.tokenizers.prefix_index import PrefixIndex
from model_core.tokenizers.vocabulary import Vocabulary
from model_core.tokenizers.writing import Writing


class Encoder(Protocol):
    """Cuts a text into tokens of a vocabulary."""

    def encode(self, text: str) -> Pieces:
        """Return ids, and lawful spans in the text as it was typed."""
        ...


class VocabularyTokenizer:
    """A ``base.Tokenizer``: one part cuts, the other writes, the vocabulary knows.

    Args:
        vocabulary: Tokens and which of them are special.
        encoder: Text to ids.
        writing: Ids to text.
    """

    def __init__(
        self, vocabulary: Vocabulary, encoder: Encoder, writing: Writing
    ) -> None:
        self._vocabulary = vocabulary
        self._encoder = encoder
        self._writing = writing
        special, id_of = vocabulary.special, vocabulary.id_of
        self.vocab_size = len(vocabulary.tokens)
        self.pad_id = id_of(special.pad)
        self.unk_id = id_of(special.unk)
        self.cls_id = id_of(special.cls)
        self.sep_id = id_of(special.sep)
        self.mask_id = id_of(special.mask)
        self.bos_id = id_of(special.bos)
        self.eos_id = id_of(special.eos)
        self.newline_id = id_of(special.newline)
        self.special_ids = vocabulary.special_ids

    def token_to_id(self, token: str) -> int | None:
        """Return the id of a token as the vocabulary spells it, special ones too."""
        return self._vocabulary.ids.get(token)

    def id_to_token(self, token_id: int) -> str:
        """Return the token as the vocabulary spells it; ValueError outside of it."""
        return self._vocabulary.tokens[self._checked(token_id)]

    def encode(self, text: str) -> Encoding:
        """Return the ids of any text and their spans in it; adds no special token."""
        ids, spans = self._encoder.encode(text) if text else ((), ())
        return Encoding(tuple(ids), tuple(spans))

    def decode(self, token_ids: Iterable[int]) -> str:
        """Return the text of ids; special ones are skipped, ValueError outside."""
        return "".join(self.decode_each(token_ids))

    def decode_each(self, token_ids: Iterable[int]) -> Iterator[str]:
        """Yield what each id adds to ``decode``."""
        return self._writing.join_each(map(self._checked, token_ids))

    def token_text(self, token_id: int) -> str:
        """Return a token's own characters, "" for a special one."""
        return self._writing.text_of(self._checked(token_id))

    def ids_starting_with(self, prefix: str, *, continuation: bool) -> IdArray:
        """Return the ids whose ``token_text`` starts with a prefix, ascending.

        Where the vocabulary draws no line between words and their ends, both answers
        are the same.
        """
        return self._prefixes[continuation].ids_starting_with(prefix)

    @cached_property
    def _prefixes(self) -> Mapping[bool, PrefixIndex]:
        rows = [
            (index, self._writing.text_of(index), self._writing.continues(index))
            for index in range(self.vocab_size)
        ]
        return {
            wanted: PrefixIndex(
                (index, text) for index, text, found in rows if found in (None, wanted)
            )
            for wanted in (False, True)
        }

    def _checked(self, token_id: int) -> int:
        if not 0 <= token_id < self.vocab_size:
            raise ValueError(
                f"expected a token id from 0 to {self.vocab_size - 1}; "
                f"received {token_id}"
            )
        return token_id
