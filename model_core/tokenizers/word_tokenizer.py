"""WordPiece put together: BERT's reading, jieba's before it; changes with its parts.

Knows no file.
"""

import re
from collections.abc import Callable, Sequence

from model_core.tokenizers.jieba_words import DICTIONARY
from model_core.tokenizers.joining import is_ascii_word, is_spaced
from model_core.tokenizers.normalise import CharacterNormaliser
from model_core.tokenizers.settings import TokenizerSettings, Words
from model_core.tokenizers.tokenizer import VocabularyTokenizer
from model_core.tokenizers.vocabulary import Vocabulary
from model_core.tokenizers.word_encoder import WordEncoder
from model_core.tokenizers.word_list import CONTINUATION, is_continuation, marked_ids
from model_core.tokenizers.wordpiece import (
    WordPieces,
    WordSegmenter,
    cut_ideographs,
    cut_spaces,
)
from model_core.tokenizers.writing import WordWriting

# BERT's own vocabularies hold some dozens of Chinese words, WoBERT's tens of thousands
WORD_VOCABULARY_MIN_WORDS = 1_000
CHINESE_WORD = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]{2,}")


def build_tokenizer(
    tokens: Sequence[str], settings: TokenizerSettings
) -> VocabularyTokenizer:
    """Build a tokenizer from values alone.

    Args:
        tokens: One per id.
        settings: How text becomes tokens.

    Raises:
        ValueError: The tokens lack the unknown or the newline token.
    """
    marks = marked_ids(tokens)
    return build_word_tokenizer(
        Vocabulary(tuple(tokens), settings.special, marks), settings
    )


def build_word_tokenizer(
    vocabulary: Vocabulary, settings: TokenizerSettings
) -> VocabularyTokenizer:
    """Build a tokenizer over a vocabulary that knows its special tokens.

    Args:
        vocabulary: Tokens in BERT's spelling.
        settings: How text becomes tokens; its special tokens are not looked at.
    """
    normaliser = CharacterNormaliser(
        lowercase=settings.lowercase,
        strip_accents=settings.strip_accents,
        folds=_folds(vocabulary) if settings.full_width == "fold" else None,
    )
    by_words = _cuts_words(vocabulary, settings.words)
    segmenter = _segmenter(vocabulary, settings, by_words=by_words)
    newline_id = vocabulary.id_of(vocabulary.special.newline)
    return VocabularyTokenizer(
        vocabulary,
        WordEncoder(normaliser, segmenter, newline_id),
        WordWriting(vocabulary, is_ascii_word if by_words else is_spaced),
    )


def _segmenter(
    vocabulary: Vocabulary, settings: TokenizerSettings, *, by_words: bool
) -> WordSegmenter:
    isolate = settings.tokenize_chinese_chars
    pieces = WordPieces(vocabulary, isolate_ideographs=isolate)
    ids = {t: i for t, i in vocabulary.text_ids.items() if not is_continuation(t)}
    if by_words:
        return WordSegmenter(DICTIONARY.cut, ids, pieces)
    # the others hold punctuation, which BERT takes apart
    whole = {t: i for t, i in ids.items() if len(t) == 1 or t.isalnum()}
    return WordSegmenter(cut_ideographs if isolate else cut_spaces, whole, pieces)


def _cuts_words(vocabulary: Vocabulary, words: Words) -> bool:
    if words != "auto":
        return words == "jieba"
    num_words = sum(map(bool, map(CHINESE_WORD.fullmatch, vocabulary.text_ids)))
    return num_words >= WORD_VOCABULARY_MIN_WORDS


def _folds(vocabulary: Vocabulary) -> Callable[[str], bool]:
    ids = vocabulary.text_ids

    def folds(form: str) -> bool:
        inside_words = form.isalnum() and CONTINUATION + form not in ids
        return form not in ids or inside_words

    return folds
