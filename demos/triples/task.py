"""Extract triples: what may be asked, what comes back, and the calls between.

Changes when the question put to the model changes. Knows no page, no file, no network;
many texts together are in many.py.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, TypeVar, get_args

from demos import limits
from demos.errors import InvalidRequestError
from demos.limits import Label, Length, OneOf, Range
from demos.triples.complex_objects import ComplexObject, complex_objects
from demos.triples.found import ExtractedTriple, merge, place
from demos.triples.schema import (
    SCHEMA_LABEL,
    SchemaLimit,
    choose,
    named,
    schema_of,
    written,
)
from demos.triples.windows import Window, windows
from model_core.interfaces import (
    ModelError,
    Pointed,
    SchemaKind,
    TripleDecoder,
    TriplePointer,
    WeightsInfo,
)

ItemT = TypeVar("ItemT")

FLOOR = 0.05  # what is less probable is not kept, whatever the threshold
BATCH_WINDOWS = 16  # go through the network together
WRITTEN_WINDOWS = 2  # of weights that write, which takes long: the first come soon
BEST_DECODER = "auto"
DECODERS = (BEST_DECODER, *get_args(TripleDecoder))
DECODER_LABEL = Label(
    "解码",
    "Decoder",
    "半指针、GPLinker，或两种合看；自动则由权重决定",
    "half pointer, GPLinker, or both weighed; auto takes the weights' best",
)


@dataclass(frozen=True, slots=True)
class TripleRequest:
    """A text, and which triples of it are wanted.

    Attributes:
        schema: Checked and in one form: (subject_type, predicate, object_type), types
            "" where they are open; None for every relation that the weights know.

    Raises:
        InvalidRequestError: A field lies outside its declared limit.
    """

    ADVICE: ClassVar = (
        "请缩短文字，或分几次来抽",
        "shorten the text, or extract from its parts",
    )

    text: Annotated[
        str,
        Length(1, 20_000),
        Label("文本", "Text", "从中抽取三元组", "to extract triples from"),
    ]
    schema: Annotated[tuple[Any, ...] | None, SchemaLimit(), SCHEMA_LABEL] = None
    threshold: Annotated[
        float,
        Range(FLOOR, 1.0, 0.01),
        Label(
            "阈值",
            "Threshold",
            "概率不低于它的才列出；随时可调，不用重抽",
            "lists what is at least this probable; move it at any time",
        ),
    ] = 0.5
    decoder: Annotated[str, OneOf(DECODERS), DECODER_LABEL] = BEST_DECODER

    def __post_init__(self) -> None:
        """Check the declared limits and bring the schema into its one form."""
        limits.check(self)
        schema = schema_of(SCHEMA_LABEL, self.schema) or None
        object.__setattr__(self, "schema", schema)


@dataclass(frozen=True, slots=True)
class TripleResult:
    """The whole result so far.

    Attributes:
        request: What was asked.
        found: Every triple of at least FLOOR, in reading order: the threshold is
            applied when they are looked at.
        num_windows: In how many pieces the text is read.
        num_read: How many of them have been read.
        decoder: Which decoder reads them.
        weights: Which weights answered.
        schema_kind: Where its relations come from.
        unasked: Relations of the weights' own naming that were found, but are not
            among those asked for.
        elapsed_seconds: Since the first piece went to the model.
    """

    request: TripleRequest
    found: tuple[ExtractedTriple, ...]
    num_windows: int
    num_read: int
    decoder: TripleDecoder
    weights: WeightsInfo
    schema_kind: SchemaKind = "known"
    unasked: tuple[str, ...] = ()
    elapsed_seconds: float = field(default=0.0, compare=False)

    @property
    def triples(self) -> tuple[ExtractedTriple, ...]:
        """Those that reach the request's threshold, in reading order."""
        least = self.request.threshold
        return tuple(one for one in self.found if one.probability >= least)

    @property
    def complex_objects(self) -> tuple[ComplexObject, ...]:
        """What belongs together among ``triples``."""
        return complex_objects(self.triples)

    @property
    def finished(self) -> bool:
        """Whether all of the text has been read."""
        return self.num_read == self.num_windows

    def filtered(self, threshold: float) -> "TripleResult":
        """Return the same result under another threshold; no model is asked.

        Raises:
            InvalidRequestError: The threshold lies outside its limit.
        """
        return replace(self, request=replace(self.request, threshold=threshold))


