"""The lines of a list that are nearest to a sentence: request, results, the search.

Changes when the question put to the model changes. Knows no page, no file, no network.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt

from demos import limits
from demos.limits import Label, Length, Range
from demos.similarity.line_list import LineList, NumberedLine
from demos.similarity.searcher import Searcher, searcher_of
from demos.similarity.task import MAX_CHARS, cosines
from model_core.interfaces import Pooling, SentenceEncoder, WeightsInfo

LINES = LineList()
LINES_LABEL = Label("句子", "Lines", "一行一句，空行不算", "a sentence a line")


@dataclass(frozen=True, slots=True)
class NearestRequest:
    """A sentence and the lines to search.

    ``lines`` may be given as anything that ``LineList`` reads.

    Raises:
        InvalidRequestError: A field lies outside its declared limit, or a line cannot
            be used; with its number.
    """

    ADVICE: ClassVar = ("请减少行数，或拆成几份", "give fewer lines, or split them")

    query: Annotated[
        str,
        Length(1, MAX_CHARS),
        Label("要找的句子", "Query", "找和它相近的", "what to look for"),
    ]
    lines: Annotated[list[str] | None, LINES, LINES_LABEL] = None
    top_k: Annotated[
        int, Range(1, 100), Label("列出几行", "Top-k", "最近的几行", "how many lines")
    ] = 10

    def __post_init__(self) -> None:
        """Check the declared limits, then that there are lines."""
        limits.check(self)
        if not self.lines:
            LINES.read(LINES_LABEL, self.lines)

    @property
    def distinct(self) -> tuple[NumberedLine, ...]:
        """The lines, each text once."""
        return LINES.read(LINES_LABEL, self.lines)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A line and how near it is.

    Attributes:
        line: Its text, and which lines hold it.
        cosine: -1..1.
    """

    line: NumberedLine
    cosine: float


@dataclass(frozen=True, slots=True)
class NearestResult:
    """The whole result so far.

    Attributes:
        request: What was asked.
        neighbours: Nearest first, equals in the order of their lines; of the lines
            that have been read so far.
        num_read: Distinct lines read so far.
        num_distinct: Distinct lines in all.
        num_lines: Lines that are not blank.
        num_chars_read: Characters of the query that fitted, from its start.
        num_cut: Lines of which only the beginning fitted.
        weights: Which weights answer.
        pooling: How vectors are read off them.
        elapsed_seconds: Since the model was first asked.
    """

    request: NearestRequest
    neighbours: tuple[Neighbour, ...]
    num_read: int
    num_distinct: int
    num_lines: int
    num_chars_read: int
    num_cut: int
    weights: WeightsInfo
    pooling: Pooling
    elapsed_seconds: float

    @property
    def finished(self) -> bool:
        """Whether every line has been read."""
        return self.num_read == self.num_distinct


def search(
    request: NearestRequest, model: SentenceEncoder | Searcher
) -> Iterator[NearestResult]:
    """Yield the nearest lines so far, after every portion of lines.

    Args:
        request: What is asked.
        model: An encoder, or a searcher that remembers the lines of earlier requests.

    Raises:
        ModelError: The model cannot answer.
    """
    begun, searcher = perf_counter(), searcher_of(model)
    encoder, lines = searcher.encoder, request.distinct
    query = encoder.encode([request.query])
    for portion in searcher.read(tuple(line.text for line in lines)):
        known = [lines[index] for index in portion.places]
        yield NearestResult(
            request,
            nearest(query.vectors[0], portion.vectors, known, request.top_k),
            len(known),
            len(lines),
            sum(len(line.numbers) for line in lines),
            query.num_chars_read[0],
            portion.num_cut,
            encoder.weights,
            encoder.pooling,
            perf_counter() - begun,
        )


def nearest(
    query: npt.NDArray[np.float32],
    vectors: npt.NDArray[np.float32],
    lines: Sequence[NumberedLine],
    top_k: int,
) -> tuple[Neighbour, ...]:
    """Return the nearest lines; equals in the order of their lines.

    Args:
        query: (width,).
        vectors: (num_lines, width).
        lines: Whose these are.
        top_k: How many.
    """
    near = np.round(cosines(query, vectors), 6)
    numbers = np.asarray([line.numbers[0] for line in lines])
    best = np.lexsort((numbers, -near))[:top_k]
    return tuple(Neighbour(lines[index], float(near[index])) for index in best)
