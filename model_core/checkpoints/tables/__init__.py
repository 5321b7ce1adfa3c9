"""The weight tables by family. Changes when a family is added: one line."""

from collections.abc import Mapping
from types import MappingProxyType

from model_core.checkpoints.tables import bert, gpt2, maskplay
from model_core.checkpoints.weight_map import WeightTable

TABLES: Mapping[str, WeightTable] = MappingProxyType(
    {"bert": bert.TABLE, "gpt2": gpt2.TABLE, "maskplay": maskplay.TABLE}
)
