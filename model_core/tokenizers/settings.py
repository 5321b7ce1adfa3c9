"""What tokenizer_config.json may say; changes when an option is added to it.

Reads parsed values only: no file, no algorithm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from model_core.tokenizers.vocabulary import BERT_TOKENS, SpecialTokens

Words = Literal["auto", "characters", "jieba"]
FullWidth = Literal["keep", "fold"]


@dataclass(frozen=True, slots=True)
class TokenizerSettings:
    """What tokenizer_config.json may say; the defaults are BERT's.

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


WORDS_OF_FLAG: Mapping[bool | None, Words] = {
    None: "auto",
    True: "jieba",
    False: "characters",
}


def read_settings(config: Mapping[str, Any]) -> TokenizerSettings:
    """Return the settings of a parsed tokenizer_config.json; unknown keys are ignored.

    Args:
        config: Any of ``do_lower_case``, ``strip_accents``, ``tokenize_chinese_chars``,
            ``jieba_words``, ``full_width``, ``newline_token``,
            ``additional_special_tokens`` and ``pad_token`` to ``mask_token``.

    Raises:
        ValueError: An option is not of its type.
    """
    lowercase = _flag(config, "do_lower_case")
    chinese = _flag(config, "tokenize_chinese_chars")
    return TokenizerSettings(
        lowercase=lowercase is not False,
        strip_accents=_flag(config, "strip_accents"),
        tokenize_chinese_chars=chinese is not False,
        words=WORDS_OF_FLAG[_flag(config, "jieba_words")],
        full_width=_full_width(config),
        special=_special(config),
    )


def _special(config: Mapping[str, Any]) -> SpecialTokens:
    additional = config.get("additional_special_tokens") or []
    if not isinstance(additional, list):
        raise ValueError(_wrong("additional_special_tokens", "a list", additional))
    return SpecialTokens(
        pad=_token(config, "pad_token") or BERT_TOKENS.pad,
        unk=_token(config, "unk_token") or BERT_TOKENS.unk,
        cls=_token(config, "cls_token") or BERT_TOKENS.cls,
        sep=_token(config, "sep_token") or BERT_TOKENS.sep,
        mask=_token(config, "mask_token") or BERT_TOKENS.mask,
        newline=_token(config, "newline_token"),
        additional=frozenset(
            _content("additional_special_tokens", token) for token in additional
        ),
    )


def _token(config: Mapping[str, Any], key: str) -> str | None:
    value = config.get(key)
    return None if value is None else _content(key, value)


def _content(key: str, value: object) -> str:
    """Return a token that stands as text or, with its options, as an object."""
    content = value.get("content") if isinstance(value, dict) else value
    if not isinstance(content, str) or not content:
        raise ValueError(_wrong(key, "a token", value))
    return content


def _flag(config: Mapping[str, Any], key: str) -> bool | None:
    value = config.get(key)
    if value is not None and not isinstance(value, bool):
        raise ValueError(_wrong(key, "true, false or null", value))
    return value


def _full_width(config: Mapping[str, Any]) -> FullWidth:
    value = config.get("full_width", "keep")
    if value not in get_args(FullWidth):
        raise ValueError(_wrong("full_width", '"keep" or "fold"', value))
    return cast("FullWidth", value)


def _wrong(key: str, accepted: str, received: object) -> str:
    return f"tokenizer_config.json: {key}: expected {accepted}; received {received!r}"
