"""Documents to arrays of token ids on disk, once.

Changes when the layout on disk changes. One array of ids per source, one of document
starts; every document is ``[CLS][style] text [SEP]``. Where words begin stands in an
array of bits beside them, which a corpus may lack.
"""

import json
from collections.abc import Container, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from recipes.corpus import SOURCES, Document, is_held_back
from recipes.vocabulary import MARKS, NEWLINE

BATCH_DOCUMENTS = 4000
SHORTEST_TEXT_CHARS = 8


@dataclass(frozen=True, slots=True)
class Corpus:
    """The encoded documents of one source.

    Attributes:
        name: ``modern-train`` and so on.
        token_ids: uint16 (tokens,).
        starts: int64 (documents + 1,), where each document begins; the end last.
        num_chars: Characters in all documents.
        words: uint8 (tokens / 8,), a bit per token, set where a word begins; None where
            nobody has cut them.
    """

    name: str
    token_ids: np.ndarray
    starts: np.ndarray
    num_chars: int
    words: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Check that words and tokens are of the same texts.

        Raises:
            ValueError: There are too few or too many bits.
        """
        expected = -(-len(self.token_ids) // 8)
        if self.words is not None and len(self.words) != expected:
            raise ValueError(
                f"{self.name}: expected {expected} bytes of words, received "
                f"{len(self.words)}: cut them again with `python -m recipes words`"
            )

    @property
    def num_documents(self) -> int:
        """Number of documents."""
        return len(self.starts) - 1

    def document(self, index: int) -> np.ndarray:
        """Return the ids of one document."""
        return self.token_ids[self.starts[index] : self.starts[index + 1]]

    def begins(self, index: int) -> np.ndarray:
        """Return where a document's words begin, bool; everywhere if nobody knows."""
        start, end = int(self.starts[index]), int(self.starts[index + 1])
        if self.words is None:
            return np.ones(end - start, bool)
        bits = np.unpackbits(self.words[start // 8 : -(-end // 8)])
        return bits[start % 8 :][: end - start].astype(bool)


def save(corpus: Corpus, folder: Path) -> None:
    """Write a corpus; words of an older one do not stay."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{corpus.name}.ids.npy", corpus.token_ids)
    np.save(folder / f"{corpus.name}.starts.npy", corpus.starts)
    facts = json.dumps({"num_chars": corpus.num_chars})
    (folder / f"{corpus.name}.json").write_text(facts, encoding="utf8")
    if corpus.words is None:
        _words_path(corpus.name, folder).unlink(missing_ok=True)
    else:
        save_words(corpus.name, corpus.words, folder)


def save_words(name: str, words: np.ndarray, folder: Path) -> None:
    """Write where a corpus's words begin, as ``Corpus.words`` is."""
    np.save(_words_path(name, folder), words)


def load(name: str, folder: Path, *, with_words: bool = True) -> Corpus:
    """Read a corpus, its ids memory-mapped, and its words where they were cut."""
    facts = json.loads((folder / f"{name}.json").read_text(encoding="utf8"))
    words = _words_path(name, folder)
    return Corpus(
        name,
        np.load(folder / f"{name}.ids.npy", mmap_mode="r"),
        np.load(folder / f"{name}.starts.npy"),
        facts["num_chars"],
        np.load(words) if with_words and words.exists() else None,
    )


def _words_path(name: str, folder: Path) -> Path:
    return folder / f"{name}.words.npy"


class Encoder:
    """The embedded core's tokenizer at corpus speed.

    Args:
        vocabulary: One entry per id.
    """

    def __init__(self, vocabulary: list[str]) -> None:
        ids = {token: index for index, token in enumerate(vocabulary)}
        model = models.WordPiece(vocab=ids, unk_token="[UNK]")  # noqa: S106
        self.engine = Tokenizer(model)
        self.engine.normalizer = normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=True,
            strip_accents=False,
            lowercase=False,
        )
        self.engine.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        self.ids = {mark: ids[mark] for mark in MARKS}

    def encode(self, documents: list[Document]) -> list[list[int]]:
        """Return ``[CLS][style] text [SEP]`` of every document."""
        lines = [line for d in documents for line in d.text.split("\n")]
        encoded = iter(self.engine.encode_batch_fast(lines, add_special_tokens=False))
        rows = []
        for document in documents:
            row = [self.ids["[CLS]"], self.ids[f"[{document.style}]"]]
            for number, _ in enumerate(document.text.split("\n")):
                row += [self.ids[NEWLINE]] * (number > 0) + next(encoded).ids
            rows.append([*row, self.ids["[SEP]"]])
        return rows


def write_held_back(name: str, data: Path, folder: Path) -> None:
    """Write a source's held-back documents as JSON lines with style and text."""
    with (folder / f"{name}-held.jsonl").open("w", encoding="utf8") as file:
        for index, document in enumerate(usable(name, data)):
            if is_held_back(index):
                file.write(json.dumps(asdict(document), ensure_ascii=False) + "\n")


def usable(name: str, data: Path) -> Iterator[Document]:
    """Yield the documents of a source that are long enough to teach anything."""
    for document in SOURCES[name](data / "lm"):
        if len(document.text) >= SHORTEST_TEXT_CHARS:
            yield document


def encode_source(name: str, data: Path, encoder: Encoder) -> Iterator[Corpus]:
    """Yield the training part and the held-back part of a source."""
    parts: dict[str, list[np.ndarray]] = {"train": [], "held": []}
    chars = {"train": 0, "held": 0}
    documents = enumerate(usable(name, data))
    while batch := list(islice(documents, BATCH_DOCUMENTS)):
        rows = encoder.encode([document for _, document in batch])
        for (index, document), row in zip(batch, rows, strict=True):
            part = "held" if is_held_back(index) else "train"
            parts[part].append(np.asarray(row, dtype="uint16"))
            chars[part] += len(document.text)
    for part, rows_ in parts.items():
        yield join(f"{name}-{part}", rows_, chars[part])


def without(corpus: Corpus, numbers: Container[int]) -> Corpus:
    """Return a corpus without some documents, by their numbers; a copy in memory.

    The characters of those that go are taken to be their tokens.
    """
    kept = [n for n in range(corpus.num_documents) if n not in numbers]
    made = join(corpus.name, [corpus.document(n) for n in kept], 0)
    gone = len(corpus.token_ids) - len(made.token_ids)
    words = None if corpus.words is None else packed(map(corpus.begins, kept))
    return replace(made, num_chars=corpus.num_chars - gone, words=words)


def packed(begins: Iterable[np.ndarray]) -> np.ndarray:
    """Return the bits of documents end to end, uint8.

    Args:
        begins: bool (length,) of each document, where its words begin.
    """
    return np.packbits(np.concatenate([np.empty(0, bool), *begins]))


def join(name: str, rows: Iterable[np.ndarray], num_chars: int) -> Corpus:
    """Put documents end to end."""
    rows = list(rows)
    starts = np.cumsum([0, *map(len, rows)], dtype="int64")
    empty = np.empty(0, dtype="uint16")
    return Corpus(name, np.concatenate([empty, *rows]), starts, num_chars)
