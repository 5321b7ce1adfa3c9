"""A few-shot task on all of its splits: each learned and scored alone, then their mean.

Changes when splits are brought together in another way.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from recipes.task_files import TaskData, load_task_data

Report = Mapping[str, Any]
MEAN, SPREAD = "accuracy", "spread"
FEWEST = 2  # one split has no mean that says more than itself


def read_splits(folder: Path) -> list[TaskData]:
    """Read every ``dev_K.jsonl`` of a folder with the ``train_K.jsonl`` beside it.

    Raises:
        ValueError: Fewer than two splits, or a split without its train file.
    """
    files = sorted(folder.glob("dev_*.jsonl*"))
    if len(files) < FEWEST:
        raise ValueError(
            f"expected dev_0.jsonl, dev_1.jsonl and so on in {folder}, "
            f"received {', '.join(file.name for file in files) or 'none'}"
        )
    splits = [load_task_data("fewshot", file) for file in files]
    alone = [file.name for file, s in zip(files, splits, strict=True) if not s.train]
    if alone:
        raise ValueError(f"expected a train file beside each of {', '.join(alone)}")
    return splits


def score(splits: Sequence[TaskData], ask: Callable[[TaskData], Report]) -> Report:
    """Score every split and return the means over them.

    Args:
        splits: Of one task.
        ask: Returns a split's report, as ``evaluate_tasks.report_of`` makes it.

    Returns:
        ``task``, ``name`` (the folder's), ``splits``, ``examples`` (of all splits),
        ``model`` (by mode ``accuracy``, the mean, and ``spread``, the standard
        deviation over splits), ``baseline`` and ``other_baselines`` likewise, and
        ``by_split`` (the accuracies, in order, by the same names).
    """
    reports = [ask(split) for split in splits]
    first = reports[0]
    rows: dict[str, list[float]] = {
        **{mode: _of(reports, "model", mode) for mode in first["model"]},
        "baseline": [one["baseline"][MEAN] for one in reports],
        **{
            name: _of(reports, "other_baselines", name)
            for name in first["other_baselines"]
        },
    }
    told = {
        name: {MEAN: round(fmean(row), 4), SPREAD: round(pstdev(row), 4)}
        for name, row in rows.items()
    }
    return {
        "task": first["task"],
        "name": splits[0].folder,
        "splits": len(splits),
        "examples": sum(one["examples"] for one in reports),
        "model": {mode: told[mode] for mode in first["model"]},
        "baseline": told["baseline"],
        "other_baselines": {name: told[name] for name in first["other_baselines"]},
        "by_split": rows,
    }


def _of(reports: Sequence[Report], kind: str, name: str) -> list[float]:
    return [one[kind][name][MEAN] for one in reports]
