"""Our own weights: the file's names are the network's.

Changes never: a new weight is a row of ``weight_shapes``.
"""

from model_core.checkpoints import weight_shapes
from model_core.checkpoints.weight_map import Rule, WeightTable

TABLE = WeightTable(
    body=tuple(Rule(row.name, row.name) for row in weight_shapes.BODY),
    heads={
        head: tuple(Rule(row.name, row.name) for row in weight_shapes.HEADS[head])
        for head in weight_shapes.HEADS
    },
)
