"""The classes of a fine-tuned classifier, as its config names them.

Changes when published configs name classes in another way.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model_core.checkpoints.survey import load_config
from model_core.interfaces import ModelError

UNNAMED = "LABEL_{}"  # as transformers calls a class without a name
FEWEST = 2
OTHER_PROBLEMS = ("regression", "multi_label_classification")


def load_labels(folder: Path, num_labels: int, name: str) -> tuple[str, ...]:
    """Return the names of a checkpoint's classes, in the order of its outputs.

    Args:
        folder: The checkpoint's.
        num_labels: How many the network tells apart.
        name: What the person calls the weights.

    Raises:
        ModelError: ``unsupported`` where its outputs are no classes of which one holds.
    """
    values = load_config(folder)
    problem = values.get("problem_type")
    if problem in OTHER_PROBLEMS or num_labels < FEWEST:
        shown = problem or f"num_labels = {num_labels}"
        raise ModelError(
            "unsupported",
            f"「{name}」的分类头不是“多选一”（{shown}），这里只会给各类概率之和为 1 的"
            "分类；请换一组权重。",
            f"The classifier of {name} does not choose one of several classes "
            f"({shown}); here probabilities sum to 1: choose other weights.",
        )
    names = _named(values, num_labels)
    if len(set(names)) < num_labels:
        return tuple(f"{label} ({n})" for n, label in enumerate(names))
    return names


def _named(values: Mapping[str, Any], num_labels: int) -> tuple[str, ...]:
    given = values.get("id2label")
    known = given if isinstance(given, dict) else {}
    return tuple(
        str(known.get(str(index), UNNAMED.format(index))) for index in range(num_labels)
    )
