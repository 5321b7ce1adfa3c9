"""Which family a published checkpoint belongs to: one table of families.

Changes when a family is added: one row. Reads no file, knows no weight names beyond
one mark per family.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from model_core.models.families.decoders import DECODERS
from model_core.models.families.encoder_decoders import ENCODER_DECODERS
from model_core.models.families.encoders import ENCODERS
from model_core.models.families.family import (
    ACTIVATION_NAMES,
    REQUIRED,
    Family,
    Setting,
    UnsupportedModelError,
    shown,
)
from model_core.models.families.own import MASKPLAY

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name: family
        for family in (*ENCODERS, *DECODERS, *ENCODER_DECODERS, MASKPLAY)
    }
)

__all__ = [
    "ACTIVATION_NAMES",
    "FAMILIES",
    "REQUIRED",
    "Family",
    "Setting",
    "UnsupportedModelError",
    "family_of",
]


def family_of(values: Mapping[str, Any], tensor_names: Iterable[str] = ()) -> Family:
    """Recognise a family: by ``model_type``, else by the config's and tensors' shape.

    Where several families resemble a checkpoint without a ``model_type``, the one
    whose config has most keys of its own counts: ERNIE's is BERT's with one more.

    Args:
        values: The JSON object of config.json.
        tensor_names: The checkpoint's names, asked only without a ``model_type``.

    Raises:
        UnsupportedModelError: No family, or more than one, fits.
    """
    model_type = values.get("model_type")
    if isinstance(model_type, str):
        found = [f for f in FAMILIES.values() if model_type in f.model_types]
    else:
        found = _resembling(values, tuple(tensor_names))
    if len(found) != 1:
        accepted = sorted(kind for f in FAMILIES.values() for kind in f.model_types)
        raise UnsupportedModelError(
            f"model_type must be one of {accepted}, received {shown(model_type)}"
            + ("" if model_type else ", and config and tensors look like none of them")
        )
    return found[0].told(values)


def _resembling(values: Mapping[str, Any], names: tuple[str, ...]) -> list[Family]:
    alike = [
        family
        for family in FAMILIES.values()
        if all(_stands(mark, values) for mark in family.config_marks)
        and any(re.search(family.tensor_mark, name) for name in names)
    ]
    most = max((len(family.config_marks) for family in alike), default=0)
    return [family for family in alike if len(family.config_marks) == most]


def _stands(mark: str, values: Mapping[str, Any]) -> bool:
    return any(key in values for key in mark.split("|"))
