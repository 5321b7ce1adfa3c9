"""Encoded documents to batches of full rows with mixed masks.

Changes when the mixture changes. Rows are cut from documents laid end to end, so that
no position is padding; a row may begin inside a document.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from model_core.training.objectives import Batch
from recipes.encoding import Corpus

HIDDEN_SHARE = 0.15  # of the plain tokens of a cloze row (arXiv 1810.04805)
MASKED_UP_TO, KEPT_UP_TO = 0.8, 0.9  # of those: mask, keep, then random


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of row in every batch.

    Attributes:
        kind: ``causal``, ``prefix`` or ``cloze``.
        shares: Source name to its share of these rows.
        rows: How many rows of each batch.
    """

    kind: str
    shares: dict[str, float]
    rows: int


@dataclass(frozen=True, slots=True)
class SpecialIds:
    """The marks that packing must know."""

    cls: int
    sep: int
    mask: int
    first_plain: int
    vocab_size: int


class DocumentStream:
    """Endless documents of one corpus in a new random order every epoch.

    Args:
        corpus: Where the documents are.
        seed: Fixes the orders.
    """

    def __init__(self, corpus: Corpus, seed: int) -> None:
        self.corpus = corpus
        self.rng = np.random.default_rng(seed)
        self.order = np.empty(0, dtype="int64")
        self.tokens_read = 0

    def __next__(self) -> np.ndarray:
        """Return the ids of the next document."""
        if not len(self.order):
            self.order = self.rng.permutation(self.corpus.num_documents)
        index, self.order = self.order[0], self.order[1:]
        document = self.corpus.document(index)
        self.tokens_read += len(document)
        return document


class RowStream:
    """Endless rows of one kind: documents end to end, cut at the row length.

    Args:
        streams: One per source.
        shares: How often each is drawn, by tokens rather than documents.
        length: Row length.
        seed: Fixes the draws.
    """

    def __init__(
        self, streams: list[DocumentStream], shares: list[float], length: int, seed: int
    ) -> None:
        self.streams = streams
        self.shares = np.asarray(shares) / sum(shares)
        self.length = length
        self.rng = np.random.default_rng(seed)
        self.rest = [np.empty(0, dtype="uint16") for _ in streams]

    def __next__(self) -> np.ndarray:
        """Return int32 (length,), all from one source."""
        choice = int(self.rng.choice(len(self.streams), p=self.shares))
        pieces, have = [self.rest[choice]], len(self.rest[choice])
        while have < self.length:
            pieces.append(next(self.streams[choice]))
            have += len(pieces[-1])
        tokens = np.concatenate(pieces)
        self.rest[choice] = tokens[self.length :]
        return tokens[: self.length].astype("int32")


def causal_row(
    row: np.ndarray, ids: SpecialIds, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Every token predicts the next, except across documents."""
    del rng
    places = np.flatnonzero(row[1:] != ids.cls)
    return row, np.ones_like(row), places, row[1:][places]


def prefix_row(
    row: np.ndarray, ids: SpecialIds, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Each document is cut at a random place; the loss stands on its second part."""
    segments = np.ones_like(row)
    edges = [0, *(np.flatnonzero(row == ids.cls)), len(row)]
    for start, end in pairwise(edges):
        size = end - start
        segments[start : start + int(rng.uniform(0.2, 0.8) * size)] = 0
    places = np.flatnonzero((row[1:] != ids.cls) & (segments[1:] == 1))
    return row, segments, places, row[1:][places]


def cloze_row(
    row: np.ndarray, ids: SpecialIds, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """15 % of the plain tokens are hidden as in BERT (80 % mask, 10 % random)."""
    plain = np.flatnonzero(row >= ids.first_plain)
    count = max(1, int(HIDDEN_SHARE * len(plain)))
    places = np.sort(rng.permutation(plain)[:count])
    hidden, fate = row.copy(), rng.random(len(places))
    hidden[places[fate < MASKED_UP_TO]] = ids.mask
    swapped = places[fate > KEPT_UP_TO]
    hidden[swapped] = rng.integers(ids.first_plain, ids.vocab_size, len(swapped))
    return hidden, np.zeros_like(row), places, row[places]


KINDS = {"causal": causal_row, "prefix": prefix_row, "cloze": cloze_row}


def mixed_batches(
    parts: tuple[Part, ...],
    corpora: dict[str, Corpus],
    ids: SpecialIds,
    *,
    length: int,
    seed: int,
    losses_per_batch: int,
) -> Iterator[Batch]:
    """Yield batches for ever.

    Args:
        parts: What each batch is made of.
        corpora: By source name.
        ids: The marks.
        length: Row length.
        seed: Another seed, another order; a resumed leg takes a new one.
        losses_per_batch: Places per batch; longer lists are cut at random.
    """
    rng = np.random.default_rng(seed)
    streams = {n: DocumentStream(c, seed + 1) for n, c in corpora.items()}
    rows = [
        RowStream([streams[n] for n in p.shares], [*p.shares.values()], length, seed)
        for p in parts
    ]
    while True:
        made = [
            KINDS[part.kind](next(stream), ids, rng)
            for part, stream in zip(parts, rows, strict=True)
            for _ in range(part.rows)
        ]
        yield collate(made, ids, losses_per_batch, rng)


def collate(
    made: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]],
    ids: SpecialIds,
    losses_per_batch: int,
    rng: np.random.Generator,
) -> Batch:
    """Stack rows and flatten the places of their losses to a fixed number."""
    tokens, segments = (np.stack([row[k] for row in made]) for k in (0, 1))
    length = tokens.shape[1]
    places = np.concatenate([i * length + row[2] for i, row in enumerate(made)])
    targets = np.concatenate([row[3] for row in made])
    keep = np.arange(len(places))
    if len(keep) > losses_per_batch:
        keep = np.sort(rng.choice(len(places), losses_per_batch, replace=False))
    filled = losses_per_batch - len(keep)
    return Batch(
        "language",
        "writing",
        {
            "token_ids": tokens,
            "segment_ids": segments,
            "document_ids": np.cumsum(tokens == ids.cls, axis=1).astype("int32"),
            "places": np.pad(places[keep], (0, filled)).astype("int32"),
            "targets": np.pad(targets[keep], (0, filled)).astype("int32"),
        },
        np.pad(np.ones(len(keep), "float32"), (0, filled)),
        tokens.size,
    )
