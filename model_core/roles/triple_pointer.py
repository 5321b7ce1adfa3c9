"""Points at triples: subjects and objects in a text and how they are related.

Changes when pointing takes another step. Knows no page, no window and no threshold.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from model_core.decoding.pointers import (
    PairParts,
    Spans,
    TokenTriple,
    gplinker_triples,
    half_pointer_triples,
    span_candidates,
    weighed_triples,
)
from model_core.engines.base import Floats, TokenBatch
from model_core.interfaces import (
    Pointed,
    PointedTriple,
    Relation,
    SchemaKind,
    TripleDecoder,
    WeightsInfo,
)
from model_core.roles.formats import Source
from model_core.roles.loaded import LoadedModel
from model_core.roles.pointing import check

MAX_TEXT_CHARS = 180
MAX_SUBJECTS = 16  # of one text, the most probable ones
HEADS: dict[TripleDecoder, tuple[str, ...]] = {
    "both": ("gplinker", "half_pointer"),
    "gplinker": ("gplinker",),
    "half_pointer": ("half_pointer",),
}
# How two decoders are weighed: the best of five shares on 1,000 training texts.
TRUST, FAINTEST = 0.6, 0.005
SUBJECT_POWER, OBJECT_POWER = 2, 4  # kexue.fm/archives/7161


class NetworkTriplePointer:
    """A ``TriplePointer`` over a network with pointing heads.

    Args:
        model: The network, its tokenizer, its formats and the relations it knows.
    """

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._decode: dict[
            TripleDecoder,
            Callable[
                [dict[str, Floats], list[Source], float],
                list[tuple[TokenTriple, ...]],
            ],
        ] = {
            "both": self._both,
            "half_pointer": self._half_pointer,
            "gplinker": self._gplinker,
        }

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        return self._model.info

    @property
    def relations(self) -> tuple[Relation, ...]:
        """See ``TriplePointer.relations``."""
        return self._model.parts.relations

    @property
    def schema_kind(self) -> SchemaKind:
        """See ``TriplePointer.schema_kind``."""
        return "known"

    def asking(self, relations: tuple[Relation, ...]) -> "NetworkTriplePointer":
        """See ``TriplePointer.asking``."""
        del relations
        return self

    @property
    def decoders(self) -> tuple[TripleDecoder, ...]:
        """See ``TriplePointer.decoders``."""
        heads = self._model.engine.heads
        return tuple(name for name, needed in HEADS.items() if {*needed} <= {*heads})

    @property
    def max_text_chars(self) -> int:
        """See ``TriplePointer.max_text_chars``."""
        return MAX_TEXT_CHARS

    def point(
        self, texts: Sequence[str], decoder: TripleDecoder, *, floor: float = 0.1
    ) -> tuple[Pointed, ...]:
        """See ``TriplePointer.point``."""
        check(self, texts, decoder)
        formats = self._model.formats
        sources = [
            formats.pointing(formats.piece(text), MAX_TEXT_CHARS + 3) for text in texts
        ]
        readable = [source for source in sources if len(source.text)]
        shift = self._model.parts.shifts.get(decoder, 0.0)
        least = shifted(floor, -shift)
        found: Iterator[tuple[TokenTriple, ...]] = iter(())
        if readable:
            outputs = self._read(readable, HEADS[decoder])
            found = iter(self._decode[decoder](outputs, readable, least))
        return tuple(
            self._placed(next(found), source, shift) if len(source.text) else ()
            for source in sources
        )

    def pointing(
        self, texts: Sequence[str], decoder: TripleDecoder, *, floor: float = 0.1
    ) -> Iterator[tuple[Pointed, ...]]:
        """See ``TriplePointer.pointing``: all in one pass."""
        yield self.point(texts, decoder, floor=floor)

    def _read(self, sources: list[Source], heads: tuple[str, ...]) -> dict[str, Floats]:
        marks = None
        if self._model.config.mark_vocab_size:
            marks = [source.mark_ids for source in sources]
        rows = [source.token_ids for source in sources]
        batch = TokenBatch.from_rows(rows, marks=marks)
        return self._model.engine.read(batch, "bidirectional", heads)

    def _both(
        self, outputs: dict[str, Floats], sources: list[Source], floor: float
    ) -> list[tuple[TokenTriple, ...]]:
        linked = self._gplinker(outputs, sources, FAINTEST)
        pointed = self._half_pointer(outputs, sources, FAINTEST)
        return [
            weighed_triples(*said, trust=TRUST, faintest=FAINTEST, floor=floor)
            for said in zip(linked, pointed, strict=True)
        ]

    def _half_pointer(
        self, outputs: dict[str, Floats], sources: list[Source], floor: float
    ) -> list[tuple[TokenTriple, ...]]:
        subjects = [
            _subjects(outputs["subject_logits"][row], source, floor)
            for row, source in enumerate(sources)
        ]
        rows = np.repeat(np.arange(len(sources)), [len(s.heads) for s in subjects])
        if not len(rows):
            return [()] * len(sources)
        starts, ends = (
            np.concatenate([getattr(spans, side) for spans in subjects]).astype("int32")
            for side in ("heads", "tails")
        )
        logits = self._model.engine.apply(
            "half_pointer", outputs["residual"][rows], starts, ends
        )["object_logits"]
        objects = sigmoid(logits) ** OBJECT_POWER
        made = []
        for row, (source, spans) in enumerate(zip(sources, subjects, strict=True)):
            inside = slice(source.text_start, source.text_end)
            mine = objects[rows == row][:, inside]
            within = Spans(
                spans.heads - source.text_start,
                spans.tails - source.text_start,
                spans.probabilities,
            )
            made.append(half_pointer_triples(within, mine[..., 0], mine[..., 1], floor))
        return made

    def _gplinker(
        self, outputs: dict[str, Floats], sources: list[Source], floor: float
    ) -> list[tuple[TokenTriple, ...]]:
        made = []
        for row, source in enumerate(sources):
            entities, heads, tails = (
                _pair_parts(outputs, name, row, source)
                for name in ("entity", "heads", "tails")
            )
            every = np.arange(len(source.text))
            made.append(
                gplinker_triples(entities.at(every, every), heads, tails, floor)
            )
        return made

    def _placed(
        self, triples: tuple[TokenTriple, ...], source: Source, shift: float
    ) -> tuple[PointedTriple, ...]:
        spans = source.text.spans
        return tuple(
            PointedTriple(
                relation=triple.predicate,
                subject=(spans[triple.subject_head][0], spans[triple.subject_tail][1]),
                object=(spans[triple.object_head][0], spans[triple.object_tail][1]),
                probability=shifted(float(triple.probability), shift),
            )
            for triple in triples
            if not _is_of_itself(triple) and not is_list(triple, triples)
        )


def is_list(triple: TokenTriple, triples: tuple[TokenTriple, ...]) -> bool:
    """Whether the object spans two others of the same subject, from first to last.

    ``张丰毅、巩俐`` is no actor where 张丰毅 and 巩俐 are more probable ones.
    """
    first, last = triple.object_head, triple.object_tail
    parts = [
        (one.object_head, one.object_tail)
        for one in triples
        if one.probability > triple.probability
        and (one.predicate, one.subject_head, one.subject_tail)
        == (triple.predicate, triple.subject_head, triple.subject_tail)
    ]
    begins = [end for start, end in parts if start == first and end < last]
    ends = [start for start, end in parts if end == last and start > first]
    return bool(begins and ends) and min(begins) < max(ends)


def _is_of_itself(triple: TokenTriple) -> bool:
    """Whether subject and object are one span: nothing is its own father."""
    subject = triple.subject_head, triple.subject_tail
    return subject == (triple.object_head, triple.object_tail)


def shifted(probability: float, shift: float) -> float:
    """Return a probability whose log-odds are so much higher."""
    odds = probability * math.exp(shift)
    return odds / (odds + (1.0 - probability))


def sigmoid(logits: Floats) -> npt.NDArray[np.float64]:
    """Return probabilities of logits, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits.astype("float64"))))


def _subjects(logits: Floats, source: Source, floor: float) -> Spans:
    """Return the most probable subjects of one text, in the row's positions."""
    p = sigmoid(logits[source.text_start : source.text_end]) ** SUBJECT_POWER
    spans = span_candidates(p[:, 0], p[:, 1], floor)
    best = np.sort(np.argsort(-spans.probabilities, kind="stable")[:MAX_SUBJECTS])
    return Spans(
        spans.heads[best] + source.text_start,
        spans.tails[best] + source.text_start,
        spans.probabilities[best],
    )


def _pair_parts(
    outputs: dict[str, Floats], name: str, row: int, source: Source
) -> PairParts:
    """Return what one text's scores of a global pointer are made of."""
    inside = slice(source.text_start, source.text_end)
    return PairParts(
        outputs[f"{name}_shared"][row, inside, inside],
        outputs[f"{name}_alone"][row, inside],
    )
