"""Found triples: strings with their places, merged over the windows of a text.

Changes when a found triple has another fact. Knows no request and no model.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from demos.triples.windows import Window
from model_core.interfaces import PointedTriple, Relation

ABSENT = -1  # where a string stands that is not in the text


@dataclass(frozen=True, slots=True)
class ExtractedTriple:
    """One subject, one object and the relation between them.

    Attributes:
        subject: As the text spells it.
        predicate: The relation; a slot of a complex object as ``predicate_slot``.
        object: As the text spells it.
        subject_start: Character offset in the text, or -1 where it is not in it.
        object_start: Character offset in the text, or -1 where it is not in it.
        probability: Of the whole triple, 0..1.
        subject_type: What the subject is, e.g. 图书作品.
        object_type: What the object is, e.g. 人物.
    """

    subject: str
    predicate: str
    object: str
    subject_start: int
    object_start: int
    probability: float
    subject_type: str = ""
    object_type: str = ""

    @property
    def subject_span(self) -> tuple[int, int] | None:
        """Half-open character offsets, None where it is not in the text."""
        return _span(self.subject_start, self.subject)

    @property
    def object_span(self) -> tuple[int, int] | None:
        """Half-open character offsets, None where it is not in the text."""
        return _span(self.object_start, self.object)

    @property
    def said(self) -> tuple[str, ...]:
        """What it claims, wherever the text says so."""
        return (
            self.subject_type,
            self.subject,
            self.predicate,
            self.object_type,
            self.object,
        )


def place(
    pointed: PointedTriple, window: Window, relation: Relation
) -> ExtractedTriple:
    """Return what was pointed at in a window, with offsets into the whole text."""
    (subject_start, subject_end), (object_start, object_end) = (
        pointed.subject,
        pointed.object,
    )
    return ExtractedTriple(
        subject=window.text[subject_start:subject_end],
        predicate=relation.predicate,
        object=window.text[object_start:object_end],
        subject_start=window.start + subject_start,
        object_start=window.start + object_start,
        probability=pointed.probability,
        subject_type=relation.subject_type,
        object_type=relation.object_type,
    )


def merge(triples: Iterable[ExtractedTriple]) -> tuple[ExtractedTriple, ...]:
    """Return every claim once, where it is most probable, in reading order.

    Of equally probable places the first in the text is kept, so that the order of the
    windows does not matter.
    """
    best: dict[tuple[str, ...], ExtractedTriple] = {}
    for triple in triples:
        rival = best.setdefault(triple.said, triple)
        if _rank(triple) < _rank(rival):
            best[triple.said] = triple
    return tuple(sorted(best.values(), key=_reading_order))


def _span(start: int, text: str) -> tuple[int, int] | None:
    return None if start == ABSENT else (start, start + len(text))


def _rank(triple: ExtractedTriple) -> tuple[float, int, int]:
    return -triple.probability, triple.subject_start, triple.object_start


def _reading_order(triple: ExtractedTriple) -> tuple[object, ...]:
    return (
        triple.subject_start,
        triple.object_start,
        -triple.probability,
        triple.said,
    )
