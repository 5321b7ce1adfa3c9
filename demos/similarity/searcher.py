"""Reads lists of lines in portions, and remembers the vectors of the latest lists.

Changes when lines are read or remembered in another way.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import numpy.typing as npt

from model_core.interfaces import SentenceEncoder

PORTION = 256  # lines read between two frames, so that Stop acts
REMEMBERED = 2  # lists

Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Portion:
    """The lines read so far.

    Attributes:
        places: Their indices in the list.
        vectors: float32 (number, width), one for each.
        num_cut: How many of them did not fit whole.
    """

    places: tuple[int, ...]
    vectors: npt.NDArray[np.float32]
    num_cut: int = 0


@dataclass(slots=True)
class LineMemory:
    """The latest lists with their vectors; safe to share between threads.

    Attributes:
        most: How many lists.
    """

    most: int = REMEMBERED
    _held: OrderedDict[object, Portion] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, key: object) -> Portion | None:
        """Return what is remembered of a list."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: object, portion: Portion) -> None:
        """Remember a list; the one that was not asked for the longest is forgotten."""
        with self._lock:
            self._held[key] = portion
            self._held.move_to_end(key)
            while len(self._held) > self.most:
                self._held.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Searcher:
    """An encoder with a memory.

    Attributes:
        encoder: Turns lines into vectors.
        memory: Of lists; may be shared by several searchers.
    """

    encoder: SentenceEncoder
    memory: LineMemory = field(default_factory=LineMemory)

    def read(self, texts: Texts) -> Iterator[Portion]:
        """Yield what has been read so far; at last everything, which is remembered.

        Shorter lines are read first, so that a portion's are of like length.
        """
        weights = self.encoder.weights
        key = (weights.name, weights.commit, self.encoder.pooling, texts)
        known = self.memory.get(key)
        if known is not None:
            yield known
            return
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        parts: list[npt.NDArray[np.float32]] = []
        portion, num_cut = None, 0
        for start in range(0, len(order), PORTION):
            group = order[start : start + PORTION]
            made = self.encoder.encode([texts[index] for index in group])
            parts.append(made.vectors)
            num_cut += sum(
                count < len(texts[index])
                for index, count in zip(group, made.num_chars_read, strict=True)
            )
            done = tuple(order[: start + len(group)])
            portion = Portion(done, np.concatenate(parts), num_cut)
            yield portion
        if portion is not None:
            self.memory.put(key, portion)


def searcher_of(model: SentenceEncoder | Searcher) -> Searcher:
    """Return a searcher over an encoder; one that is given stays."""
    return model if isinstance(model, Searcher) else Searcher(model)
