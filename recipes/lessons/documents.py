"""Laid-out examples to batches of packed rows for the writing objective.

Changes when rows are packed differently. Several examples share a row and do not see
each other; rotary positions are relative, so that their place in a row is no matter.
"""

from collections.abc import Iterator, Sized
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from model_core.training.objectives import Batch

SizedT = TypeVar("SizedT", bound=Sized)
Ints = npt.NDArray[np.int32]
EMPTY = np.empty(0, "int32")
MISSES = 3  # documents that find no room end a batch


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One example.

    Attributes:
        token_ids, segment_ids, mark_ids: int32 (length,).
        places: int32 (num_losses,), positions whose output is judged.
        targets: int32 (num_losses,), the tokens expected there.
        source_ids: Tokens that the target leans towards; empty for none.
        copy_tags: int32 (num_losses,), -1 for none.
        hidden_places: int32 (num_hidden,), positions of source tokens that are hidden.
        hidden_targets: int32 (num_hidden,), what stands there.
    """

    token_ids: Ints
    segment_ids: Ints
    mark_ids: Ints
    places: Ints
    targets: Ints
    source_ids: Ints = field(default_factory=lambda: EMPTY)
    copy_tags: Ints = field(default_factory=lambda: EMPTY)
    hidden_places: Ints = field(default_factory=lambda: EMPTY)
    hidden_targets: Ints = field(default_factory=lambda: EMPTY)

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.token_ids)


@dataclass(frozen=True, slots=True)
class Shape:
    """The fixed sizes of a stream's batches.

    Attributes:
        rows: Rows per batch.
        length: Tokens per row.
        losses: Places per batch; more are left out.
        documents: Most documents per batch.
    """

    rows: int
    length: int
    losses: int
    documents: int


def to_document(
    source_ids: Ints, mark_ids: Ints, target: Ints, *, copy_tags: Ints = EMPTY
) -> Document:
    """Lay source and target out: the target's end mark included, its loss only."""
    length, first = len(source_ids) + len(target) - 1, len(source_ids) - 1
    token_ids = np.concatenate([source_ids, target[:-1]]).astype("int32")
    segment_ids = (np.arange(length) > first).astype("int32")
    marks = np.zeros(length, "int32")
    marks[: len(mark_ids)] = mark_ids
    places = np.arange(first, length, dtype="int32")
    return Document(
        token_ids, segment_ids, marks, places, target, source_ids, copy_tags
    )


@dataclass(frozen=True, slots=True)
class Hiding:
    """How source tokens are hidden, so that sources teach as well as targets.

    Attributes:
        rate: Share of a source's plain tokens.
        mask_id: What stands in their place.
        first_plain: Ids below it are marks.
    """

    rate: float
    mask_id: int
    first_plain: int


def hidden(document: Document, how: Hiding, rng: np.random.Generator) -> Document:
    """Hide some source tokens: a cloze within the source (arXiv 1905.03197)."""
    is_source = document.segment_ids == 0
    plain = np.flatnonzero(is_source & (document.token_ids >= how.first_plain))
    places = np.sort(rng.permutation(plain)[: int(how.rate * len(plain))])
    token_ids = document.token_ids.copy()
    token_ids[places] = how.mask_id
    return replace(
        document,
        token_ids=token_ids,
        hidden_places=places.astype("int32"),
        hidden_targets=document.token_ids[places],
    )


def packed(documents: Iterator[SizedT], shape: Shape) -> Iterator[list[list[SizedT]]]:
    """Yield rows of documents, each into the fullest row that still has room."""
    waiting: list[SizedT] = []
    while True:
        rows: list[list[SizedT]] = [[] for _ in range(shape.rows)]
        room = [shape.length] * shape.rows
        tried, waiting = waiting, []
        count = 0
        while len(waiting) < MISSES and count < shape.documents:
            document = tried.pop() if tried else next(documents)
            fitting = [row for row in range(shape.rows) if room[row] >= len(document)]
            if not fitting:
                waiting += [document] if len(document) <= shape.length else []
                continue
            row = min(fitting, key=room.__getitem__)
            rows[row].append(document)
            room[row] -= len(document)
            count += 1
        waiting += tried
        yield rows


def collate(
    task: str,
    rows: list[list[Document]],
    shape: Shape,
    *,
    with_sources: bool,
    hidden_weight: float = 0.0,
) -> Batch:
    """Stack packed rows to a batch of fixed sizes."""
    size = (shape.rows, shape.length)
    inputs: dict[str, np.ndarray] = {
        name: np.zeros(size, "int32")
        for name in ("token_ids", "segment_ids", "document_ids", "mark_ids")
    }
    sources = np.full((shape.documents + 1, shape.length), -1, "int32")
    losses: list[np.ndarray] = [np.zeros((0, 5))]
    number = 0
    for row, documents in enumerate(rows):
        start = 0
        for document in documents:
            number += 1
            inside = (row, slice(start, start + len(document)))
            inputs["token_ids"][inside] = document.token_ids
            inputs["segment_ids"][inside] = document.segment_ids
            inputs["mark_ids"][inside] = document.mark_ids
            inputs["document_ids"][inside] = number
            sources[number, : len(document.source_ids)] = document.source_ids
            first = row * shape.length + start
            losses += _losses(document, first, number, hidden_weight)
            start += len(document)
    table = np.concatenate(losses)[: shape.losses]
    filled = np.tile([0.0, 0.0, 0.0, -1.0, 0.0], (shape.losses, 1))
    filled[: len(table)] = table
    names = ("places", "targets", "place_sources", "copy_targets")
    inputs |= {name: filled[:, k].astype("int32") for k, name in enumerate(names)}
    inputs["source_ids"] = sources
    if not with_sources:
        for name in ("source_ids", "place_sources", "copy_targets"):
            del inputs[name]
    weights = filled[:, 4].astype("float32")
    return Batch(task, "writing", inputs, weights, shape.rows * shape.length)


def _losses(
    document: Document, start: int, number: int, hidden_weight: float
) -> list[np.ndarray]:
    """Return rows of place, target, source, copy tag and weight."""
    tags = document.copy_tags if len(document.copy_tags) else np.asarray(-1)
    source = number if len(document.source_ids) else 0
    return [
        _table(start + document.places, document.targets, source, tags, 1.0),
        _table(
            start + document.hidden_places,
            document.hidden_targets,
            0,
            np.asarray(-1),
            hidden_weight,
        ),
    ]


def _table(
    places: Ints, targets: Ints, source: int, tags: Ints, weight: float
) -> np.ndarray:
    columns = np.broadcast_arrays(places, targets, source, tags, weight)
    return np.stack(columns, axis=1).astype("float64")
