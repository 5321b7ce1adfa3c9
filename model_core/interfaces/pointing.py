"""The pointer: mark subjects and objects in a text and how they are related.

Changes when pointing is asked differently. Plain values and one Protocol.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from model_core.interfaces.models import WeightsInfo

TripleDecoder = Literal["both", "half_pointer", "gplinker", "prompted", "written"]
"""``both`` weighs what ``half_pointer`` and ``gplinker`` say of a triple."""
SchemaKind = Literal["known", "asked", "own"]
"""Where relations come from: ``known`` were learned and are listed; ``asked`` are any
that are named while asking, at least one; ``own`` are named by the weights as they
write."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What can hold between two spans.

    Attributes:
        subject_type: E.g. 图书作品.
        predicate: E.g. 作者; a slot of a complex object as ``predicate_slot``, e.g.
            饰演_inWork.
        object_type: E.g. 人物.
    """

    subject_type: str
    predicate: str
    object_type: str


@dataclass(frozen=True, slots=True)
class PointedTriple:
    """Two spans of one text and the relation between them.

    Attributes:
        relation: Index into the pointer's ``relations``, once it has pointed.
        subject: Half-open (start, end) character offsets.
        object: Half-open (start, end) character offsets.
        probability: Of the whole triple, 0..1.
    """

    relation: int
    subject: tuple[int, int]
    object: tuple[int, int]
    probability: float


Pointed = tuple[PointedTriple, ...]
"""One text's triples, most probable first."""


class TriplePointer(Protocol):
    """Points at triples."""

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        ...

    @property
    def relations(self) -> tuple[Relation, ...]:
        """What triples of it are numbered by: learned, asked for, or written so far."""
        ...

    @property
    def schema_kind(self) -> SchemaKind:
        """Where its relations come from."""
        ...

    def asking(self, relations: tuple[Relation, ...]) -> "TriplePointer":
        """Return the same weights for one request.

        ``known``: itself. ``asked``: a pointer that looks for ``relations``. ``own``: a
        pointer that has written none yet; ``relations`` grow as it points, and it finds
        whatever there is.
        """
        ...

    @property
    def decoders(self) -> tuple[TripleDecoder, ...]:
        """Which decoders these weights have, the best first."""
        ...

    @property
    def max_text_chars(self) -> int:
        """The longest text that can be read at once."""
        ...

    def point(
        self, texts: Sequence[str], decoder: TripleDecoder, *, floor: float = 0.1
    ) -> tuple[Pointed, ...]:
        """Return each text's triples of at least a probability, most probable first.

        All texts go through the network together.

        Args:
            texts: Of at most ``max_text_chars`` characters each.
            decoder: One of ``decoders``.
            floor: Lowest probability returned, 0..1.

        Raises:
            ModelError: ``unsupported`` for a decoder these weights do not have or a
                text that is too long.
        """
        ...

    def pointing(
        self, texts: Sequence[str], decoder: TripleDecoder, *, floor: float = 0.1
    ) -> Iterator[tuple[Pointed, ...]]:
        """Yield what ``point`` returns, as far as it is known.

        Between two of them the network takes one pass or writes one token: whoever
        stops asking waits for no more than that. The last is what ``point`` returns.

        Args:
            texts: As for ``point``.
            decoder: As for ``point``.
            floor: As for ``point``.

        Raises:
            ModelError: As ``point`` does.
        """
        ...
