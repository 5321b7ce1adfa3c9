"""Serve the page over stand-ins: ``python -m tests.app.serve_fake PORT [SECONDS] [N]``.

SECONDS is what one decoding step takes; the generator's text is repeated N times. The
other players know enough to answer the page's first examples.
"""

import sys

from app.server import leave, serve
from app.settings import Settings
from tests.fake_dialogue_partner import FakeDialoguePartner
from tests.fake_fact_finder import FakeFactFinder
from tests.fake_mask_filler import FakeMaskFiller
from tests.fake_passage_reader import FakePassageReader
from tests.fake_sentences import (
    FakeReplacedTokenDetector,
    FakeSentenceEncoder,
    FakeSentenceRephraser,
    FakeTextClassifier,
)
from tests.fake_summarizer import FakeSummarizer
from tests.fake_text_rewriter import FakeRewriter
from tests.fake_triple_pointer import FACTS, FakeTriplePointer
from tests.fakes import TEXT, FakeGenerator, FakeShelf

AUTHOR, PLAYS, PLAYS_IN = 0, 4, 5  # places among the pointer's relations
NOVELS = (
    ("红楼梦", AUTHOR, "曹雪芹", 0.96),
    ("西游记", AUTHOR, "吴承恩", 0.89),
    ("三国演义", AUTHOR, "罗贯中", 0.61),
    ("水浒传", AUTHOR, "施耐庵", 0.42),
    ("水浒传", AUTHOR, "罗贯中", 0.12),
    ("马德华", PLAYS, "猪八戒", 0.87),
    ("马德华", PLAYS_IN, "西游记", 0.66),
)
ANSWERS = {
    "“丝绸之路”这个名称是谁首先使用的？": ("李希霍芬", "德国地理学家李希霍芬"),
    "班超派谁出使大秦？": ("甘英", "副使甘英"),
}
WORTH = {"大运河": 0.92, "隋": 0.71, "元": 0.48, "全长": 0.83, "漕": 0.27}


def players(step_seconds: float) -> dict[str, object]:
    """Return who plays every part but the generator's."""
    return {
        "dialogue_partner": FakeDialoguePartner(step_seconds=step_seconds),
        "text_rewriter": FakeRewriter(step_seconds=step_seconds),
        "summarizer": FakeSummarizer(step_seconds=step_seconds, worth=WORTH),
        "triple_pointer": FakeTriplePointer(facts=(*FACTS, *NOVELS)),
        "passage_reader": FakePassageReader(ANSWERS, ("mlm", "seq2seq", "span")),
        "fact_finder": FakeFactFinder(),
        "mask_filler": FakeMaskFiller(step_seconds=step_seconds),
        "sentence_encoder": FakeSentenceEncoder(step_seconds=step_seconds),
        "sentence_rephraser": FakeSentenceRephraser(step_seconds=step_seconds),
        "text_classifier": FakeTextClassifier(),
        "replaced_token_detector": FakeReplacedTokenDetector(),
    }


def main() -> None:
    port, *rest = sys.argv[1:]
    step_seconds = float(rest[0]) if rest else 0.02
    repeats = int(rest[1]) if len(rest) > 1 else 1
    generator = FakeGenerator(text=TEXT * repeats, step_seconds=step_seconds)
    serve(Settings(port=int(port)), FakeShelf(generator, players(step_seconds)))
    leave()


if __name__ == "__main__":
    main()
