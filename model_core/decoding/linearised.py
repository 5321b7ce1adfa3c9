"""Triples in the tokens that a network wrote: where each of their parts stands.

Changes when weights write triples in another form. Knows no vocabulary: a token is its
mark, the name of its type, or text. mREBEL (arXiv 2306.09802) repeats the subject's
type before every further object of the same subject::

    <triplet> subject <per> object <loc> relation <per> object <org> relation
    <triplet> subject <media> object <per> relation
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

TEXT = ""
TRIPLET = "triplet"
RELATION = "relation"  # opens a triple as well, in another of its trainings
OPENINGS = frozenset({TRIPLET, RELATION})

Places = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LinearTriple:
    """One triple, its parts as places in the sequence, in order.

    Attributes:
        opening: Of the mark that opens it; shared, as the subject is, with further
            triples of the same subject.
        subject: Of its subject's tokens.
        subject_type: What the subject is; "" where it is not yet written.
        object: Of its object's tokens.
        object_type: What the object is; "" where it is not yet written.
        relation: Of its relation's tokens.
        types: Of its types' marks.
    """

    opening: Places = ()
    subject: Places = ()
    subject_type: str = TEXT
    object: Places = ()
    object_type: str = TEXT
    relation: Places = ()
    types: Places = ()

    @property
    def is_whole(self) -> bool:
        """Whether no part of it is missing."""
        return bool(self.subject and self.object and self.relation)

    @property
    def tokens(self) -> Places:
        """All that spells it."""
        parts = (self.opening, self.subject, self.types, self.object, self.relation)
        return tuple(sorted(place for part in parts for place in part))

    def with_text(self, place: int) -> "LinearTriple":
        """Return it with one more token of text, in the part that is being written."""
        if self.object_type:
            return replace(self, relation=(*self.relation, place))
        if self.subject_type:
            return replace(self, object=(*self.object, place))
        return replace(self, subject=(*self.subject, place))

    def with_type(self, place: int, name: str) -> "LinearTriple":
        """Return it with the type of the part before."""
        types = (*self.types, place)
        if self.subject_type:
            return replace(self, object_type=name, types=types)
        return replace(self, subject_type=name, types=types)

    def next_object(self, place: int, name: str) -> "LinearTriple":
        """Return the next triple of the same subject, of which the type is written."""
        return LinearTriple(self.opening, self.subject, name, types=(place,))


def linear_triples(
    marks: Sequence[str], *, is_finished: bool = True
) -> tuple[LinearTriple, ...]:
    """Return the whole triples of a sequence, in order.

    What is missing a part is left out: text before the first mark, a subject, object
    or relation without a token, a triple that breaks off. Types alternate between
    subject and object wherever they stand, so that one empty part does not turn the
    rest around.

    Args:
        marks: (length,): ``TEXT`` for a token of text, else a mark's name: ``triplet``,
            or a type's, e.g. ``per``.
        is_finished: Whether the sequence ended by itself. If not, its last triple may
            lack the end of its relation, and is left out.
    """
    written = list(_written(marks))
    if not is_finished and written:
        written.pop()
    return tuple(triple for triple in written if triple.is_whole)


def _written(marks: Iterable[str]) -> Iterable[LinearTriple]:
    """Yield every triple that was begun, whole or not."""
    current: LinearTriple | None = None
    for place, mark in enumerate(marks):
        if mark in OPENINGS:
            if current is not None:
                yield current
            current = LinearTriple(opening=(place,))
        elif current is None:
            continue
        elif mark == TEXT:
            current = current.with_text(place)
        elif current.object_type:
            yield current
            current = current.next_object(place, mark)
        else:
            current = current.with_type(place, mark)
    if current is not None:
        yield current
