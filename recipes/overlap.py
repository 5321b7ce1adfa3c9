"""Which n-grams of some texts stand in others: hashed, in arrays, bounded in memory.

Changes when texts are compared differently. Knows no file and no task. A text is its
Han characters, everything else left out, so that punctuation, spaces and layout do not
hide a copy. An n-gram is a 64-bit polynomial hash of its characters; that a stranger
has the hash of one of three million is less likely than one in a thousand over a
hundred million n-grams.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint32]
Hashes = npt.NDArray[np.uint64]

END = 0  # stands between texts, where no n-gram that counts passes
FIRST_HAN, LAST_HAN = 0x3400, 0x9FFF
BASE = 0x9E3779B97F4A7C15
FILTER_BITS = 25


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some documents of a training source.

    Attributes:
        source: Name of the source.
        codes: uint32 (length,), every document's Han characters after an ``END``.
        first_document: Number of the first within its source.
    """

    source: str
    codes: Codes
    first_document: int


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """The n-grams of one size that are looked for.

    Attributes:
        size: Characters of an n-gram.
        hashes: uint64 (num_distinct,), in ascending order.
        filter: bool (2**FILTER_BITS,), by the first bits of a hash: whether any of
            ``hashes`` begins so. Most n-grams of training end here.
        traced: Whether documents are noted: for sizes that few documents share.
        seen: By source, bool (num_distinct,): which of them it has.
        documents: By source, the numbers of its documents that have any, each with
            the places of those n-grams in ``hashes``.
    """

    size: int
    hashes: Hashes
    filter: npt.NDArray[np.bool_]
    traced: bool = False
    seen: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    documents: dict[str, dict[int, set[int]]] = field(default_factory=dict)

    def look(self, part: Part) -> None:
        """Note which n-grams a part of a source has."""
        hashes = gram_hashes(part.codes, self.size)
        places = np.flatnonzero(self.filter[_first_bits(hashes)])
        found = np.searchsorted(self.hashes, hashes[places])
        found[found == len(self.hashes)] = 0
        real = self.hashes[found] == hashes[places]
        found, places = found[real], places[real]
        seen = self.seen.setdefault(part.source, np.zeros(len(self.hashes), bool))
        seen[found] = True
        if self.traced:
            self._trace(part, found, places)

    def _trace(
        self, part: Part, found: npt.NDArray[np.intp], places: npt.NDArray[np.intp]
    ) -> None:
        numbers = np.cumsum(part.codes == END)[places] - 1 + part.first_document
        documents = self.documents.setdefault(part.source, {})
        for number, gram in zip(numbers.tolist(), found.tolist(), strict=True):
            documents.setdefault(number, set()).add(gram)

    def documents_with(self, source: str, texts: "Texts") -> list[int]:
        """Return the numbers of a source's documents that share an n-gram with texts.

        Args:
            source: Looked through with ``traced``.
            texts: One of the sets whose n-grams are wanted.
        """
        mine = np.zeros(len(self.hashes), bool)
        mine[np.searchsorted(self.hashes, texts.hashes)] = True
        documents = self.documents.get(source, {})
        return sorted(n for n, grams in documents.items() if mine[list(grams)].any())

    def found_in(self, sources: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Return which n-grams any of some sources has, bool (num_distinct,)."""
        found = np.zeros(len(self.hashes), bool)
        for name in sources:
            found |= self.seen.get(name, False)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """The n-grams of one size of a set of texts.

    Attributes:
        hashes: uint64 (num_grams,), those that cross no text's end.
        owners: int64 (num_grams,), the number of each one's text.
        num_texts: How many texts there are, those without an n-gram included.
    """

    hashes: Hashes
    owners: npt.NDArray[np.int64]
    num_texts: int

    def found(self, wanted: Wanted, sources: Sequence[str]) -> "Found":
        """Return what of these texts some sources have."""
        hit = wanted.found_in(sources)[np.searchsorted(wanted.hashes, self.hashes)]
        grams = np.bincount(self.owners, minlength=self.num_texts)
        hits = np.bincount(self.owners[hit], minlength=self.num_texts)
        return Found(grams, hits)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """How much of every text was found.

    Attributes:
        grams: int64 (num_texts,), its n-grams.
        hits: int64 (num_texts,), those found.
    """

    grams: npt.NDArray[np.int64]
    hits: npt.NDArray[np.int64]

    @property
    def texts(self) -> int:
        """Texts that are long enough to have an n-gram."""
        return int((self.grams > 0).sum())

    @property
    def touched(self) -> int:
        """Texts with an n-gram that was found."""
        return int((self.hits > 0).sum())

    @property
    def mostly(self) -> int:
        """Texts at least half of whose n-grams were found."""
        return int(((self.hits * 2 >= self.grams) & (self.grams > 0)).sum())

    @property
    def share(self) -> float:
        """Share of n-grams found, over all texts together."""
        return float(self.hits.sum() / max(1, self.grams.sum()))


def han_codes(text: str, known: npt.NDArray[np.bool_] | None = None) -> Codes:
    """Return the code points of a text's Han characters, uint32 (num_han,).

    Args:
        text: Any.
        known: bool (LAST_HAN + 1,), characters to keep; by default all.
    """
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), "<u4")
    codes = codes[(codes >= FIRST_HAN) & (codes <= LAST_HAN)]
    return codes if known is None else codes[known[codes]]


def laid_out(texts: Iterable[Codes]) -> Codes:
    """Return texts end to end, each after an ``END``."""
    end = np.asarray([END], "uint32")
    pieces = [piece for text in texts for piece in (end, text)]
    return np.concatenate([np.empty(0, "uint32"), *pieces])


def texts_of(codes: Codes, size: int) -> Texts:
    """Return the n-grams of texts laid out by ``laid_out``."""
    hashes = gram_hashes(codes, size)
    ends = np.cumsum(codes == END)
    inside = ends[: len(hashes)] == ends[size - 1 :]
    inside &= codes[: len(hashes)] != END
    owners = ends[: len(hashes)][inside] - 1
    return Texts(hashes[inside], owners, int(ends[-1]) if len(ends) else 0)


def wanted_of(sets: Iterable[Texts], size: int, *, traced: bool = False) -> Wanted:
    """Return the n-grams of some sets of texts, to be looked for."""
    none = np.empty(0, "uint64")
    hashes = np.unique(np.concatenate([none, *(one.hashes for one in sets)]))
    table = np.zeros(2**FILTER_BITS, bool)
    table[_first_bits(hashes)] = True
    return Wanted(size, hashes, table, traced)


def gram_hashes(codes: Codes, size: int) -> Hashes:
    """Return the hash of every run of ``size`` codes.

    Doubles: the hash of 2 m codes is that of the first m, times BASE to the m-th,
    plus that of the next m.

    Args:
        codes: uint32 (length,).
        size: 1 or more.

    Returns:
        uint64 (max(0, length - size + 1),).
    """
    length = len(codes) - size + 1
    if length <= 0:
        return np.empty(0, "uint64")
    power, reach = _scattered(codes), 1  # hashes of ``reach`` codes from each place
    done, covered = np.zeros(len(codes), "uint64"), 0
    left = size
    while left:
        if left & 1:
            rest = power[covered:]
            done = done[: len(rest)] * _raised(reach) + rest
            covered += reach
        left >>= 1
        if left:
            power = power[:-reach] * _raised(reach) + power[reach:]
            reach *= 2
    return done[:length]


def parts_of(
    source: str, texts: Iterable[Codes], documents_at_once: int = 20_000
) -> Iterator[Part]:
    """Yield a source's documents in parts of a size that memory bears."""
    first, held = 0, []
    for text in texts:
        held.append(text)
        if len(held) == documents_at_once:
            yield Part(source, laid_out(held), first)
            first, held = first + len(held), []
    if held:
        yield Part(source, laid_out(held), first)


def _scattered(codes: Codes) -> Hashes:
    """Return a number of 64 random-looking bits per code (splitmix64)."""
    mixed = codes.astype("uint64") + np.uint64(BASE)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _raised(exponent: int) -> np.uint64:
    return np.uint64(pow(BASE, exponent, 2**64))


def _first_bits(hashes: Hashes) -> Hashes:
    return hashes >> np.uint64(64 - FILTER_BITS)
