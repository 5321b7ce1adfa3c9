"""A base of facts in a few flat arrays: a million triples without a million objects.

Changes when the base is held or looked up in another way. Knows no file and no model.

A key is a subject with one of its predicates; its objects stand together::

    names     红楼梦（小说） 作者 曹雪芹 ...        each once, UTF-8, end to end
    keys      (0, 1)  (2, 3) ...                    subject and predicate, by name
    starts    0  1  4 ...                           where a key's objects begin
    objects   曹雪芹 | 贾宝玉 林黛玉 薛宝钗 | ...   UTF-8, reached through ``rows``
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import overload

import numpy as np
import numpy.typing as npt

from model_core.interfaces import FactKey

Indices = npt.NDArray[np.uint32]

OPENING, CLOSING = ("（", "("), ("）", ")")
KEYS_AT_ONCE = 4096  # taken out of their arrays together
NAMES_AT_HAND = 4096  # predicates come again and again


@dataclass(frozen=True, slots=True, eq=False)
class Texts(Sequence[str]):
    """Many strings in two arrays.

    Attributes:
        data: All of them in UTF-8, end to end.
        ends: (number of strings,), after the last byte of each.
    """

    data: bytes
    ends: Indices

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        """Return one string, or a list of several."""
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        start = self.ends.item(place - 1) if place else 0
        return self.data[start : self.ends.item(place)].decode()

    def __len__(self) -> int:
        """Return the number of strings."""
        return len(self.ends)

    @property
    def size_bytes(self) -> int:
        """Bytes of both arrays."""
        return len(self.data) + self.ends.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class KnowledgeBase:
    """Triples by key, in the order in which the keys were met.

    Attributes:
        names: Subjects and predicates, each once.
        subjects: (keys,), of each key's subject in ``names``.
        predicates: (keys,), of each key's predicate in ``names``.
        starts: (keys + 1,), where each key's objects begin in ``rows``.
        rows: (triples,), of each object in ``objects``.
        objects: As they were met, with those of dropped triples.
        num_duplicates: Triples that were dropped because they stood there already.
    """

    names: Texts
    subjects: Indices
    predicates: Indices
    starts: Indices
    rows: Indices
    objects: Texts
    num_duplicates: int

    @property
    def num_triples(self) -> int:
        """Number of different triples."""
        return len(self.rows)

    @property
    def num_keys(self) -> int:
        """Number of keys."""
        return len(self.subjects)

    @property
    def size_bytes(self) -> int:
        """Bytes of all arrays."""
        indices = (self.subjects, self.predicates, self.starts, self.rows)
        texts = self.names.size_bytes + self.objects.size_bytes
        return texts + sum(one.nbytes for one in indices)

    @property
    def keys(self) -> "Keys":
        """The keys, as the builder of a tree takes them."""
        return Keys(self)

    def subject_of(self, key: int) -> str:
        """Return a key's subject as it was written, its meaning in brackets."""
        return self.names[int(self.subjects[key])]

    def predicate_of(self, key: int) -> str:
        """Return a key's predicate."""
        return self.names[int(self.predicates[key])]

    def objects_of(self, key: int) -> tuple[str, ...]:
        """Return all objects of a key, in the order in which they were met."""
        start, end = int(self.starts[key]), int(self.starts[key + 1])
        return tuple(self.objects[int(row)] for row in self.rows[start:end])

    def triples(self) -> Iterator[tuple[str, str, str]]:
        """Yield every triple, key by key."""
        for key in range(self.num_keys):
            for found in self.objects_of(key):
                yield self.subject_of(key), self.predicate_of(key), found


class Keys(Sequence[FactKey]):
    """A base's keys, each made when it is looked at: none of them is kept."""

    def __init__(self, base: KnowledgeBase) -> None:
        self._base = base

    @overload
    def __getitem__(self, index: int) -> FactKey: ...
    @overload
    def __getitem__(self, index: slice) -> list[FactKey]: ...
    def __getitem__(self, index: int | slice) -> FactKey | list[FactKey]:
        """Return one key, or a list of several."""
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return _key(self._base.subject_of(place), self._base.predicate_of(place))

    def __iter__(self) -> Iterator[FactKey]:
        """Yield all keys; a name is decoded once for as long as it is met in a row."""
        name_of = lru_cache(NAMES_AT_HAND)(self._base.names.__getitem__)
        subjects, predicates = self._base.subjects, self._base.predicates
        for start in range(0, len(self), KEYS_AT_ONCE):
            stretch = slice(start, start + KEYS_AT_ONCE)
            pairs = zip(
                subjects[stretch].tolist(), predicates[stretch].tolist(), strict=True
            )
            for subject, predicate in pairs:
                yield _key(name_of(subject), name_of(predicate))

    def __len__(self) -> int:
        """Return the number of keys."""
        return self._base.num_keys


