"""Which parts loaded weights can play, and who plays them.

Changes when a part is added: one row of ``CASTING``. Parts are built when first asked
for, so that weights which only write never load what points.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from threading import Lock
from typing import Any, TypeVar

from model_core.checkpoints.load_failures import no_part
from model_core.checkpoints.survey import load_config
from model_core.interfaces import (
    DIALOGUE_PARTNER,
    FACT_FINDER,
    MASK_FILLER,
    PASSAGE_READER,
    REPLACED_TOKEN_DETECTOR,
    ROLES,
    SENTENCE_ENCODER,
    SENTENCE_REPHRASER,
    SUMMARIZER,
    TEXT_CLASSIFIER,
    TEXT_GENERATOR,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    Role,
    WeightsInfo,
)
from model_core.roles.loaded import LoadedModel
from model_core.roles.rehearsal import REHEARSALS

ModelT = TypeVar("ModelT")

TOKENS_OF_TRIPLES = ("<triplet>", "tp_XX")
OTHER_CLASSES = ("ForTokenClassification", "ForMultipleChoice")

logger = logging.getLogger(__name__)


def _has_part(*names: str) -> Callable[[LoadedModel], bool]:
    return lambda model: set(names) <= set(model.parts.names)


def _published(head: str) -> Callable[[LoadedModel], bool]:
    """Weights that do not say what they were trained for, by a head of theirs."""
    return lambda model: not model.parts.names and head in model.engine.heads


def _any(*conditions: Callable[[LoadedModel], bool]) -> Callable[[LoadedModel], bool]:
    return lambda model: any(condition(model) for condition in conditions)


def _writes_freely(model: LoadedModel) -> bool:
    """Who was told to, and published decoders: XLNet's head read both ways."""
    reads_past = not model.parts.names and model.attention != "bidirectional"
    told = reads_past or "generation" in model.parts.names
    continues = told and not model.config.num_decoder_layers
    return continues and "language_model" in model.engine.heads


def _reads_then_writes(model: LoadedModel) -> bool:
    """Published encoder-decoders."""
    has_decoder = model.config.num_decoder_layers > 0
    return has_decoder and "language_model" in model.engine.heads


def _writes_triples(model: LoadedModel) -> bool:
    """Encoder-decoders that list triples: their vocabulary says so."""
    told = map(model.tokenizer.token_to_id, TOKENS_OF_TRIPLES)
    return _reads_then_writes(model) and None not in told


def _rewrites(model: LoadedModel) -> bool:
    return _reads_then_writes(model) and not _writes_triples(model)


def _is_unilm(model: LoadedModel) -> bool:
    """An encoder whose config says that it was trained behind a prefix mask."""
    framed = model.tokenizer.cls_id is not None and model.tokenizer.sep_id is not None
    if model.parts.names or not framed or "masked_lm" not in model.engine.heads:
        return False
    return bool(load_config(model.folder).get("attention") == "prefix_lm")


def _writes_alike(model: LoadedModel) -> bool:
    """SimBERT: its row says how it is pooled, as no other's; or its config, UniLM's."""
    if model.parts.names or not {"masked_lm", "pooler"} <= set(model.engine.heads):
        return False
    return model.pooling == "linear_pooler" or _is_unilm(model)


def _converses(model: LoadedModel) -> bool:
    return bool(model.turn_layout) and bool(
        {"language_model", "masked_lm"} & set(model.engine.heads)
    )


def _reads_both_ways(model: LoadedModel) -> bool:
    """Published encoders, whatever head they carry."""
    if model.parts.names or model.turn_layout or model.config.num_decoder_layers:
        return False
    return model.attention == "bidirectional"


def _classifies_texts(model: LoadedModel) -> bool:
    """Published classifiers; those of tokens, beside a pooler, look like them."""
    if not _published("classifier")(model):
        return False
    told = str(load_config(model.folder).get("architectures"))
    return not any(kind in told for kind in OTHER_CLASSES)


@dataclass(frozen=True, slots=True)
class Actor:
    """One who may play a part.

    Attributes:
        can_play: Whether these weights can.
        module: Where the class is, under ``model_core.roles``.
        name: Of the class; it takes a ``LoadedModel``.
        part: Whose own weights it plays with, where a checkpoint of ours has some.
        heads: What it reads of these.
    """

    can_play: Callable[[LoadedModel], bool]
    module: str
    name: str
    part: str = ""
    heads: tuple[str, ...] = ()

    def build(self, model: LoadedModel) -> Any:
        """Return the player."""
        kind = getattr(import_module(f"model_core.roles.{self.module}"), self.name)
        return kind(model.of_part(self.part, self.heads))


