"""One option of a parsed file, of the type that it must have; changes with the types.

Knows no option by its name.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard, cast

from model_core.tokenizers.vocabulary import MAX_TOKENS

FILE = "tokenizer_config.json"


def read_flag(config: Mapping[str, Any], key: str) -> bool | None:
    """Return a switch, None where it is not set; ValueError for anything else."""
    value = config.get(key)
    if value is not None and not isinstance(value, bool):
        raise ValueError(wrong_option(key, "true, false or null", value))
    return value


def read_count(config: Mapping[str, Any], key: str) -> int | None:
    """Return a number of ids, None where it is not set; ValueError beyond them."""
    value = config.get(key)
    if value is None or is_count(value):
        return value
    raise ValueError(wrong_option(key, f"a number from 0 to {MAX_TOKENS}", value))


def read_token(config: Mapping[str, Any], key: str) -> str | None:
    """Return a token, None where it is not set; ValueError for anything else."""
    value = config.get(key)
    return None if value is None else token_content(key, value)


def token_content(key: str, value: object) -> str:
    """Return a token that stands as text or, with its options, as an object."""
    content = value.get("content") if isinstance(value, dict) else value
    if not isinstance(content, str) or not content:
        raise ValueError(wrong_option(key, "a token", value))
    return content


def is_count(value: object) -> TypeGuard[int]:
    """Return whether a value could be an id, or a number of them."""
    is_int = isinstance(value, int) and not isinstance(value, bool)
    return is_int and 0 <= cast("int", value) <= MAX_TOKENS


def wrong_option(key: str, accepted: str, received: object) -> str:
    """Return the sentence for an option of the wrong type."""
    return f"{FILE}: {key}: expected {accepted}; received {received!r}"