def split_meaning(name: str) -> tuple[str, str]:
    """Part a name from the meaning in brackets at its end, "" where it has none."""
    start = max(map(name.rfind, OPENING))
    meaning = name[start + 1 : -1]
    if start < 1 or not name.endswith(CLOSING) or not meaning.strip():
        return name, ""
    if any(bracket in meaning for bracket in CLOSING):  # brackets within brackets
        return name, ""
    return name[:start].rstrip(), meaning.strip()


def _key(name: str, predicate: str) -> FactKey:
    subject, meaning = split_meaning(name)
    return FactKey(subject, predicate, meaning)


class BaseBuilder:
    """Takes triples one by one, and makes the base of them."""

    def __init__(self) -> None:
        self._names = _Column()
        self._name_ids: dict[str, int] = {}
        self._key_ids: dict[int, int] = {}
        self._subjects = array("I")
        self._predicates = array("I")
        self._objects = _Column()
        self._keys_of_objects = array("I")

    @property
    def num_added(self) -> int:
        """Number of triples taken, duplicates among them."""
        return len(self._keys_of_objects)

    def add(self, subject: str, predicate: str, found: str) -> None:
        """Take one triple; ``found`` is its object."""
        subject_id, predicate_id = self._name_id(subject), self._name_id(predicate)
        pair = subject_id << 32 | predicate_id
        key = self._key_ids.setdefault(pair, len(self._key_ids))
        if key == len(self._subjects):
            self._subjects.append(subject_id)
            self._predicates.append(predicate_id)
        self._objects.append(found)
        self._keys_of_objects.append(key)

    def build(self) -> KnowledgeBase:
        """Return the base: objects by key, duplicates dropped. The builder is done."""
        self._name_ids.clear()
        self._key_ids.clear()
        objects = self._objects.texts()
        keys = _indices(self._keys_of_objects)
        rows = np.argsort(keys, kind="stable").astype(np.uint32)
        kept = rows[~_repeated(objects, keys[rows], rows)]
        counts = np.bincount(keys[kept], minlength=len(self._subjects))
        return KnowledgeBase(
            names=self._names.texts(),
            subjects=_indices(self._subjects),
            predicates=_indices(self._predicates),
            starts=np.concatenate(([0], np.cumsum(counts))).astype(np.uint32),
            rows=kept,
            objects=objects,
            num_duplicates=len(rows) - len(kept),
        )

    def _name_id(self, name: str) -> int:
        number = self._name_ids.setdefault(name, len(self._name_ids))
        if number == len(self._names):
            self._names.append(name)
        return number


class _Column:
    """Strings on their way into Texts."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._ends = array("I")

    def __len__(self) -> int:
        return len(self._ends)

    def append(self, text: str) -> None:
        self._data += text.encode()
        self._ends.append(len(self._data))

    def texts(self) -> Texts:
        """Return the strings and forget them."""
        data, ends = bytes(self._data), _indices(self._ends)
        self._data = bytearray()
        return Texts(data, ends)


def _indices(numbers: "array[int]") -> Indices:
    return np.frombuffer(numbers, dtype=np.uint32) if numbers else _NONE


def _repeated(objects: Texts, keys: Indices, rows: Indices) -> npt.NDArray[np.bool_]:
    """Tell which objects stand under their key already.

    Args:
        objects: All of them.
        keys: (triples,), sorted.
        rows: (triples,), each key's objects, sorted like ``keys``.
    """
    repeated = np.zeros(len(rows), bool)
    starts = np.flatnonzero(np.diff(keys, prepend=np.uint32(0xFFFFFFFF)))
    ends = np.append(starts[1:], len(rows))
    several = ends - starts > 1
    for start, end in zip(starts[several], ends[several], strict=True):
        seen = set[str]()
        for place in range(start, end):
            found = objects[int(rows[place])]
            repeated[place] = found in seen
            seen.add(found)
    return repeated


_NONE: Indices = np.zeros(0, np.uint32)