class Casting(tuple[Actor, ...]):
    """Who plays a part: the first who can with these weights."""

    __slots__ = ()

    def actor(self, model: LoadedModel) -> Actor | None:
        """Return that one, None for nobody."""
        return next((one for one in self if one.can_play(model)), None)


def _one(can_play: Callable[[LoadedModel], bool], module: str, name: str) -> Casting:
    return Casting((Actor(can_play, module, name),))


CASTING: dict[str, Casting] = {
    TEXT_GENERATOR.name: Casting(
        (
            Actor(
                _writes_freely,
                "text_generator",
                "NetworkTextGenerator",
                part="generation",
                heads=("language_model",),
            ),
        )
    ),
    TEXT_REWRITER.name: Casting(
        (
            Actor(
                _any(_has_part("title"), _has_part("summary")),
                "text_rewriter",
                "NetworkTextRewriter",
            ),
            Actor(_rewrites, "seq2seq_rewriter", "Seq2SeqTextRewriter"),
            Actor(_is_unilm, "unilm_rewriter", "UniLmTextRewriter"),
        )
    ),
    TRIPLE_POINTER.name: Casting(
        (
            Actor(
                _has_part("pointing"),
                "triple_pointer",
                "NetworkTriplePointer",
                part="pointing",
                heads=("half_pointer", "gplinker"),
            ),
            Actor(
                _published("prompted_span"),
                "prompted_pointer",
                "PromptedTriplePointer",
            ),
            Actor(_writes_triples, "written_pointer", "WrittenTriplePointer"),
        )
    ),
    PASSAGE_READER.name: _one(
        _any(
            _has_part("reading"),
            _has_part("cloze"),
            _has_part("span"),
            _published("span"),
        ),
        "passage_reader",
        "NetworkPassageReader",
    ),
    FACT_FINDER.name: _one(_has_part("facts"), "fact_finder", "NetworkFactFinder"),
    MASK_FILLER.name: Casting(
        (
            Actor(
                _any(_has_part("words"), _published("masked_lm")),
                "mask_filler",
                "NetworkMaskFiller",
                part="words",
                heads=("language_model",),
            ),
        )
    ),
    SUMMARIZER.name: _one(
        _has_part("summary", "clauses"), "summarizer", "NetworkSummarizer"
    ),
    DIALOGUE_PARTNER.name: _one(
        _converses, "dialogue_partner", "NetworkDialoguePartner"
    ),
    SENTENCE_ENCODER.name: _one(
        _any(_has_part("words"), _reads_both_ways),
        "sentence_encoder",
        "NetworkSentenceEncoder",
    ),
    SENTENCE_REPHRASER.name: _one(
        _writes_alike, "unilm_rephraser", "UniLmSentenceRephraser"
    ),
    TEXT_CLASSIFIER.name: _one(
        _classifies_texts, "text_classifier", "NetworkTextClassifier"
    ),
    REPLACED_TOKEN_DETECTOR.name: _one(
        _published("replaced"),
        "replaced_token_detector",
        "NetworkReplacedTokenDetector",
    ),
}


class Cast:
    """The parts of one loaded model; safe to share between threads.

    Args:
        model: The weights. What they can play is found here, once.

    Raises:
        CheckpointFormatError: Their config cannot be read any more.
    """

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        found = {name: row.actor(model) for name, row in CASTING.items()}
        self._actors = {name: one for name, one in found.items() if one is not None}
        self._players: dict[str, Any] = {}
        self._lock = Lock()

    @property
    def weights(self) -> WeightsInfo:
        """See ``Player.weights``."""
        return self._model.info

    @property
    def roles(self) -> tuple[str, ...]:
        """See ``Player.roles``."""
        return tuple(self._actors)

    def play(self, role: Role[ModelT]) -> ModelT:
        """See ``Player.play``."""
        if role.name not in self._actors:
            able = (one for one in ROLES if one.name in self._actors)
            raise no_part(self.weights.name, role, able)
        with self._lock:
            if role.name not in self._players:
                self._players[role.name] = self._actors[role.name].build(self._model)
            player: ModelT = self._players[role.name]
        return player

    def warm_up(self) -> None:
        """Compile what most people ask first, so that they do not wait for it."""
        if TEXT_GENERATOR.name in self.roles:
            self.play(TEXT_GENERATOR).warm_up()  # type: ignore[attr-defined]

    def rehearse(self, stopped: Callable[[], bool]) -> None:
        """See ``Player.rehearse``; what fails here fails when it is asked."""
        for role in ROLES:
            if stopped():
                return
            if role.name in self.roles and role.name in REHEARSALS:
                try:
                    REHEARSALS[role.name](self.play(role))
                except Exception:
                    logger.exception("the rehearsal of %s failed", role.name)