@dataclass(frozen=True, slots=True)
class Reading:
    """A request as one model will read it.

    Attributes:
        request: What was asked.
        windows: The pieces of its text, in order.
        relations: Indices of the relations that are asked for; None where the weights
            name relations themselves, so that this is known once they have.
        decoder: One of the model's.
        pointer: The model, with the relations to look for where it must be told.
    """

    request: TripleRequest
    windows: tuple[Window, ...]
    relations: frozenset[int] | None
    decoder: TripleDecoder
    pointer: TriplePointer

    @property
    def kept(self) -> frozenset[int]:
        """Indices of the relations whose triples are kept, as known by now."""
        if self.relations is not None:
            return self.relations
        return written(self.request.schema or (), self.pointer.relations)


def extract(request: TripleRequest, model: TriplePointer) -> Iterator[TripleResult]:
    """Yield the whole result so far after every batch of windows, and within one.

    Between two results the weights take one step: a pass, or a token that they write.

    Raises:
        InvalidRequestError: The weights lack a relation or the decoder.
        ModelError: The model cannot answer.
    """
    reading, started = plan(request, model), time.perf_counter()
    pointed: list[Pointed] = []
    for batch in batches(reading.windows, together(model)):
        before = len(pointed)
        for steps, found in enumerate(_pointing(reading, batch)):
            if steps:
                seconds = time.perf_counter() - started
                yield gather(reading, pointed, seconds, num_read=before)
            pointed[before:] = found
        yield gather(reading, pointed, time.perf_counter() - started)


def plan(request: TripleRequest, model: TriplePointer) -> Reading:
    """Return how this model will read a request.

    Raises:
        InvalidRequestError: Its weights lack a relation or the decoder, or follow any
            relation and none is named.
    """
    pointer, relations, decoder = _agreed(request, model)
    return Reading(
        request=request,
        windows=windows(request.text, pointer.max_text_chars),
        relations=relations,
        decoder=decoder,
        pointer=pointer,
    )


def _agreed(
    request: TripleRequest, model: TriplePointer
) -> tuple[TriplePointer, frozenset[int] | None, TripleDecoder]:
    """Return who reads, which relations are asked for and how: see Reading."""
    schema, is_own = request.schema or (), model.schema_kind == "own"
    asked = named(schema) if model.schema_kind == "asked" else ()
    pointer = model.asking(asked)
    relations = None if is_own else choose(schema, pointer.relations)
    return pointer, relations, _decoder(request.decoder, pointer.decoders)


def follows(request: TripleRequest, model: TriplePointer) -> bool:
    """Tell whether these weights can be asked this, relations and decoder."""
    try:
        _agreed(request, model)
    except (InvalidRequestError, ModelError):
        return False
    return True


def gather(
    reading: Reading,
    pointed: Sequence[Pointed],
    elapsed_seconds: float,
    *,
    num_read: int | None = None,
) -> TripleResult:
    """Return what the windows read so far hold.

    Args:
        reading: The request and its windows.
        pointed: What was found in its first windows, in order.
        elapsed_seconds: Since the first window went to the model.
        num_read: How many of those windows are done; None for all of them.
    """
    relations, kept = reading.pointer.relations, reading.kept
    likely = [
        (window, one)
        for window, ones in zip(reading.windows, pointed, strict=False)
        for one in ones
        if one.probability >= FLOOR
    ]
    found = (
        place(one, window, relations[one.relation])
        for window, one in likely
        if one.relation in kept
    )
    others = (one.relation for _, one in likely if one.relation not in kept)
    names = dict.fromkeys(relations[number].predicate for number in others)
    return TripleResult(
        request=reading.request,
        found=merge(found),
        schema_kind=reading.pointer.schema_kind,
        unasked=tuple(names) if reading.relations is None else (),
        num_windows=len(reading.windows),
        num_read=len(pointed) if num_read is None else num_read,
        decoder=reading.decoder,
        weights=reading.pointer.weights,
        elapsed_seconds=elapsed_seconds,
    )


def together(model: TriplePointer) -> int:
    """Return how many windows go through these weights together."""
    return WRITTEN_WINDOWS if model.schema_kind == "own" else BATCH_WINDOWS


def batches(items: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    """Yield the items in order, ``size`` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _pointing(reading: Reading, batch: Sequence[Window]) -> Iterator[Sequence[Pointed]]:
    """Yield what the windows hold, as far as it is known; the last is all of it."""
    texts = [window.text for window in batch]
    return reading.pointer.pointing(texts, reading.decoder, floor=FLOOR)


def _decoder(asked: str, known: Sequence[TripleDecoder]) -> TripleDecoder:
    for decoder in known:
        if asked in (BEST_DECODER, decoder):
            return decoder
    listed, got = ", ".join(known), limits.shown(asked)
    raise InvalidRequestError(
        f"所用权重没有解码方式 {got}，有的是：{listed}；请改选，或用 auto。",
        f"These weights have no decoder {got}, but {listed}: choose one, or auto.",
    )
