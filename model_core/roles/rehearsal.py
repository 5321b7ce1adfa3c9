"""A first run of every part, so that the first person does not wait for compiling.

Changes when a part compiles something new. What is asked does not matter; its shapes
do not either, as steps are compiled for any size.
"""

from collections.abc import Callable
from typing import Any

from model_core.interfaces import (
    FACT_FINDER,
    MASK_FILLER,
    PASSAGE_READER,
    SENTENCE_ENCODER,
    SENTENCE_REPHRASER,
    SUMMARIZER,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    Blanked,
    FactFinder,
    FactKey,
    MaskFiller,
    PassageReader,
    ReadingOptions,
    RephraseOptions,
    RewriteOptions,
    SentenceEncoder,
    SentenceRephraser,
    Summarizer,
    TextRewriter,
    TriplePointer,
)

TEXT = "长江是中国第一长河，全长约六千三百公里，最后注入东海。"


def _rewrite(model: TextRewriter) -> None:
    options = RewriteOptions(model.parts[0], max_new_tokens=3, num_beams=2)
    for _ in model.rewrite(TEXT, options):
        pass


def _summarize(model: Summarizer) -> None:
    model.score_clauses([TEXT, TEXT])
    options = RewriteOptions(
        "summary", max_new_tokens=3, num_beams=2, copy=model.can_copy, sparse_top_k=10
    )
    for _ in model.rewrite(TEXT, options):
        pass


def _point(model: TriplePointer) -> None:
    for decoder in model.decoders:
        model.point([TEXT, TEXT], decoder, floor=0.0001)


def _read(model: PassageReader) -> None:
    for mode in model.modes:
        options = ReadingOptions(mode, max_answer_tokens=4)
        for _ in model.read("长江注入哪里？", [TEXT, TEXT], options):
            pass


def _find(model: FactFinder) -> None:
    keys = [FactKey("长江", "长度"), FactKey("长江", "源头"), FactKey("黄河", "长度")]
    model.find("长江有多长？", model.build_tree(keys))


def _fill(model: MaskFiller) -> None:
    model.log_probs([Blanked("长江很", "。")] * 2, ["长", "短"])


def _encode(model: SentenceEncoder) -> None:
    model.encode([TEXT, TEXT])


def _rephrase(model: SentenceRephraser) -> None:
    for _ in model.rephrase(TEXT, RephraseOptions(1, 2, max_new_tokens=3)):
        pass


REHEARSALS: dict[str, Callable[[Any], None]] = {
    TEXT_REWRITER.name: _rewrite,
    TRIPLE_POINTER.name: _point,
    PASSAGE_READER.name: _read,
    FACT_FINDER.name: _find,
    MASK_FILLER.name: _fill,
    SUMMARIZER.name: _summarize,
    SENTENCE_ENCODER.name: _encode,
    SENTENCE_REPHRASER.name: _rephrase,
}
