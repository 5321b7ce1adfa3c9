"""Ways to learn, a line each. Changes when an objective is added."""

from model_core.training.objectives.base import (
    Batch,
    Objective,
    Tricks,
    weighted_mean,
)
from model_core.training.objectives.clauses import ClausesObjective
from model_core.training.objectives.cloze import ClozeObjective
from model_core.training.objectives.pointing import PointingObjective
from model_core.training.objectives.reading import ReadingObjective
from model_core.training.objectives.writing import WritingObjective

OBJECTIVES: dict[str, type[Objective]] = {
    "writing": WritingObjective,
    "reading": ReadingObjective,
    "cloze": ClozeObjective,
    "pointing": PointingObjective,
    "clauses": ClausesObjective,
}

__all__ = ["OBJECTIVES", "Batch", "Objective", "Tricks", "weighted_mean"]
