"""Every task of the house, a line each: what the terminal and the file tab read.

Changes when a task is added. Knows how a task is asked, never how it is answered.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from demos.dialogue import record as dialogue_record
from demos.dialogue.task import DialogueRequest, DialogueResult, converse
from demos.errors import DemoError
from demos.fewshot import record as fewshot_record
from demos.fewshot.learner import Learner
from demos.fewshot.task import (
    FewshotRequest,
    FewshotResult,
    classify,
    classify_many,
)
from demos.generation import record as generation_record
from demos.generation import task as generation_task
from demos.generation.task import GenerationRequest, GenerationResult, generate
from demos.judging import record as judging_record
from demos.judging.classification import (
    ClassificationRequest,
    ClassificationResult,
    categorize,
    categorize_many,
)
from demos.judging.detection import (
    DetectionRequest,
    DetectionResult,
    detect,
    detect_many,
)
from demos.limits import Label
from demos.qa import facts_record
from demos.qa import record as qa_record
from demos.qa import task as qa_task
from demos.qa.facts import FactsResult
from demos.qa.facts_task import BroughtRequest, answer_brought
from demos.qa.task import QaRequest, QaResult, answer
from demos.rephrasing import record as rephrasing_record
from demos.rephrasing.rephrasing import RephrasingRequest, RephrasingResult, rephrase
from demos.similarity import nearest_record
from demos.similarity import record as similarity_record
from demos.similarity.nearest import NearestRequest, NearestResult, search
from demos.similarity.searcher import Searcher
from demos.similarity.task import (
    SimilarityRequest,
    SimilarityResult,
    compare,
    compare_many,
)
from demos.summary import record as summary_record
from demos.summary.task import (
    SummaryRequest,
    SummaryResult,
    summarize,
    summarize_many,
)
from demos.title import record as title_record
from demos.title.task import TitleRequest, TitleResult, write_many, write_titles
from demos.triples import record as triples_record
from demos.triples import task as triples_task
from demos.triples.many import extract_many
from demos.triples.task import TripleRequest, TripleResult, extract
from model_core.interfaces import (
    DIALOGUE_PARTNER,
    FACT_FINDER,
    MASK_FILLER,
    PASSAGE_READER,
    REPLACED_TOKEN_DETECTOR,
    SENTENCE_ENCODER,
    SENTENCE_REPHRASER,
    SUMMARIZER,
    TEXT_CLASSIFIER,
    TEXT_GENERATOR,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    ModelError,
    ModelState,
    Role,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RequestT = TypeVar("RequestT", bound="DataclassInstance")
ResultT = TypeVar("ResultT")
ModelT = TypeVar("ModelT")


class Shelf(Protocol):
    """What a terminal needs of the shelf that holds the models."""

    def states(self) -> tuple[ModelState, ...]:
        """Return where every model is on its way."""
        ...

    def model(
        self, role: Role[ModelT], weights: str = "auto", *, timeout_seconds: float = 60
    ) -> ModelT:
        """Load if need be and wait for weights that can play a part.

        Raises:
            ModelError: ``not_ready`` when the time is up, or why it cannot be had.
        """
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


def _itself(model: Any) -> Any:
    return model


def _at_once(_options: Mapping[str, object], _model: Any) -> Generator[str, None, None]:
    yield from ()


@dataclass(frozen=True, slots=True)
class Task(Generic[RequestT, ResultT]):
    """One question that can be asked from a page, a terminal or a file.

    Attributes:
        name: As in ``python -m demos NAME`` and in the name of its tab's module.
        label: For people.
        request_type: Frozen dataclass that checks itself; its fields are the options.
        text_field: The field that TEXT, or a line of a .txt file, fills.
        role: The part that the model plays.
        run: Yields whole results so far.
        to_record: The last result as JSON values.
        added_fields: What ``to_record`` returns beyond the request's fields.
        render_text: A result for a person; later results extend the text.
        run_many: Last results of several requests, in order, an error standing in its
            request's place; given where the model is faster on several at once.
        prepare: What ``run`` gets in the model's place, made once for a whole file.
        begin: What is done once before a file's first line, from the options and what
            ``prepare`` made, telling in a few words how far it is.
        lesson_fields: Fields that matter only where it learns from examples first.
        follows: Whether a model can be asked a request; None where any can.
    """

    name: str
    label: Label
    request_type: type[RequestT]
    text_field: str
    role: Role[Any]
    run: Callable[[RequestT, Any], Iterator[ResultT]]
    to_record: Callable[[ResultT], dict[str, object]]
    added_fields: tuple[str, ...]
    render_text: Callable[[ResultT], str]
    run_many: (
        Callable[[Sequence[RequestT], Any], Iterator[ResultT | DemoError | ModelError]]
        | None
    ) = None
    prepare: Callable[[Any], Any] = _itself
    begin: Callable[[Mapping[str, object], Any], Generator[str, None, None]] = _at_once
    lesson_fields: tuple[str, ...] = ()
    follows: Callable[[RequestT, Any], bool] | None = None


AnyTask = Task[Any, Any]

GENERATION: Task[GenerationRequest, GenerationResult] = Task(
    name="generation",
    label=Label("文本续写", "Generation", "接着开头往下写", "continue a text"),
    request_type=GenerationRequest,
    text_field="prompt",
    role=TEXT_GENERATOR,
    run=generate,
    to_record=generation_record.to_record,
    added_fields=generation_record.ADDED_FIELDS,
    render_text=generation_record.render_text,
    follows=generation_task.follows,
)

TITLE: Task[TitleRequest, TitleResult] = Task(
    name="title",
    label=Label("标题生成", "Title", "给文章起标题", "headlines for an article"),
    request_type=TitleRequest,
    text_field="text",
    role=TEXT_REWRITER,
    run=write_titles,
    to_record=title_record.to_record,
    added_fields=title_record.ADDED_FIELDS,
    render_text=title_record.render_text,
    run_many=write_many,
)

TRIPLES: Task[TripleRequest, TripleResult] = Task(
    name="triples",
    label=Label(
        "三元组抽取", "Triples", "谁与谁是什么关系", "who stands in which relation"
    ),
    request_type=TripleRequest,
    text_field="text",
    role=TRIPLE_POINTER,
    run=extract,
    to_record=triples_record.to_record,
    added_fields=triples_record.ADDED_FIELDS,
    render_text=triples_record.render_text,
    follows=triples_task.follows,
    run_many=extract_many,
)

QA: Task[QaRequest, QaResult] = Task(
    name="qa",
    label=Label("问答", "Question answering", "从段落里找答案", "answer from passages"),
    request_type=QaRequest,
    text_field="question",
    role=PASSAGE_READER,
    run=answer,
    to_record=qa_record.to_record,
    added_fields=qa_record.ADDED_FIELDS,
    render_text=qa_record.render_text,
    follows=qa_task.follows,
)

FEWSHOT: Task[FewshotRequest, FewshotResult] = Task(
    name="fewshot",
    label=Label(
        "少样本分类",
        "Classification",
        "用完形填空分类，可先学几个例子",
        "classify by a blank, after a few examples if given",
    ),
    request_type=FewshotRequest,
    text_field="text",
    role=MASK_FILLER,
    run=classify,
    to_record=fewshot_record.to_record,
    added_fields=fewshot_record.ADDED_FIELDS,
    render_text=fewshot_record.render_text,
    run_many=classify_many,
    prepare=Learner,
    lesson_fields=("examples", "max_steps", "max_seconds", "learning_rate", "seed"),
)

SUMMARY: Task[SummaryRequest, SummaryResult] = Task(
    name="summary",
    label=Label("自动摘要", "Summary", "先抽取，再改写", "extract, then rewrite"),
    request_type=SummaryRequest,
    text_field="text",
    role=SUMMARIZER,
    run=summarize,
    to_record=summary_record.to_record,
    added_fields=summary_record.ADDED_FIELDS,
    render_text=summary_record.render_text,
    run_many=summarize_many,
)

DIALOGUE: Task[DialogueRequest, DialogueResult] = Task(
    name="dialogue",
    label=Label("对话", "Chat", "接着前面的话聊", "reply in a conversation"),
    request_type=DialogueRequest,
    text_field="message",
    role=DIALOGUE_PARTNER,
    run=converse,
    to_record=dialogue_record.to_record,
    added_fields=dialogue_record.ADDED_FIELDS,
    render_text=dialogue_record.render_text,
)

FACTS: Task[BroughtRequest, FactsResult] = Task(
    name="facts",
    label=Label(
        "图谱问答",
        "Facts",
        "从一份三元组里找答案",
        "answer from a base of facts",
    ),
    request_type=BroughtRequest,
    text_field="question",
    role=FACT_FINDER,
    run=answer_brought,
    to_record=facts_record.to_record,
    added_fields=facts_record.ADDED_FIELDS,
    render_text=facts_record.render_text,
)

SIMILARITY: Task[SimilarityRequest, SimilarityResult] = Task(
    name="similarity",
    label=Label("句子相似度", "Similarity", "两句话有多像", "how alike two are"),
    request_type=SimilarityRequest,
    text_field="text",
    role=SENTENCE_ENCODER,
    run=compare,
    to_record=similarity_record.to_record,
    added_fields=similarity_record.ADDED_FIELDS,
    render_text=similarity_record.render_text,
    run_many=compare_many,
)

NEAREST: Task[NearestRequest, NearestResult] = Task(
    name="nearest",
    label=Label(
        "相近句检索", "Nearest lines", "哪几行和它最像", "which lines are most alike"
    ),
    request_type=NearestRequest,
    text_field="query",
    role=SENTENCE_ENCODER,
    run=search,
    to_record=nearest_record.to_record,
    added_fields=nearest_record.ADDED_FIELDS,
    render_text=nearest_record.render_text,
    prepare=Searcher,
)

REPHRASING: Task[RephrasingRequest, RephrasingResult] = Task(
    name="rephrasing",
    label=Label(
        "写相似句", "Rephrasing", "换个说法，意思一样", "the same in other words"
    ),
    request_type=RephrasingRequest,
    text_field="text",
    role=SENTENCE_REPHRASER,
    run=rephrase,
    to_record=rephrasing_record.to_record,
    added_fields=rephrasing_record.ADDED_FIELDS,
    render_text=rephrasing_record.render_text,
)

CLASSIFICATION: Task[ClassificationRequest, ClassificationResult] = Task(
    name="classification",
    label=Label(
        "判别类别",
        "Fine-tuned classes",
        "用微调过的分类权重",
        "by weights that were fine-tuned for it",
    ),
    request_type=ClassificationRequest,
    text_field="text",
    role=TEXT_CLASSIFIER,
    run=categorize,
    to_record=judging_record.classification_record,
    added_fields=judging_record.CLASSIFICATION_FIELDS,
    render_text=judging_record.classification_text,
    run_many=categorize_many,
)

DETECTION: Task[DetectionRequest, DetectionResult] = Task(
    name="detection",
    label=Label(
        "找换过的字",
        "Replaced tokens",
        "哪些字像是换过的",
        "which tokens look replaced",
    ),
    request_type=DetectionRequest,
    text_field="text",
    role=REPLACED_TOKEN_DETECTOR,
    run=detect,
    to_record=judging_record.detection_record,
    added_fields=judging_record.DETECTION_FIELDS,
    render_text=judging_record.detection_text,
    run_many=detect_many,
)

# a tab each
TASKS: dict[str, AnyTask] = {
    task.name: task
    for task in (GENERATION, TITLE, TRIPLES, QA, FEWSHOT, SUMMARY, SIMILARITY, DIALOGUE)
}
# and what a part of a tab asks
EVERY_TASK: dict[str, AnyTask] = TASKS | {
    task.name: task for task in (FACTS, NEAREST, REPHRASING, CLASSIFICATION, DETECTION)
}
