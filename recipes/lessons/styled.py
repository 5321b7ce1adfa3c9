"""Short reviews with their sentiment: free writing under a condition.

Changes when writing under a condition is taught differently. The labels are guesses of
``recipes.labelling.sentiment`` that are surer than its confidence.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from model_core.roles.formats import Formats
from model_core.training.objectives import Batch
from recipes.lessons.documents import Shape
from recipes.lessons.storage import Ragged, load, save

STYLE = "[短文]"


def encode(texts: Iterable[tuple[str, int]], formats: Formats, path: Path) -> None:
    """Write texts and the index of each one's condition."""
    tokenizer = formats.tokenizer
    opening = [tokenizer.cls_id or 0, tokenizer.token_to_id(STYLE) or 0]
    rows, conditions = [], []
    for text, condition in texts:
        ids = [*opening, *tokenizer.encode(text).token_ids, tokenizer.sep_id or 0]
        rows.append(ids)
        conditions.append([condition])
    save(path, {"text": Ragged.of(rows), "condition": Ragged.of(conditions)})


def batches(path: Path, rng: np.random.Generator, shape: Shape) -> Iterator[Batch]:
    """Yield rows of texts of one condition each, alternating, for ever."""
    columns = load(path)
    condition = columns["condition"].values
    names = np.unique(condition)
    streams = {
        int(name): _texts(columns["text"], np.flatnonzero(condition == name), rng)
        for name in names
    }
    while True:
        conditions = rng.permutation(np.resize(names, shape.rows)).astype("int32")
        rows = [_row(streams[int(name)], shape.length) for name in conditions]
        yield _collate(np.stack(rows), conditions, shape)


def _texts(
    texts: Ragged, chosen: np.ndarray, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    while True:
        for index in rng.permutation(chosen):
            yield texts[int(index)]


def _row(texts: Iterator[np.ndarray], length: int) -> np.ndarray:
    pieces, have = [], 0
    while have < length:
        pieces.append(next(texts))
        have += len(pieces[-1])
    return np.concatenate(pieces)[:length]


def _collate(ids: np.ndarray, conditions: np.ndarray, shape: Shape) -> Batch:
    """Every token predicts the next of its own text."""
    numbers = np.cumsum(ids == ids[0, 0], axis=1).astype("int32")
    same = numbers[:, 1:] == numbers[:, :-1]
    rows, columns = np.nonzero(same)
    most = shape.rows * (shape.length - 1)
    places, targets = np.zeros(most, "int32"), np.zeros(most, "int32")
    places[: len(rows)] = rows * shape.length + columns
    targets[: len(rows)] = ids[rows, columns + 1]
    inputs = {
        "token_ids": ids.astype("int32"),
        "segment_ids": np.ones_like(ids, dtype="int32"),
        "document_ids": numbers,
        "condition_ids": conditions,
        "places": places,
        "targets": targets,
    }
    weights = (np.arange(most) < len(rows)).astype("float32")
    return Batch("styled", "writing", inputs, weights, ids.size)
