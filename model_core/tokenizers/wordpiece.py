"""WordPiece through the tokenizers library; changes with how a word becomes pieces.

Knows no file. Words are cut beforehand: at ideographs here, by jieba elsewhere.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import tokenizers
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from model_core.tokenizers.base import Pieces
from model_core.tokenizers.vocabulary import Vocabulary

LONGEST_WORD_CHARS = 100  # a longer one is unknown, as in BERT
# the library's own ranges, which leave out 2b820 to 2b91f
IDEOGRAPHS = (
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df"
    "\U0002a700-\U0002b81f\U0002b920-\U0002ceaf\U0002f800-\U0002fa1f"
)
IDEOGRAPH_OR_RUN = re.compile(f"[{IDEOGRAPHS}]| +|[^ {IDEOGRAPHS}]+")
RUN = re.compile("[^ ]+| +")

Row = tuple[int, int, int]  # start, end, id
Cut = Callable[[str], Iterable[str]]


class WordSegmenter:
    """Known words are one token each, the others go through WordPiece.

    Args:
        cut: Cuts a text into words that make it up again, spaces included.
        word_ids: Id of every word that is one token as it stands.
        pieces: Cuts the other words.
    """

    def __init__(
        self, cut: Cut, word_ids: Mapping[str, int], pieces: "WordPieces"
    ) -> None:
        self._cut = cut
        self._word_ids = word_ids
        self._pieces = pieces

    def segment(self, text: str) -> Pieces:
        """Return ids, and spans in the normalised text, both in its order."""
        rows: list[Row] = []
        words: list[str] = []
        starts: list[int] = []
        start = 0
        for word in self._cut(text):
            end = start + len(word)
            token_id = self._word_ids.get(word)
            if token_id is not None:
                rows.append((start, end, token_id))
            elif not word.isspace():
                words.append(word)
                starts.append(start)
            start = end
        rows.extend(self._pieces.rows(words, starts))
        rows.sort()
        return [row[2] for row in rows], [row[:2] for row in rows]


class WordPieces:
    """BERT's own cutting: white space, punctuation, ideographs, then longest pieces.

    Special tokens are kept from the library's vocabulary, so that no typed text can
    become one. The words must already be normalised.

    Args:
        vocabulary: Tokens that a text may become, and the unknown one.
        isolate_ideographs: Each Chinese character is a word of its own.
    """

    def __init__(
        self, vocabulary: Vocabulary, *, isolate_ideographs: bool = True
    ) -> None:
        unk = vocabulary.special.unk or ""
        ids = {**vocabulary.text_ids, unk: vocabulary.ids[unk]}
        model = WordPiece(
            ids, unk_token=unk, max_input_chars_per_word=LONGEST_WORD_CHARS
        )
        self._pipeline = tokenizers.Tokenizer(model)
        self._pipeline.normalizer = BertNormalizer(
            clean_text=False,
            handle_chinese_chars=isolate_ideographs,
            strip_accents=False,
            lowercase=False,
        )
        self._pipeline.pre_tokenizer = BertPreTokenizer()

    def rows(self, words: Sequence[str], starts: Sequence[int]) -> Iterator[Row]:
        """Yield the pieces of words that begin at ``starts``."""
        if not words:
            return
        encoding = self._pipeline.encode(
            words, is_pretokenized=True, add_special_tokens=False
        )
        found = zip(encoding.word_ids, encoding.offsets, encoding.ids, strict=True)
        for word, (start, end), token_id in found:
            if word is not None:  # None is for special tokens, and none is added
                yield starts[word] + start, starts[word] + end, token_id


def cut_ideographs(text: str) -> list[str]:
    """Return ideographs one by one, and the stretches that they and spaces part."""
    return IDEOGRAPH_OR_RUN.findall(text)


def cut_spaces(text: str) -> list[str]:
    """Return the stretches between spaces, and the spaces."""
    return RUN.findall(text)
