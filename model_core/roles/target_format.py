"""How an encoder-decoder's source closes and its target begins and ends.

Changes when such checkpoints come with another convention. The published configs say
where a target starts. Vocabularies with [CLS] and [SEP] frame sources with them, unless
they have an end token besides; those close a source with it::

    BERT, BART              [CLS] source [SEP]   ->  start target [SEP]
    T5, Pegasus, Randeng's  source </s>          ->  start target </s>

A config over BERT's vocabulary may still hold mT5's ids (T5-PEGASUS): there its end is
a spare line, its start is padding. Such a target starts with [CLS], as it was trained.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_core.checkpoints.survey import load_config
from model_core.tokenizers.base import Tokenizer
from model_core.tokenizers.vocabulary import MARK


@dataclass(frozen=True, slots=True)
class TargetFormat:
    """What stands around sources and targets.

    Attributes:
        opening: Ids before a source.
        closing: Ids behind it.
        start: Ids that a decoder is given to start with, at least one.
        stop: Ids that end a target, at least one.
    """

    opening: tuple[int, ...]
    closing: tuple[int, ...]
    start: tuple[int, ...]
    stop: tuple[int, ...]

    @property
    def num_around(self) -> int:
        """How many tokens a source has besides its text."""
        return len(self.opening) + len(self.closing)


def load_target_format(folder: Path, tokenizer: Tokenizer) -> TargetFormat:
    """Read a checkpoint's convention from its config and its vocabulary.

    Raises:
        ValueError: Neither says where a target starts, or where it ends.
    """
    return target_format(load_config(folder), tokenizer)


def target_format(values: Mapping[str, Any], tokenizer: Tokenizer) -> TargetFormat:
    """Return the convention of a config and a vocabulary; see ``load_target_format``.

    Args:
        values: The JSON object of config.json.
        tokenizer: The checkpoint's.
    """
    framed = _is_framed(tokenizer)
    ends = [tokenizer.sep_id] if framed else [tokenizer.eos_id, tokenizer.sep_id]
    stop = _ids(*ends, values.get("eos_token_id"))
    start = values.get("decoder_start_token_id")
    if framed and start == tokenizer.pad_id and tokenizer.eos_id != tokenizer.sep_id:
        start = None  # of another vocabulary, as the config's end is
    first = _ids(start, *_usual_starts(tokenizer))
    if not first or not stop:
        lacking = "decoder_start_token_id" if not first else "eos_token_id"
        raise ValueError(
            f"the config must say {lacking}, for the vocabulary does not either"
        )
    forced = _ids(values.get("forced_bos_token_id"))
    return TargetFormat(
        opening=_ids(tokenizer.cls_id) if framed else (),
        closing=stop[:1],
        start=(first[0], *forced[:1]),
        stop=stop,
    )


def _is_framed(tokenizer: Tokenizer) -> bool:
    """Whether [CLS] and [SEP] stand around a source: no other token ends it."""
    if tokenizer.cls_id is None or tokenizer.sep_id is None:
        return False
    end = tokenizer.eos_id
    is_own = end is not None and not MARK.fullmatch(tokenizer.id_to_token(end))
    return not is_own or end == tokenizer.sep_id


def _usual_starts(tokenizer: Tokenizer) -> tuple[int | None, ...]:
    return tokenizer.cls_id, tokenizer.bos_id, tokenizer.pad_id


def _ids(*values: Any) -> tuple[int, ...]:
    """Return those that are ids, each once, in order."""
    told = (v for v in values if isinstance(v, int) and not isinstance(v, bool))
    return tuple(dict.fromkeys(value for value in told if value >= 0))
