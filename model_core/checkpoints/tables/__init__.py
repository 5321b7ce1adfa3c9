"""The weight tables by family. Changes when a family is added: one line."""

from collections.abc import Mapping
from types import MappingProxyType

from model_core.checkpoints.tables import (
    albert,
    bart,
    bert,
    distilbert,
    electra,
    gpt,
    gpt2,
    gpt2_ml,
    maskplay,
    t5,
    xlnet,
)
from model_core.checkpoints.weight_map import WeightTable

TABLES: Mapping[str, WeightTable] = MappingProxyType(
    {
        "albert": albert.TABLE,
        "albert_zh": albert.ZH,
        "bart": bart.BART,
        "bert": bert.TABLE,
        "distilbert": distilbert.TABLE,
        "electra": electra.TABLE,
        "ernie": bert.ERNIE,
        "gpt": gpt.TABLE,
        "gpt2": gpt2.TABLE,
        "gpt2_ml": gpt2_ml.TABLE,
        "maskplay": maskplay.TABLE,
        "mbart": bart.MBART,
        "nezha": bert.NEZHA,
        "pegasus": bart.PEGASUS,
        "roberta": bert.ROBERTA,
        "roformer": bert.ROFORMER,
        "t5": t5.TABLE,
        "t5_bert4keras": t5.TABLE,
        "xlnet": xlnet.TABLE,
    }
)
