"""What a folder's weights will take, told from names and shapes alone.

Changes when that must be known of more than their number. Reads no tensor.
"""

import math
from pathlib import Path

from model_core.checkpoints.reader import open_checkpoint
from model_core.checkpoints.survey import load_config, survey_tensors
from model_core.checkpoints.weight_shapes import expected_shapes


def count_parameters(folder: Path) -> int:
    """Return how many scalars a network from this folder will have, heads included.

    Raises:
        ValueError: What ``load_network`` would say of the folder.
        OSError: A file cannot be read.
    """
    values = load_config(folder)
    with open_checkpoint(folder) as reader:
        survey = survey_tensors(values, reader)
    shapes = expected_shapes(survey.config, survey.heads).values()
    return sum(map(math.prod, shapes))
