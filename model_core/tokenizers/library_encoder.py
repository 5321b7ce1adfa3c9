"""The tokenizers library, told what to do by a definition; changes with the library.

Special tokens are taken out of the definition before the library sees it, so that no
typed text can become one; every id stays as it is.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import tokenizers

from model_core.tokenizers.base import Pieces
from model_core.tokenizers.spans import lawful, without_surrogates
from model_core.tokenizers.tokenizer_json import Definition


class LibraryEncoder:
    """A text through the tokenizers library.

    Args:
        pipeline: The library's own object.
    """

    def __init__(self, pipeline: tokenizers.Tokenizer) -> None:
        self._pipeline = pipeline

    def encode(self, text: str) -> Pieces:
        """Return ids, and spans in the text as it was typed."""
        readable = without_surrogates(text)
        with _library_errors():
            encoding = self._pipeline.encode(readable, add_special_tokens=False)
        return encoding.ids, lawful(text, encoding.offsets)


def build_encoder(
    definition: Definition, special_ids: frozenset[int]
) -> LibraryEncoder:
    """Build the library's tokenizer without special tokens.

    Args:
        definition: What it shall do.
        special_ids: Ids that no text may become.

    Raises:
        ValueError: The library refuses the definition.
    """
    content = {
        **definition.content,
        "truncation": None,
        "padding": None,
        "post_processor": None,
        "decoder": None,
        "added_tokens": [
            row for row in definition.added_tokens if row["id"] not in special_ids
        ],
        "model": _without_specials(definition, special_ids),
    }
    with _library_errors():
        return LibraryEncoder(tokenizers.Tokenizer.from_str(json.dumps(content)))


@contextmanager
def _library_errors() -> Iterator[None]:
    """Raise what goes wrong in the library, its panics included, as ValueError."""
    try:
        yield
    except BaseException as error:  # a panic is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        raise ValueError(
            "expected a definition that the tokenizers library can follow; it says: "
            f"{' '.join(str(error).split())}"
        ) from error


def _without_specials(
    definition: Definition, special_ids: frozenset[int]
) -> dict[str, Any]:
    """Return the model with every id in place, and no special token to be found."""
    model = dict(definition.model)
    if definition.kind == "Unigram":
        num_scored = len(model["vocab"])
        model["vocab"] = [
            # the empty text is never found
            [
                "" if index in special_ids else token,
                model["vocab"][index][1] if index < num_scored else 0.0,
            ]
            for index, token in enumerate(definition.tokens)
        ]
        return model
    unk_id = definition.unk_id
    hidden = {definition.tokens[i] for i in special_ids - {unk_id}}
    model["unk_token"] = None if unk_id is None else definition.tokens[unk_id]
    model["vocab"] = {
        token: index
        for index, token in enumerate(definition.tokens)
        if token and token not in hidden
    }
    if definition.kind == "BPE":
        model["dropout"] = None  # else the same text would become other ids each time
        merges = _merges(model)
        model["merges"] = [m for m in merges if hidden.isdisjoint((*m, "".join(m)))]
    return model


def _merges(model: Mapping[str, Any]) -> list[list[str]]:
    """Return pairs of tokens, which older files write with a space between them."""
    rows = model.get("merges")
    if not isinstance(rows, list):
        raise ValueError(f"merges: expected a list; received {type(rows).__name__}")
    merges = [_merge(row) for row in rows]
    prefix = model.get("continuing_subword_prefix") or ""
    if not isinstance(prefix, str) or not all(m[1].startswith(prefix) for m in merges):
        raise ValueError(
            "merges: expected second parts with the continuing_subword_prefix; "
            f"received some without {prefix!r}"
        )
    return merges


def _merge(row: object) -> list[str]:
    parts = row.split(" ") if isinstance(row, str) else row
    match parts:
        case [str(left), str(right)]:
            return [left, right]
    raise ValueError(f"merges: expected two tokens; received {row!r}")
