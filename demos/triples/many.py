"""Many texts at once: the windows of all of them share batches of like length.

Changes when texts are put together in another way. Padding is what a batch of unlike
lengths wastes, so windows go to the model sorted by length; answers keep their order.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from demos.errors import DemoError
from demos.triples.task import (
    BATCH_WINDOWS,
    FLOOR,
    Reading,
    TripleRequest,
    TripleResult,
    batches,
    gather,
    plan,
)
from model_core.interfaces import ModelError, Pointed, Relation, TriplePointer

PORTION = 128  # requests that are sorted together, between two of a caller's looks
WRITTEN_PORTION = 8  # of weights that write: they take long


@dataclass(slots=True)
class _Item:
    """One request on its way.

    Attributes:
        reading: How it is read.
        answers: One per window, in order; None until it has been read.
    """

    reading: Reading
    answers: list[Pointed | ModelError | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers = [None] * len(self.reading.windows)


@dataclass(frozen=True, slots=True)
class _Job:
    """One window of one item."""

    item: _Item
    rank: int

    @property
    def text(self) -> str:
        return self.item.reading.windows[self.rank].text


def extract_many(
    requests: Sequence[TripleRequest], model: TriplePointer
) -> Iterator[TripleResult | DemoError | ModelError]:
    """Yield one whole result per request, in order; an error in its own place.

    What it yields equals the last result of ``extract`` for each request.
    """
    writes = model.schema_kind == "own"
    for portion in batches(requests, WRITTEN_PORTION if writes else PORTION):
        started = time.perf_counter()
        shared = model.asking(()) if writes else None
        items = [_open(request, model, shared) for request in portion]
        jobs = [
            _Job(item, rank)
            for item in items
            if isinstance(item, _Item)
            for rank in range(len(item.answers))
        ]
        _point_all(jobs)
        elapsed = time.perf_counter() - started
        for item in items:
            yield _settle(item, elapsed) if isinstance(item, _Item) else item


def _open(
    request: TripleRequest, model: TriplePointer, shared: TriplePointer | None
) -> _Item | DemoError:
    """Return a request on its way.

    Args:
        request: What is asked.
        model: The weights.
        shared: Numbers the relations of all requests alike, where the weights name
            them: windows of several requests go through one pass.
    """
    try:
        reading = plan(request, model)
    except DemoError as error:
        return error
    return _Item(reading if shared is None else replace(reading, pointer=shared))


def _point_all(jobs: Sequence[_Job]) -> None:
    """Fill in every job's answer, the windows of like length together."""
    by_question: dict[tuple[str, tuple[Relation, ...]], list[_Job]] = {}
    for job in sorted(jobs, key=lambda job: len(job.text)):
        reading = job.item.reading
        question = reading.decoder, reading.pointer.relations
        by_question.setdefault(question, []).append(job)
    for alike in by_question.values():
        for batch in batches(alike, BATCH_WINDOWS):
            for job, answer in zip(batch, _point(batch), strict=True):
                job.item.answers[job.rank] = answer


def _point(batch: Sequence[_Job]) -> Sequence[Pointed | ModelError]:
    """Return every job's answer; where the batch fails, each stands for itself."""
    reading = batch[0].item.reading
    texts = [job.text for job in batch]
    try:
        return reading.pointer.point(texts, reading.decoder, floor=FLOOR)
    except ModelError as error:
        if len(batch) == 1:
            return [error]
    return [answer for job in batch for answer in _point([job])]


def _settle(item: _Item, elapsed_seconds: float) -> TripleResult | ModelError:
    pointed: list[Pointed] = []
    for answer in item.answers:
        if isinstance(answer, ModelError):
            return answer
        pointed.append(answer or ())
    return gather(item.reading, pointed, elapsed_seconds)
