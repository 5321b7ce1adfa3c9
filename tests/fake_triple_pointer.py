"""A stand-in behind the TriplePointer Protocol: it knows a few facts by heart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from model_core.interfaces import (
    ModelError,
    PointedTriple,
    Relation,
    SchemaKind,
    TripleDecoder,
    WeightsInfo,
)
from tests.fakes import EMBEDDED

RELATIONS = (
    Relation("图书作品", "作者", "人物"),
    Relation("人物", "父亲", "人物"),
    Relation("历史人物", "朝代", "Text"),
    Relation("历史人物", "号", "Text"),
    Relation("娱乐人物", "饰演", "人物"),
    Relation("娱乐人物", "饰演_inWork", "影视作品"),
)
# subject, index of the relation, object, probability
FACTS = (
    ("史记", 0, "司马迁", 0.97),
    ("司马迁", 1, "司马谈", 0.91),
    ("司马迁", 2, "西汉", 0.45),
    ("苏轼", 3, "东坡居士", 0.88),
    ("苏轼", 1, "苏洵", 0.62),
    ("苏轼", 1, "程夫人", 0.08),
    ("六小龄童", 4, "孙悟空", 0.93),
    ("六小龄童", 5, "西游记", 0.71),
)


@dataclass
class FakeTriplePointer:
    """Points at a fact wherever both of its names stand in one text, at their first.

    GPLinker is a little less sure than the half pointer. A text that holds a key of
    ``failures`` raises its ModelError. ``asked`` has one entry per pass. One whose kind
    is ``own`` numbers its relations as it comes upon them; one that is ``asked`` finds
    the facts of those that are named alike. A pass takes ``num_steps``; ``steps`` has
    an entry for each that is not the last.
    """

    weights: WeightsInfo = EMBEDDED
    relations: tuple[Relation, ...] = RELATIONS
    decoders: tuple[TripleDecoder, ...] = ("half_pointer", "gplinker")
    max_text_chars: int = 256
    facts: tuple[tuple[str, int, str, float], ...] = FACTS
    schema_kind: SchemaKind = "known"
    failures: dict[str, ModelError] = field(default_factory=dict)
    asked: list[tuple[tuple[str, ...], str, float]] = field(default_factory=list)
    written: tuple[Relation, ...] = ()
    num_steps: int = 1
    steps: list[int] = field(default_factory=list)

    def asking(self, relations: tuple[Relation, ...]) -> "FakeTriplePointer":
        """Return itself, or one for a request; they share ``asked``."""
        told: dict[SchemaKind, FakeTriplePointer] = {
            "known": self,
            "asked": replace(self, relations=relations),
            "own": replace(self, relations=(), written=self.written or self.relations),
        }
        return told[self.schema_kind]

    def point(
        self, texts: Sequence[str], decoder: TripleDecoder, *, floor: float = 0.1
    ) -> tuple[tuple[PointedTriple, ...], ...]:
        """Return each text's facts of at least ``floor``, most probable first."""
        self.asked.append((tuple(texts), decoder, floor))
        if decoder not in self.decoders or max(map(len, texts)) > self.max_text_chars:
            raise ModelError("unsupported", "读不了。", "Cannot be read.")
        for part, failure in self.failures.items():
            if any(part in text for text in texts):
                raise failure
        share = 1.0 if decoder == "half_pointer" else 0.9
        return tuple(self._point(text, share, floor) for text in texts)

    def pointing(
        self, texts: Sequence[str], decoder: TripleDecoder, *, floor: float = 0.1
    ) -> Iterator[tuple[tuple[PointedTriple, ...], ...]]:
        """Yield the first of each text's facts, ``num_steps - 1`` times, then all."""
        whole = self.point(texts, decoder, floor=floor)
        for _ in range(self.num_steps - 1):
            self.steps.append(len(texts))
            yield tuple(facts[:1] for facts in whole)
        yield whole

    def _point(
        self, text: str, share: float, floor: float
    ) -> tuple[PointedTriple, ...]:
        found = (
            PointedTriple(number, _span(text, subject), _span(text, name), p * share)
            for subject, relation, name, p in self.facts
            if subject in text and name in text and p * share >= floor
            for number in self._numbers(relation)
        )
        return tuple(sorted(found, key=lambda one: -one.probability))

    def _numbers(self, relation: int) -> list[int]:
        if self.schema_kind == "known":
            return [relation]
        if self.schema_kind == "own":
            name = self.written[relation]
            if name not in self.relations:
                self.relations = (*self.relations, name)
            return [self.relations.index(name)]
        known = RELATIONS[relation]
        return [
            number
            for number, one in enumerate(self.relations)
            if (one.subject_type, one.predicate)
            == (known.subject_type, known.predicate)
        ]


def _span(text: str, part: str) -> tuple[int, int]:
    start = text.index(part)
    return start, start + len(part)
