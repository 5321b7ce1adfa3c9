"""The config of a converted checkpoint: the file's own values, where they still hold.

Changes when another value of a published config depends on what was converted. Reads
no file and knows no tensor.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from model_core.checkpoints.errors import CheckpointMismatchError
from model_core.checkpoints.export import MODEL_TYPE
from model_core.config import TransformerConfig
from model_core.models.families import Family

DTYPE_KEYS = ("dtype", "torch_dtype")
LABEL_KEYS = ("id2label", "label2id", "problem_type")
CLASS_KEY = "architectures"  # alone tells classes of tokens from those of texts
# code that lies beside some checkpoints, which is never carried nor run
DROPPED_KEYS = ("auto_map",)
IDS_SUFFIX = "_token_id"
ID_LISTS = ("bad_words_ids", "suppress_tokens", "begin_suppress_tokens")


def published_config(
    values: Mapping[str, Any],
    family: Family,
    config: TransformerConfig,
    dtype: str | None,
) -> dict[str, Any]:
    """Return the config.json of a checkpoint in the layout of its family.

    Args:
        values: Of the checkpoint's config.
        family: The checkpoint's.
        config: Of the network that is written.
        dtype: Element type of the tensors; None where configs do not say it.

    Raises:
        CheckpointMismatchError: The family's JSON cannot say what the config says.
    """
    saved = family.config_from_json(values)
    changed = {
        key: value
        for name in ("vocab_size", "max_position_embeddings")
        for key, value in _resized(values, family, saved, config, name).items()
    }
    if config.num_layer_groups != saved.num_layer_groups:
        changed |= {_keys(family, "num_layer_groups")[0]: config.num_blocks}
    made = {"model_type": _model_type(family), **values, **changed}
    if dtype is not None:
        made |= dict.fromkeys(_present(DTYPE_KEYS, values) or DTYPE_KEYS[1:], dtype)
    made = {key: value for key, value in made.items() if key not in DROPPED_KEYS}
    _check(family, made, config)
    return made


def own_config(
    values: Mapping[str, Any],
    family: Family,
    config: TransformerConfig,
    heads: tuple[str, ...],
    tokenizer_class: str = "",
) -> dict[str, Any]:
    """Return the config.json of a checkpoint in our own layout.

    Args:
        values: Of the checkpoint's config; its ids, labels, tokenizer and the
            class it was saved from are kept.
        family: The checkpoint's.
        config: Of the network that is written.
        heads: What it is written with; some have no weights to be known by.
        tokenizer_class: How its vocabulary is read; "" where its files say so.
    """
    kept = {
        key: value
        for key, value in values.items()
        if key.endswith(IDS_SUFFIX) or key in (*LABEL_KEYS, CLASS_KEY)
    }
    return {
        "model_type": MODEL_TYPE,
        **config.to_dict(),
        **kept,
        **({"tokenizer_class": tokenizer_class} if tokenizer_class else {}),
        "attention": family.attention,
        "heads": list(heads),
    }


def with_new_ids(
    values: Mapping[str, Any], new_ids: Mapping[int, int]
) -> dict[str, Any]:
    """Return a config whose token ids are those of a reduced vocabulary.

    Ids that the vocabulary does not have are left alone: they meant nothing before.

    Args:
        values: Of config.json or generation_config.json.
        new_ids: By the old id; empty where the vocabulary is whole.
    """
    return {
        key: _with_new_ids(value, new_ids) if _holds_ids(key) else value
        for key, value in values.items()
    }


def ids_in(values: Mapping[str, Any]) -> frozenset[int]:
    """Return the token ids that a config names."""
    return frozenset(
        index
        for key, value in values.items()
        if key.endswith(IDS_SUFFIX)
        for index in (value if isinstance(value, list) else [value])
        if type(index) is int and index >= 0
    )


def _holds_ids(key: str) -> bool:
    return key.endswith(IDS_SUFFIX) or key in ID_LISTS


def _with_new_ids(value: Any, new_ids: Mapping[int, int]) -> Any:
    if isinstance(value, list):
        return [_with_new_ids(item, new_ids) for item in value]
    return new_ids.get(value, value) if type(value) is int else value


def _resized(
    values: Mapping[str, Any],
    family: Family,
    saved: TransformerConfig,
    config: TransformerConfig,
    name: str,
) -> dict[str, Any]:
    """Return the keys of a size; some count more rows than we do (RoBERTa)."""
    more = getattr(config, name) - getattr(saved, name)
    if not more:
        return {}
    keys = _keys(family, name)
    here = _present(keys, values)
    if not here:
        return {keys[0]: getattr(config, name)}
    return {key: values[key] + more for key in here if type(values[key]) is int}


def _keys(family: Family, name: str) -> tuple[str, ...]:
    keys = [row.keys for row in family.settings if row.field == name]
    if not keys:
        raise CheckpointMismatchError(
            f"{family.name}: its config has no key for {name}"
        )
    return keys[0]


def _present(keys: tuple[str, ...], values: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(key for key in keys if values.get(key) is not None)


def _model_type(family: Family) -> str:
    return min(family.model_types, key=lambda kind: (kind != family.name, kind))


def _check(family: Family, made: Mapping[str, Any], config: TransformerConfig) -> None:
    """Read the new config again: it must be the network's."""
    again = family.config_from_json(made)
    same_groups = again.num_blocks == config.num_blocks
    # a bias that files leave out where it is zero is no word of the config
    alike = replace(
        again, num_layer_groups=config.num_layer_groups, head_bias=config.head_bias
    )
    if alike != config or not same_groups:
        raise CheckpointMismatchError(
            f"{family.name}: its config cannot say what these weights are: "
            f"{_differing(alike, config)}"
        )


def _differing(one: TransformerConfig, other: TransformerConfig) -> list[str]:
    pairs = other.to_dict()
    return sorted(name for name, value in one.to_dict().items() if value != pairs[name])
