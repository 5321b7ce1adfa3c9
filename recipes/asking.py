"""How each task's examples are put to a model, mode by mode, as the page does it.

Changes when a Protocol or a task's settings change. Sees only the demos and the
Protocols of ``model_core.interfaces``; loads nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from demos.fewshot.calibration import calibrated
from demos.summary.task import EXTRACT, FULL, SummaryRequest, summarize_many
from demos.title.task import TitleRequest
from demos.triples.many import extract_many
from demos.triples.task import TripleRequest
from model_core.interfaces import (
    FACT_FINDER,
    MASK_FILLER,
    PASSAGE_READER,
    SUMMARIZER,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    Blanked,
    FactFinder,
    FactKey,
    LearningOptions,
    MaskFiller,
    PassageReader,
    ReadingMode,
    ReadingOptions,
    Role,
    Summarizer,
    TextRewriter,
    TripleDecoder,
    TriplePointer,
)
from recipes.metrics.triples import Strings
from recipes.patterns import PATTERNS, ClozePattern
from recipes.task_files import TaskData
from recipes.tasks_data import (
    FewshotExample,
    KgExample,
    KgFact,
    QaExample,
    SummaryExample,
    TitleExample,
    TriplesExample,
)

Ask = Callable[[Sequence[Any]], list[Any]]
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

EXAMPLES_AT_ONCE = 32
IDIOM_BLANK = "#idiom#"  # how chid marks the place of an idiom
LEARNING = LearningOptions()


@dataclass(frozen=True, slots=True)
class AskSettings:
    """What an evaluation may choose; everything else is the page's default.

    Attributes:
        title_beams: Beams of titles.
        summary_beams: Beams of summaries.
        summary_chars: Upper limit of a summary, in characters; more than the page's
            default, as the references are longer. The card says so.
        summary_copies: Whether summaries may copy, as the page lets them.
        triple_threshold: Triples below this probability are left out.
        learn: Whether few-shot also learns from the train split.
        learning: How it learns.
    """

    title_beams: int = 4
    summary_beams: int = 3
    summary_chars: int = 250
    summary_copies: bool = True
    triple_threshold: float = 0.5
    learn: bool = False
    learning: LearningOptions = LEARNING


def title_asks(
    model: TextRewriter, _: TaskData, settings: AskSettings
) -> dict[str, Ask]:
    """Ask for the best title by beam search."""
    request = TitleRequest("题", num_beams=settings.title_beams, num_return=1)

    def ask(examples: Sequence[TitleExample]) -> list[str]:
        frames = _answers(
            frame
            for chunk in _chunks([example.text for example in examples])
            for frame in model.rewrite_many(tuple(chunk), request.options)
        )
        return [frame.rewritings[0].candidate.text.strip() for frame in frames]

    return {"beam": ask}


def triples_asks(
    model: TriplePointer, _: TaskData, settings: AskSettings
) -> dict[str, Ask]:
    """Ask for triples with every decoder that the weights have."""

    def ask(
        decoder: TripleDecoder, examples: Sequence[TriplesExample]
    ) -> list[tuple[Strings, ...]]:
        requests = [
            TripleRequest(
                example.text, threshold=settings.triple_threshold, decoder=decoder
            )
            for example in examples
        ]
        return [
            tuple((one.subject, one.predicate, one.object) for one in result.triples)
            for result in _answers(extract_many(requests, model))
        ]

    return {decoder: partial(ask, decoder) for decoder in model.decoders}


def qa_asks(model: PassageReader, _: TaskData, __: AskSettings) -> dict[str, Ask]:
    """Ask for an answer in every mode that the weights have."""

    def ask(mode: ReadingMode, examples: Sequence[QaExample]) -> list[str]:
        options = ReadingOptions(mode)
        texts = []
        for example in examples:
            *_, last = model.read(example.question, (example.passage,), options)
            texts.append(last.answers[0].text if last.answers else "")
        return texts

    return {mode: partial(ask, mode) for mode in model.modes}


def kgqa_asks(model: FactFinder, data: TaskData, _: AskSettings) -> dict[str, Ask]:
    """Ask for a key of the base."""
    keys = [FactKey(f.subject, f.predicate, f.meaning) for f in data.facts]
    tree = model.build_tree(keys)

    def ask(examples: Sequence[KgExample]) -> list[KgFact]:
        answers = (model.find(e.question, tree, num_return=1) for e in examples)
        return [data.facts[answer.matches[0].index] for answer in answers]

    return {"prefix_tree": ask}


def fewshot_asks(
    model: MaskFiller, data: TaskData, settings: AskSettings
) -> dict[str, Ask]:
    """Ask for labels without training and, with ``learn``, after the train split."""
    labels = [label.label for label in data.labels]
    if data.folder == "chid":
        return {"zero_shot": partial(_idioms, model, labels)}
    pattern = _pattern(data.folder)
    words = pattern.words_of(data.labels)

    def ask(filler: MaskFiller, examples: Sequence[FewshotExample]) -> list[str]:
        return [
            labels[int(best)]
            for chunk in _chunks(examples)
            for best in calibrated(
                filler, pattern.read, [pattern.blanked(e) for e in chunk], words
            ).argmax(axis=1)
        ]

    def ask_learned(examples: Sequence[FewshotExample]) -> list[str]:
        sentences = [pattern.blanked(e) for e in data.train]
        answers = [labels.index(e.label) for e in data.train]
        *_, last = model.learn(sentences, words, answers, settings.learning)
        if last.learned is None:
            raise ValueError(
                "expected learned weights in the last frame, received none"
            )
        return ask(last.learned, examples)

    asks: dict[str, Ask] = {"zero_shot": partial(ask, model)}
    return asks | ({"few_shot": ask_learned} if settings.learn else {})


def summary_asks(
    model: Summarizer, _: TaskData, settings: AskSettings
) -> dict[str, Ask]:
    """Ask for the extracted clauses, and for the summary written from them."""

    def ask(mode: str, examples: Sequence[SummaryExample]) -> list[str]:
        requests = [
            SummaryRequest(
                example.text,
                max_chars=settings.summary_chars,
                mode=mode,
                num_beams=settings.summary_beams,
                copy=settings.summary_copies,
            )
            for example in examples
        ]
        results = _answers(
            result
            for chunk in _chunks(requests)
            for result in summarize_many(chunk, model)
        )
        return [result.draft.text for result in results]

    return {EXTRACT: partial(ask, EXTRACT), FULL: partial(ask, FULL)}


ASKS: dict[str, Callable[[Any, TaskData, AskSettings], dict[str, Ask]]] = {
    "title": title_asks,
    "triples": triples_asks,
    "qa": qa_asks,
    "kgqa": kgqa_asks,
    "fewshot": fewshot_asks,
    "summary": summary_asks,
}
ROLES: dict[str, Role[Any]] = {
    "title": TEXT_REWRITER,
    "triples": TRIPLE_POINTER,
    "qa": PASSAGE_READER,
    "kgqa": FACT_FINDER,
    "fewshot": MASK_FILLER,
    "summary": SUMMARIZER,
}


def _answers(results: Iterable[ResultT | Exception]) -> Iterator[ResultT]:
    """Yield the results; an error that stands in a result's place is raised."""
    for result in results:
        if isinstance(result, Exception):
            raise result
        yield result


def _idioms(
    model: MaskFiller, labels: Sequence[str], examples: Sequence[FewshotExample]
) -> list[str]:
    chosen = []
    for example in examples:
        before, _, after = example.text.partition(IDIOM_BLANK)
        scores = model.log_probs([Blanked(before, after)], example.candidates)
        chosen.append(labels[int(scores[0].argmax())])
    return chosen


def _pattern(folder: str) -> ClozePattern:
    if folder not in PATTERNS:
        raise ValueError(
            f"expected one of {', '.join(sorted(PATTERNS))} or chid as the folder of "
            f"few-shot examples, received {folder!r}"
        )
    return PATTERNS[folder]


def _chunks(items: Sequence[ItemT]) -> Iterator[Sequence[ItemT]]:
    for start in range(0, len(items), EXAMPLES_AT_ONCE):
        yield items[start : start + EXAMPLES_AT_ONCE]
