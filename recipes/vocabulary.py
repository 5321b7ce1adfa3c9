"""The vocabulary of the embedded core: marks, characters, pieces of Latin words.

Changes when a task needs another mark. Knows no training.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from recipes.corpus import SOURCES

VOCABULARY_SIZE = 8000
LATIN_PIECES = 1400
NEWLINE = "[NL]"

CORE_MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", NEWLINE)
STYLE_MARKS = tuple(
    f"[{name}]"
    for name in (
        "散文", "短文", "小说", "新闻", "五言绝句", "七言绝句", "五言律诗", "七言律诗",
        "五言古诗", "七言古诗", "杂言", "词", "曲",
    )
)  # fmt: skip
TASK_MARKS = tuple(
    f"[{name}]"
    for name in (
        "标题", "摘要", "抽取", "问题", "答案", "段落", "无答案", "分类", "三元组",
        "主语", "谓语", "宾语", "知识", "对话", "空格", "复制",
    )
)  # fmt: skip
SPARE_MARKS = tuple(f"[unused{index}]" for index in range(1, 21))
MARKS = CORE_MARKS + STYLE_MARKS + TASK_MARKS + SPARE_MARKS

_LATIN_WORD = re.compile(r"[A-Za-z0-9]+")
_LATIN = re.compile(r"[A-Za-z0-9\s]")


def count(data: Path) -> tuple[Counter[str], Counter[str]]:
    """Count characters and Latin words over every source."""
    characters: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for read in SOURCES.values():
        for document in read(data / "lm"):
            characters.update(document.text)
            words.update(_LATIN_WORD.findall(document.text))
    return characters, words


def latin_pieces(words: Counter[str]) -> list[str]:
    """Learn word pieces of Latin words and numbers, most useful first."""
    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106
    learner.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordPieceTrainer(
        vocab_size=LATIN_PIECES, special_tokens=["[UNK]"], show_progress=False
    )
    learner.train_from_iterator(_repeat(words), trainer)
    ranked = sorted(learner.get_vocab().items(), key=lambda item: item[1])
    return [piece for piece, _ in ranked if piece != "[UNK]"]


def build(data: Path) -> list[str]:
    """Return the vocabulary, one entry per id."""
    characters, words = count(data)
    pieces = latin_pieces(words)
    room = VOCABULARY_SIZE - len(MARKS) - len(pieces)
    frequent = (c for c, _ in characters.most_common() if not _LATIN.match(c))
    chosen = [c for c, _ in zip(frequent, range(room), strict=False)]
    return [*MARKS, *pieces, *chosen]


def read(path: Path) -> list[str]:
    """Return the vocabulary of a file with one entry per line."""
    return path.read_text(encoding="utf8").removesuffix("\n").split("\n")


def _repeat(words: Counter[str]) -> Iterator[Iterable[str]]:
    for word, times in words.items():
        yield [word] * min(times, 2000)
