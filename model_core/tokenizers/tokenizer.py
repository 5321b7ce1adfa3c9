"""A tokenizer put together from its parts; changes with how they fit.

Knows no file, no library and no language: the parts are handed in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Protocol

from model_core.tokenizers.base import Encoding, IdArray, Pieces, Span
from model_core.tokenizers.joining import IsSpaced, Surface, is_spaced, join_each
from model_core.tokenizers.normalise import CharacterNormaliser, NormalisedText
from model_core.tokenizers.prefix_index import PrefixIndex
from model_core.tokenizers.vocabulary import Vocabulary


class Segmenter(Protocol):
    """Cuts a normalised text into tokens of a vocabulary."""

    def segment(self, text: str) -> Pieces:
        """Return ids, and spans in the normalised text, both in its order."""
        ...


class VocabularyTokenizer:
    """A ``base.Tokenizer``: normalise, cut, and lead every span back to the typed text.

    Args:
        vocabulary: Tokens and which of them are special.
        normaliser: Each character's normalised form.
        segmenter: Cuts the normalised text.
        spaced: Says which characters belong to words that spaces hold apart.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        normaliser: CharacterNormaliser,
        segmenter: Segmenter,
        spaced: IsSpaced = is_spaced,
    ) -> None:
        self._vocabulary = vocabulary
        self._normaliser = normaliser
        self._segmenter = segmenter
        self._spaced = spaced
        special, ids = vocabulary.special, vocabulary.ids
        self.vocab_size = len(vocabulary.tokens)
        self.pad_id = ids.get(special.pad)
        self.unk_id = ids[special.unk]
        self.cls_id = ids.get(special.cls)
        self.sep_id = ids.get(special.sep)
        self.mask_id = ids.get(special.mask)
        self.newline_id = ids.get(special.newline) if special.newline else None
        self.special_ids = vocabulary.special_ids

    def token_to_id(self, token: str) -> int | None:
        """Return the id of a token as the vocabulary spells it, special ones too."""
        return self._vocabulary.ids.get(token)

    def id_to_token(self, token_id: int) -> str:
        """Return the token as the vocabulary spells it; ValueError outside of it."""
        self._check(token_id)
        return self._vocabulary.tokens[token_id]

    def encode(self, text: str) -> Encoding:
        """Return the ids of any text and their spans in it; adds no special token."""
        normalised = self._normaliser.normalise(text)
        ids, spans = self._segmenter.segment(normalised.text)
        placed = _placed(normalised, spans)
        if self.newline_id is not None and "\n" in text:
            ids, placed = _with_newlines(text, ids, placed, self.newline_id)
        return Encoding(tuple(ids), tuple(placed))

    def decode(self, token_ids: Iterable[int]) -> str:
        """Return the text of ids; special ones are skipped, ValueError outside."""
        return "".join(self.decode_each(token_ids))

    def decode_each(self, token_ids: Iterable[int]) -> Iterator[str]:
        """Yield what each id adds to ``decode``."""
        return join_each(map(self._surface, token_ids), self._spaced)

    def token_text(self, token_id: int) -> str:
        """Return a token's own characters, "" for a special one."""
        return self._surface(token_id).text

    def ids_starting_with(self, prefix: str, *, continuation: bool) -> IdArray:
        """Return the ids whose ``token_text`` starts with a prefix, ascending."""
        return self._prefixes[continuation].ids_starting_with(prefix)

    @cached_property
    def _prefixes(self) -> Mapping[bool, PrefixIndex]:
        surfaces = self._vocabulary.surfaces
        return {
            continues: PrefixIndex(
                (token_id, surface.text)
                for token_id, surface in enumerate(surfaces)
                if surface.continues == continues
            )
            for continues in (False, True)
        }

    def _surface(self, token_id: int) -> Surface:
        self._check(token_id)
        return self._vocabulary.surfaces[token_id]

    def _check(self, token_id: int) -> None:
        if not 0 <= token_id < self.vocab_size:
            message = (
                f"expected a token id from 0 to {self.vocab_size - 1}; "
                f"received {token_id}"
            )
            raise ValueError(message)


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
