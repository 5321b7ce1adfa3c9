"""Texts cut into clauses and which of them the summary took.

Changes when extraction is taught differently.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from model_core.roles.formats import Formats, Piece
from model_core.training.objectives import Batch
from recipes.lessons.storage import Ragged, load, save

LONGEST_CLAUSE = 64
FEWEST_CLAUSES, MOST_CLAUSES = 2, 128
COUNT_STEP, LENGTH_STEP = 16, 16


def encode(
    texts: list[tuple[list[str], list[int]]], formats: Formats, path: Path
) -> None:
    """Write each text's clauses and their labels."""
    pieces = [[formats.piece(clause) for clause in clauses] for clauses, _ in texts]
    flat = [piece for text in pieces for piece in text]
    save(
        path,
        {
            "clause": Ragged.of([piece.token_ids for piece in flat]),
            "marks": Ragged.of([piece.mark_ids for piece in flat]),
        },
    )
    save(
        path.with_name(f"{path.stem}-texts.npz"),
        {"labels": Ragged.of([labels for _, labels in texts])},
    )


def batches(path: Path, formats: Formats, rng: np.random.Generator) -> Iterator[Batch]:
    """Yield one text's clauses per batch for ever, the last ones of a long text.

    Raises:
        ValueError: No text has enough clauses to choose among.
    """
    clauses = load(path)
    labels = load(path.with_name(f"{path.stem}-texts.npz"))["labels"]
    if np.diff(labels.starts).max(initial=0) < FEWEST_CLAUSES:
        raise ValueError(
            f"{path}: expected at least one text of {FEWEST_CLAUSES} clauses"
        )
    while True:
        for index in rng.permutation(len(labels)):
            end = int(labels.starts[index + 1])
            start = max(int(labels.starts[index]), end - MOST_CLAUSES)
            if end - start < FEWEST_CLAUSES:
                continue
            sources = [
                formats.clause(
                    Piece(clauses["clause"][n], clauses["marks"][n], ()), LONGEST_CLAUSE
                )
                for n in range(start, end)
            ]
            yield collate(sources, labels.values[start:end])


def collate(sources: list, labels: np.ndarray) -> Batch:  # type: ignore[type-arg]
    """Pad one text's clauses to steps of count and length."""
    count = -(-len(sources) // COUNT_STEP) * COUNT_STEP
    longest = max(len(source.token_ids) for source in sources)
    length = -(-longest // LENGTH_STEP) * LENGTH_STEP
    inputs = {
        "token_ids": np.zeros((count, length), "int32"),
        "mark_ids": np.zeros((count, length), "int32"),
        "padding_mask": np.zeros((count, length), "bool"),
        "labels": np.zeros(count, "uint8"),
    }
    for row, source in enumerate(sources):
        size = len(source.token_ids)
        inputs["token_ids"][row, :size] = source.token_ids
        inputs["mark_ids"][row, :size] = source.mark_ids
        inputs["padding_mask"][row, :size] = True
    inputs["padding_mask"][len(sources) :, 0] = True  # a row of nothing has no softmax
    inputs["labels"][: len(sources)] = labels
    weights = (np.arange(count) < len(sources)).astype("float32")
    return Batch("extract", "clauses", inputs, weights, count * length)
