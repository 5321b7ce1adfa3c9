"""The parts by name: what a task asks the shelf for.

Changes when a part is added. The type says which Protocol comes back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from model_core.interfaces.clauses import Summarizer
from model_core.interfaces.cloze import MaskFiller
from model_core.interfaces.dialogue import DialoguePartner
from model_core.interfaces.facts import FactFinder
from model_core.interfaces.generation import TextGenerator
from model_core.interfaces.models import WeightsInfo
from model_core.interfaces.pointing import TriplePointer
from model_core.interfaces.reading import PassageReader
from model_core.interfaces.rephrasing import SentenceRephraser
from model_core.interfaces.rewriting import TextRewriter
from model_core.interfaces.sentences import (
    ReplacedTokenDetector,
    SentenceEncoder,
    TextClassifier,
)

ModelT_co = TypeVar("ModelT_co", covariant=True)
ModelT = TypeVar("ModelT")


@dataclass(frozen=True, slots=True)
class Role(Generic[ModelT_co]):
    """A part that a model may play.

    Attributes:
        name: Unique.
        zh: What it does, for messages.
        en: The same in English.
    """

    name: str
    zh: str
    en: str


TEXT_GENERATOR: Role[TextGenerator] = Role("text_generator", "续写", "continue texts")
TEXT_REWRITER: Role[TextRewriter] = Role("text_rewriter", "改写", "rewrite texts")
TRIPLE_POINTER: Role[TriplePointer] = Role(
    "triple_pointer", "抽取三元组", "point at triples"
)
PASSAGE_READER: Role[PassageReader] = Role(
    "passage_reader", "阅读理解", "answer from passages"
)
FACT_FINDER: Role[FactFinder] = Role(
    "fact_finder", "图谱问答", "answer from a base of facts"
)
MASK_FILLER: Role[MaskFiller] = Role("mask_filler", "完形填空", "fill blanks")
SUMMARIZER: Role[Summarizer] = Role("summarizer", "摘要", "summarise")
DIALOGUE_PARTNER: Role[DialoguePartner] = Role(
    "dialogue_partner", "对话", "hold a conversation"
)
SENTENCE_ENCODER: Role[SentenceEncoder] = Role(
    "sentence_encoder", "句向量", "turn sentences into vectors"
)
SENTENCE_REPHRASER: Role[SentenceRephraser] = Role(
    "sentence_rephraser", "写相似句", "write similar sentences"
)
TEXT_CLASSIFIER: Role[TextClassifier] = Role(
    "text_classifier", "判别类别", "tell classes apart"
)
REPLACED_TOKEN_DETECTOR: Role[ReplacedTokenDetector] = Role(
    "replaced_token_detector", "找出换过的字", "find replaced tokens"
)

ROLES: tuple[Role[object], ...] = (
    TEXT_GENERATOR,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    PASSAGE_READER,
    FACT_FINDER,
    MASK_FILLER,
    SUMMARIZER,
    DIALOGUE_PARTNER,
    SENTENCE_ENCODER,
    SENTENCE_REPHRASER,
    TEXT_CLASSIFIER,
    REPLACED_TOKEN_DETECTOR,
)


class Player(Protocol):
    """Loaded weights and the parts they can play."""

    @property
    def weights(self) -> WeightsInfo:
        """Which weights these are."""
        ...

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of the parts they can play."""
        ...

    def rehearse(self, stopped: Callable[[], bool]) -> None:
        """Play every part once, unheard, so that nobody waits for a first time.

        Args:
            stopped: Asked before every part; True ends the rehearsal.
        """
        ...

    def play(self, role: Role[ModelT]) -> ModelT:
        """Return the weights in a part.

        Raises:
            ModelError: ``missing_head`` where they cannot play it.
        """
        ...
