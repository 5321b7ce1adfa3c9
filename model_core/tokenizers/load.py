"""A tokenizer from a checkpoint's folder; changes with which parts make one up.

Knows the names of the files; what stands in them, ``vocabulary`` and ``settings`` do.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from model_core.tokenizers.base import Tokenizer
from model_core.tokenizers.jieba_words import DICTIONARY
from model_core.tokenizers.joining import is_ascii_word, is_spaced
from model_core.tokenizers.normalise import CharacterNormaliser
from model_core.tokenizers.settings import TokenizerSettings, Words, read_settings
from model_core.tokenizers.tokenizer import VocabularyTokenizer
from model_core.tokenizers.vocabulary import (
    CONTINUATION,
    Vocabulary,
    is_continuation,
    load_tokens,
)
from model_core.tokenizers.wordpiece import (
    WordPieces,
    WordSegmenter,
    cut_ideographs,
    cut_spaces,
)

VOCABULARY_FILE = "vocab.txt"
CONFIG_FILE = "tokenizer_config.json"
# BERT's own vocabularies hold some dozens of Chinese words, WoBERT's tens of thousands
WORD_VOCABULARY_MIN_WORDS = 1_000
CHINESE_WORD = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]{2,}")


def load_tokenizer(folder: Path, *, words: Words = "auto") -> Tokenizer:
    """Load the tokenizer of a checkpoint.

    Args:
        folder: Holds vocab.txt (see ``vocabulary.load_tokens``) and, where it is not
            plain BERT, tokenizer_config.json (see ``settings.read_settings``).
        words: Overrides the file's ``jieba_words`` unless ``auto``.

    Raises:
        ValueError: A file is absent or broken, an option is not of its type, or the
            vocabulary lacks the unknown or the newline token.
    """
    tokens = load_tokens(folder / VOCABULARY_FILE)
    settings = read_settings(_load_config(folder / CONFIG_FILE))
    if words != "auto":
        settings = replace(settings, words=words)
    return build_tokenizer(tokens, settings)


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
    vocabulary = Vocabulary(tuple(tokens), settings.special)
    normaliser = CharacterNormaliser(
        lowercase=settings.lowercase,
        strip_accents=settings.strip_accents,
        folds=_folds(vocabulary) if settings.full_width == "fold" else None,
    )
    by_words = _cuts_words(vocabulary, settings.words)
    segmenter = _segmenter(vocabulary, settings, by_words=by_words)
    spaced = is_ascii_word if by_words else is_spaced
    return VocabularyTokenizer(vocabulary, normaliser, segmenter, spaced)


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


def _load_config(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:  # of the encoding too
        message = f"expected JSON in {path}; received {error}"
        raise ValueError(message) from error
    if not isinstance(content, dict):
        message = f"expected a JSON object in {path}; received {type(content).__name__}"
        raise ValueError(message)
    return content
