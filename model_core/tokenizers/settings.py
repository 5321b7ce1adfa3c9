"""How a vocabulary reads text, as tokenizer_config.json may say; changes with options.

Reads parsed values only: no file, no algorithm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from model_core.tokenizers.declared import read_special_tokens
from model_core.tokenizers.options import read_count, read_flag, wrong_option
from model_core.tokenizers.vocabulary import BERT_TOKENS, SpecialTokens

Words = Literal["auto", "characters", "jieba"]
FullWidth = Literal["keep", "fold"]


@dataclass(frozen=True, slots=True)
class TokenizerSettings:
    """How a vocabulary of words reads text; the defaults are BERT's.

    Attributes:
        lowercase: ``do_lower_case``.
        strip_accents: None follows ``lowercase``.
        tokenize_chinese_chars: Each ideograph is a word of its own.
        words: ``jieba`` cuts words first; ``auto`` does so where the vocabulary holds
            Chinese words, which characters alone could never become.
        full_width: ``fold`` reads a full-width form that the vocabulary lacks as its
            ASCII form; a letter or digit must be there both at a word's start and
            inside one, or it is folded.
        special: Tokens with a part to play.
    """

    lowercase: bool = True
    strip_accents: bool | None = None
    tokenize_chinese_chars: bool = True
    words: Words = "auto"
    full_width: FullWidth = "keep"
    special: SpecialTokens = BERT_TOKENS


@dataclass(frozen=True, slots=True)
class PieceSettings:
    """How a vocabulary of pieces reads text; None where the files do not say.

    Attributes:
        lowercase: ``do_lower_case``.
        keep_accents: False takes accents away, as XLNet does.
        remove_space: True makes any white space one space, as XLNet does.
        add_prefix_space: Byte-level BPE reads a text as if a space stood before it.
        extra_ids: Number of T5's sentinels, which follow the model's pieces.
        offset: Number of Pegasus' ids before the model's pieces.
        words: ``jieba`` cuts words first, as CPM does.
    """

    lowercase: bool | None = None
    keep_accents: bool | None = None
    remove_space: bool | None = None
    add_prefix_space: bool = False
    extra_ids: int | None = None
    offset: int | None = None
    words: Words = "auto"


WORDS_OF_FLAG: Mapping[bool | None, Words] = {
    None: "auto",
    True: "jieba",
    False: "characters",
}


def read_settings(config: Mapping[str, Any]) -> TokenizerSettings:
    """Return the settings of a vocabulary of words; unknown keys are ignored.

    Args:
        config: Any of ``do_lower_case``, ``strip_accents``, ``tokenize_chinese_chars``,
            ``jieba_words``, ``full_width``, ``newline_token``,
            ``additional_special_tokens`` and ``pad_token`` to ``mask_token``.

    Raises:
        ValueError: An option is not of its type.
    """
    return TokenizerSettings(
        lowercase=read_flag(config, "do_lower_case") is not False,
        strip_accents=read_flag(config, "strip_accents"),
        tokenize_chinese_chars=read_flag(config, "tokenize_chinese_chars") is not False,
        words=WORDS_OF_FLAG[read_flag(config, "jieba_words")],
        full_width=_full_width(config),
        special=read_special_tokens(config, BERT_TOKENS),
    )


def read_piece_settings(config: Mapping[str, Any]) -> PieceSettings:
    """Return the settings of a vocabulary of pieces; unknown keys are ignored.

    Args:
        config: Any of ``do_lower_case``, ``keep_accents``, ``remove_space``,
            ``add_prefix_space``, ``extra_ids``, ``offset`` and ``jieba_words``.

    Raises:
        ValueError: An option is not of its type.
    """
    return PieceSettings(
        lowercase=read_flag(config, "do_lower_case"),
        keep_accents=read_flag(config, "keep_accents"),
        remove_space=read_flag(config, "remove_space"),
        add_prefix_space=read_flag(config, "add_prefix_space") is True,
        extra_ids=read_count(config, "extra_ids"),
        offset=read_count(config, "offset"),
        words=WORDS_OF_FLAG[read_flag(config, "jieba_words")],
    )


def _full_width(config: Mapping[str, Any]) -> FullWidth:
    value = config.get("full_width", "keep")
    if value not in get_args(FullWidth):
        raise ValueError(wrong_option("full_width", '"keep" or "fold"', value))
    return cast("FullWidth", value)
