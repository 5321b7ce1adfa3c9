"""What stands around a prompt: opening marks, style marks, stop marks.

Changes when checkpoints come with another convention. A checkpoint of ours says it in
``generation.json``; others open with [CLS] and stop at [SEP] or at CPM's <eod>, as far
as their vocabulary has them (uer's GPT2, BERT vocabularies). GPT2_ML has BERT's
vocabulary but was trained without its marks: it is told of neither.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model_core.tokenizers.base import Tokenizer

FILE_NAME = "generation.json"


@dataclass(frozen=True, slots=True)
class Style:
    """How a style is asked for.

    Attributes:
        marks: Special tokens that stand before the prompt.
        text: Plain text after them, e.g. a tune's name and a newline.
    """

    marks: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class PromptFormat:
    """What stands around a prompt.

    Attributes:
        opening: Tokens at the very start.
        stop: Tokens that end a text.
        styles: By name, in display order.
        default_style: The style of a request without one, "" for none.
    """

    opening: tuple[str, ...] = ("[CLS]",)
    stop: tuple[str, ...] = ("[SEP]", "<eod>")
    styles: Mapping[str, Style] = field(default_factory=dict)
    default_style: str = ""

    def opening_ids(self, style: str, tokenizer: Tokenizer) -> tuple[int, ...]:
        """Return the ids before a prompt; tokens the vocabulary lacks are left out.

        Args:
            style: A key of ``styles``, or "".
            tokenizer: The checkpoint's.
        """
        chosen = self.styles.get(style or self.default_style, Style(()))
        marks = (tokenizer.token_to_id(t) for t in (*self.opening, *chosen.marks))
        text = tokenizer.encode(chosen.text).token_ids if chosen.text else ()
        return (*(mark for mark in marks if mark is not None), *text)

    def stop_ids(self, tokenizer: Tokenizer) -> tuple[int, ...]:
        """Return the ids that end a text."""
        ids = (tokenizer.token_to_id(token) for token in self.stop)
        return tuple(token_id for token_id in ids if token_id is not None)


OF_FAMILY: Mapping[str, PromptFormat] = {
    "gpt2_ml": PromptFormat(opening=(), stop=()),
}
"""Families that were trained otherwise than their vocabularies suggest."""


def load_prompt_format(folder: Path, family: str = "") -> PromptFormat:
    """Read ``generation.json``, or return the usual convention without one.

    Args:
        folder: The checkpoint's.
        family: The name of its family, where that is known.

    Raises:
        ValueError: The file does not say what it should.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return OF_FAMILY.get(family, PromptFormat())
    values = json.loads(path.read_text(encoding="utf8"))
    try:
        return _parse(values)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{FILE_NAME}: expected opening, stop, styles {{name: {{marks, text}}}} "
            f"and default_style, received {sorted(values)} ({error})"
        ) from error


def _parse(values: dict[str, Any]) -> PromptFormat:
    return PromptFormat(
        opening=tuple(values["opening"]),
        stop=tuple(values["stop"]),
        styles={
            name: Style(tuple(style["marks"]), style.get("text", ""))
            for name, style in values["styles"].items()
        },
        default_style=values.get("default_style", ""),
    )
