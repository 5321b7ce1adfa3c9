"""Our own weights: the file's names are the network's.

Changes never: a new weight is a row of ``weight_shapes``.
"""

from model_core.checkpoints import weight_shapes
from model_core.checkpoints.weight_map import Rule, WeightTable

_OWN_HEADS = ("language_model", "pooler", "span")

TABLE = WeightTable(
    body=tuple(Rule(row.name, row.name) for row in weight_shapes.BODY),
    heads={
        head: tuple(Rule(row.name, row.name) for row in weight_shapes.HEADS[head])
        for head in _OWN_HEADS
    },
)
