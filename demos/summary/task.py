"""A summary: what may be asked, what comes back, the calls between (SPACES).

Changes when the question put to the model changes. Knows no page, no file, no network.
Reference: kexue.fm/archives/8046.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from time import perf_counter
from typing import Annotated, ClassVar

from demos import limits
from demos.limits import Label, Length, OneOf, Range, Switch
from demos.summary.clauses import MAX_CLAUSE_CHARS, Clause, readable_clauses
from demos.summary.ending import closed, shortened
from demos.summary.extraction import Extraction, choose
from demos.summary.passages import cut_spans, num_shared_chars, placed_spans
from model_core.interfaces import (
    ClauseScorer,
    CopiedSpan,
    Finish,
    ModelError,
    RewriteFrame,
    RewriteOptions,
    Summarizer,
    WeightsInfo,
)

PART = "summary"
EXTRACT, FULL = "extract", "full"
MAX_CLAUSES = 256  # of one text, as in SPACES; the scorer may take fewer
SPARSE_TOP_K = 10
MIN_NEW_TOKENS = 8
# A search likes short endings: a summary fills at least so much of its room. In steps,
# so that texts of like lengths are rewritten together.
LEAST_SHARE, LEAST_STEP = 0.6, 30
NO_REPEAT_NGRAM = 10  # not even a name of the source comes again and again
NO_LOOP_NGRAM = 3  # what the source does not say comes once
# What is rewritten and what is written share one window.
WINDOW_CHARS = 500
FEWEST_SOURCE_CHARS, MOST_SOURCE_CHARS = 200, 400


@dataclass(frozen=True, slots=True)
class SummaryRequest:
    """A text and how to summarise it.

    Raises:
        InvalidRequestError: A field lies outside its declared limit.
    """

    ADVICE: ClassVar = ("请缩短文字，或只抽取", "shorten the text, or extract only")

    text: Annotated[
        str,
        Length(1, 20_000),
        Label("正文", "Text", "要做摘要的文字", "the text to be summarised"),
    ]
    max_chars: Annotated[
        int,
        Range(20, 500, 10),
        Label("最多字数", "Max characters", "摘要的上限", "upper limit of the summary"),
    ] = 150
    mode: Annotated[
        str,
        OneOf((FULL, EXTRACT)),
        Label(
            "做法",
            "Mode",
            "full 先抽后写，extract 只抽取",
            "full: extract and rewrite; extract: extract only",
        ),
    ] = FULL
    copy: Annotated[
        bool,
        Switch(),
        Label("复制机制", "Copy", "尽量照抄原文片段", "hold to stretches of the text"),
    ] = True
    sparse: Annotated[
        bool,
        Switch(),
        Label(
            "稀疏归一", "Sparse softmax", "只留前十个词元", "only the ten best tokens"
        ),
    ] = True
    threshold: Annotated[
        float,
        Range(0.0, 1.0, 0.05),
        Label("抽取阈值", "Threshold", "分数不低于它才抽", "lowest score extracted"),
    ] = 0.2
    num_beams: Annotated[
        int,
        Range(1, 8),
        Label("束宽", "Beams", "同时考虑几条路", "paths kept in flight"),
    ] = 3

    def __post_init__(self) -> None:
        """Check the declared limits, then that there are words to rewrite."""
        limits.check(self)
        if self.mode != EXTRACT:
            limits.check_words(self, "text")

    @property
    def source_chars(self) -> int:
        """How many characters may be extracted."""
        if self.mode == EXTRACT:
            return self.max_chars
        room = WINDOW_CHARS - self.max_chars
        return min(max(room, FEWEST_SOURCE_CHARS), MOST_SOURCE_CHARS)


@dataclass(frozen=True, slots=True)
class Draft:
    """A summary as far as it is written.

    Attributes:
        text: At most ``max_chars`` characters.
        copied: Stretches of it that were taken from the text, with their offsets there.
        finish: "" while it grows, ``stop`` at its end, ``length`` where it was cut.
    """

    text: str = ""
    copied: tuple[CopiedSpan, ...] = ()
    finish: Finish = ""


@dataclass(frozen=True, slots=True)
class SummaryResult:
    """The whole result so far.

    Attributes:
        request: What was asked.
        extraction: Every clause with its score, and those taken.
        draft: The summary so far.
        weights: Which weights answered.
        extract_seconds: How long the extraction took.
        copying: Whether copies were asked of a model that can tell them.
        frame: What the rewriter has written so far; None before it begins.
    """

    request: SummaryRequest
    extraction: Extraction
    draft: Draft
    weights: WeightsInfo
    extract_seconds: float
    copying: bool
    frame: RewriteFrame | None = None

    @property
    def finished(self) -> bool:
        """Whether the summary has come to its end."""
        return bool(self.draft.finish)

    @property
    def elapsed_seconds(self) -> float:
        """Since the model was first asked."""
        return self.extract_seconds + (self.frame.elapsed_seconds if self.frame else 0)

    @property
    def num_new_tokens(self) -> int:
        """Tokens written so far."""
        return self.frame.num_new_tokens if self.frame else 0


def summarize(request: SummaryRequest, model: Summarizer) -> Iterator[SummaryResult]:
    """Yield the extraction, then the growing summary.

    Raises:
        ModelError: The model cannot answer.
    """
    first = extract(request, model)
    yield first
    options = options_of(first, model)
    if options is not None:
        for frame in model.rewrite(first.extraction.passage.text, options):
            yield _continued(first, frame)


def summarize_many(
    requests: Sequence[SummaryRequest], model: Summarizer
) -> Iterator[SummaryResult | ModelError]:
    """Yield the last result of every request, in order.

    Neighbours that are asked alike are rewritten together.
    """
    begun = [_extracted(request, model) for request in requests]
    for options, alike in groupby(begun, lambda first: options_of(first, model)):
        group = list(alike)
        if options is None:
            yield from group
        else:
            firsts = [first for first in group if isinstance(first, SummaryResult)]
            yield from _rewritten(firsts, options, model)


def options_of(
    first: SummaryResult | ModelError, model: Summarizer
) -> RewriteOptions | None:
    """Return how to rewrite an extraction, None where nothing is rewritten.

    Weights without a copy head write without it.
    """
    if isinstance(first, ModelError) or first.request.mode == EXTRACT:
        return None
    request = first.request
    return RewriteOptions(
        part=PART,
        max_new_tokens=request.max_chars,  # a token has a character or more
        min_new_tokens=_least_tokens(first),
        num_beams=request.num_beams,
        no_repeat_ngram_size=NO_REPEAT_NGRAM,
        no_loop_ngram_size=NO_LOOP_NGRAM,
        copy=request.copy and model.can_copy,
        sparse_top_k=SPARSE_TOP_K if request.sparse else 0,
    )


def _least_tokens(first: SummaryResult) -> int:
    room = min(first.request.max_chars, len(first.extraction.passage.text))
    steps = int(LEAST_SHARE * room) // LEAST_STEP
    return max(MIN_NEW_TOKENS, steps * LEAST_STEP)


def extract(request: SummaryRequest, model: Summarizer) -> SummaryResult:
    """Return the result that a request's extraction gives.

    Raises:
        ModelError: The model cannot answer.
    """
    began = perf_counter()
    clauses = readable_clauses(request.text, min(MAX_CLAUSES, model.max_clauses))
    scores = scores_of(clauses, model)
    chosen = choose(clauses, scores, request.threshold, request.source_chars)
    extraction = Extraction(clauses, scores, chosen)
    only = request.mode == EXTRACT
    return SummaryResult(
        request,
        extraction,
        _extracted_draft(extraction, request.max_chars) if only else Draft(),
        model.weights,
        perf_counter() - began,
        copying=only or (request.copy and model.can_copy),
    )


def scores_of(clauses: Sequence[Clause], model: ClauseScorer) -> tuple[float, ...]:
    """Return what each clause is worth, 0..1."""
    texts = [clause.text.strip()[:MAX_CLAUSE_CHARS] for clause in clauses]
    return tuple(float(score) for score in model.score_clauses(texts))


def _extracted_draft(extraction: Extraction, max_chars: int) -> Draft:
    passage = extraction.passage
    text = closed(shortened(passage.text, max_chars))
    kept = num_shared_chars(passage.text, text)
    whole = len(passage.text) <= max_chars
    copied = cut_spans(passage.copied, kept)
    return Draft(text, copied, "stop" if whole else "length")


def _continued(first: SummaryResult, frame: RewriteFrame) -> SummaryResult:
    return replace(first, draft=_written_draft(first, frame), frame=frame)


def _written_draft(first: SummaryResult, frame: RewriteFrame) -> Draft:
    if not frame.rewritings:
        return Draft()
    request, best = first.request, frame.rewritings[0]
    written, finish = best.candidate.text, best.candidate.finish
    text = written[: request.max_chars]
    if finish:
        broken_off = finish == "length"
        text = shortened(written, request.max_chars, broken_off=broken_off)
        finish = finish if text == written else "length"
    kept = num_shared_chars(written, text)
    placed = placed_spans(
        cut_spans(best.copied, kept), text, first.extraction.passage, request.text
    )
    return Draft(text, placed, finish)


def _extracted(
    request: SummaryRequest, model: Summarizer
) -> SummaryResult | ModelError:
    try:
        return extract(request, model)
    except ModelError as error:
        return error


def _rewritten(
    firsts: Sequence[SummaryResult], options: RewriteOptions, model: Summarizer
) -> Iterator[SummaryResult | ModelError]:
    sources = tuple(first.extraction.passage.text for first in firsts)
    frames = _last_frames(sources, options, model)
    for first, frame in zip(firsts, frames, strict=True):
        yield frame if isinstance(frame, ModelError) else _continued(first, frame)


def _last_frames(
    sources: tuple[str, ...], options: RewriteOptions, model: Summarizer
) -> tuple[RewriteFrame | ModelError, ...]:
    try:
        return model.rewrite_many(sources, options)
    except ModelError as error:  # it stands for all that were asked together
        return (error,) * len(sources)
