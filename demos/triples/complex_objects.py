"""Complex objects: flat triples of one event put together again.

DuIE 2.0's complex objects have several slots: who played whom (the value) in what. In
flat triples the value goes by the predicate's own name and a slot by
``predicate_slot``: 饰演 and 饰演_inWork. Changes when they are joined differently.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from demos.triples.found import ABSENT, ExtractedTriple

SLOT_MARK = "_"
VALUE_SLOT = "@value"


@dataclass(frozen=True, slots=True)
class ComplexObject:
    """One event around a subject.

    Attributes:
        subject: Whose.
        predicate: What, without slots: 饰演.
        value: The object proper, None where only slots were found.
        slots: What else is known of it, in reading order.
    """

    subject: str
    predicate: str
    value: ExtractedTriple | None
    slots: tuple[ExtractedTriple, ...]

    @property
    def triples(self) -> tuple[ExtractedTriple, ...]:
        """The flat triples that it was put together from."""
        return self.slots if self.value is None else (self.value, *self.slots)


def split_predicate(predicate: str) -> tuple[str, str]:
    """Return a predicate's name and its slot, ``@value`` where it names none."""
    base, mark, slot = predicate.rpartition(SLOT_MARK)
    return (base, slot) if mark and base and slot else (predicate, VALUE_SLOT)


def complex_objects(triples: Iterable[ExtractedTriple]) -> tuple[ComplexObject, ...]:
    """Put flat triples of the same subject and predicate together.

    Every slot belongs to a value: the only slot of its name to all of them (two parts
    in one film); as many slots as values pair up in reading order (a part here, a part
    there); otherwise each goes to the value nearest in the text. Triples without any
    slot beside them stay as they are and do not appear here.
    """
    groups: dict[tuple[str, str], list[ExtractedTriple]] = defaultdict(list)
    for triple in sorted(triples, key=_place):
        base, _ = split_predicate(triple.predicate)
        groups[triple.subject, base].append(triple)
    return tuple(
        joined
        for (subject, base), members in groups.items()
        for joined in _joined(subject, base, members)
    )


def _joined(
    subject: str, base: str, members: Sequence[ExtractedTriple]
) -> Iterator[ComplexObject]:
    values: dict[str, ExtractedTriple] = {}
    slots: dict[str, list[ExtractedTriple]] = defaultdict(list)
    for triple in members:
        _, slot = split_predicate(triple.predicate)
        if slot == VALUE_SLOT:
            values.setdefault(triple.object, triple)
        else:
            slots[slot].append(triple)
    if not values and slots:
        flat = sorted((one for many in slots.values() for one in many), key=_place)
        yield ComplexObject(subject, base, None, tuple(flat))
        return
    ordered = list(values.values())
    owned = _owned(ordered, slots.values())
    for value, own in zip(ordered, owned, strict=True):
        if own:
            yield ComplexObject(subject, base, value, tuple(sorted(own, key=_place)))


def _owned(
    values: Sequence[ExtractedTriple],
    slots: Iterable[Sequence[ExtractedTriple]],
) -> list[list[ExtractedTriple]]:
    """Return each value's slots."""
    owned: list[list[ExtractedTriple]] = [[] for _ in values]
    for named_alike in slots:
        for rank, slot in enumerate(named_alike):
            for owner in _owners(values, named_alike, rank):
                owned[owner].append(slot)
    return owned


def _owners(
    values: Sequence[ExtractedTriple], slots: Sequence[ExtractedTriple], rank: int
) -> Sequence[int]:
    """Return which values the slot of this rank belongs to."""
    if len(slots) == 1:
        return range(len(values))
    if len(slots) == len(values):
        return (rank,)
    gaps = [_gap(value, slots[rank]) for value in values]
    return (gaps.index(min(gaps)),)


def _gap(value: ExtractedTriple, slot: ExtractedTriple) -> float:
    """Return how many characters lie between two objects."""
    if value.object_span is None or slot.object_span is None:
        return float("inf")
    (start, end), (other_start, other_end) = value.object_span, slot.object_span
    return max(0, max(start, other_start) - min(end, other_end))


def _place(triple: ExtractedTriple) -> tuple[object, ...]:
    """Order by the object's place in the text; what is not in it comes last."""
    absent = triple.object_start == ABSENT
    return absent, triple.object_start, triple.subject_start, triple.said
