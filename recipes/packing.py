"""Encoded documents to batches of full rows of mixed kinds.

Changes when the mixture changes. Rows are cut from documents laid end to end, so that
no position is padding; a row may begin inside a document. What is made of a row is the
matter of ``recipes.rows``.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from model_core.training.objectives import Batch
from recipes.encoding import Corpus
from recipes.rows import KINDS, Row, SpecialIds, Stretch

WORDY = ("word_cloze", "span")  # kinds that ask where words begin

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of row in every batch.

    Attributes:
        kind: A key of ``KINDS``.
        shares: Source name to its share of these rows.
        rows: How many rows of each batch.
        instead: Other kinds, each with its share of these rows: they are drawn.
    """

    kind: str
    shares: dict[str, float]
    rows: int
    instead: Mapping[str, float] = field(default_factory=dict)

    def drawn(self, rng: np.random.Generator) -> str:
        """Return the kind of the next row; without others nothing is drawn."""
        if not self.instead:
            return self.kind
        point = rng.random()
        for kind, share in self.instead.items():
            point -= share
            if point < 0:
                return kind
        return self.kind


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

    def __next__(self) -> Stretch:
        """Return the next document."""
        if not len(self.order):
            self.order = self.rng.permutation(self.corpus.num_documents)
        index, self.order = self.order[0], self.order[1:]
        document = self.corpus.document(index)
        self.tokens_read += len(document)
        return Stretch(document, self.corpus.begins(index))


class RowStream(Iterator[Stretch]):
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
        empty = Stretch(np.empty(0, dtype="uint16"), np.empty(0, dtype=bool))
        self.rest = [empty for _ in streams]

    def __next__(self) -> Stretch:
        """Return int32 (length,), all from one source; its first token is a word's."""
        choice = int(self.rng.choice(len(self.streams), p=self.shares))
        pieces, have = [self.rest[choice]], len(self.rest[choice])
        while have < self.length:
            pieces.append(next(self.streams[choice]))
            have += len(pieces[-1])
        whole = Stretch.join(pieces)
        self.rest[choice] = whole.cut(self.length)
        begins = whole.begins[: self.length].copy()
        begins[0] = True
        return Stretch(whole.token_ids[: self.length].astype("int32"), begins)


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
    _warn_of_words(parts, corpora)
    rng = np.random.default_rng(seed)
    streams = {n: DocumentStream(c, seed + 1) for n, c in corpora.items()}
    rows = [
        RowStream([streams[n] for n in p.shares], [*p.shares.values()], length, seed)
        for p in parts
    ]
    while True:
        made = [
            KINDS[part.drawn(rng)](stream, ids, rng)
            for part, stream in zip(parts, rows, strict=True)
            for _ in range(part.rows)
        ]
        yield collate(made, ids, losses_per_batch, rng)


def collate(
    made: list[Row],
    ids: SpecialIds,
    losses_per_batch: int,
    rng: np.random.Generator,
) -> Batch:
    """Stack rows and flatten the places of their losses to a fixed number."""
    tokens = np.stack([row.token_ids for row in made])
    segments = np.stack([row.segment_ids for row in made])
    length = tokens.shape[1]
    places = np.concatenate([i * length + row.places for i, row in enumerate(made)])
    targets = np.concatenate([row.targets for row in made])
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


def _warn_of_words(parts: tuple[Part, ...], corpora: dict[str, Corpus]) -> None:
    """Say whose words nobody has cut, where a kind of row asks for them."""
    wordy = [part for part in parts if {part.kind, *part.instead} & {*WORDY}]
    names = {name for part in wordy for name in part.shares}
    without = sorted(name for name in names if corpora[name].words is None)
    if without:
        logger.warning(
            "no words were cut in %s: each token is taken for one; "
            "`python -m recipes words` cuts them",
            ", ".join(without),
        )
