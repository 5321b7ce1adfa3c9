"""Do texts that score the core stand among those it learns from? The check itself.

Changes when another text scores or teaches. Reads the corpus as training does, as
encoded ids, so that it tells what was really learned; n-grams are the matter of
``recipes.overlap``.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recipes import corpus, encoding, overlap
from recipes.dev_sets import DevSet, files_of
from recipes.lessons import storage
from recipes.overlap import Codes, Part, Texts, Wanted
from recipes.task_corpus import LESSONS as ENCODED
from recipes.task_files import find
from recipes.tasks_data import PARSERS, read
from recipes.vocabulary import MARKS

LONG, SHORT = 32, 13  # Han characters of an n-gram
TOKENS_AT_ONCE = 2_000_000
TEACHING = ("title", "triples", "qa", "kgqa", "summary")
# Lessons made of few-shot tasks and reviews: read as encoded, for what of the splits
# they were made of is what one wants to know.
ENCODED_TEACHING = ("judged", "styled")
NOTHING = np.uint32(0xFFFFFFFF)  # a place of the table without a character
OTHER_SPLITS = "dev_1–4"
DOCUMENTS, LESSONS = "lm/", "train/"  # how names of sources begin
_HAN = re.compile(r"[\u3400-\u9fff]")

Fields = Mapping[str, Callable[[Any], str]]
FIELDS: dict[str, Fields] = {
    "title": {"text": lambda e: e.text, "title": lambda e: e.title},
    "triples": {"text": lambda e: e.text},
    "qa": {"passage": lambda e: e.passage, "question": lambda e: e.question},
    "kgqa": {"question": lambda e: e.question},
    "fewshot": {"text": lambda e: f"{e.text}\n{e.text_b}"},
    "summary": {"text": lambda e: e.text, "summary": lambda e: e.summary},
}


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """Token ids and texts to Han characters, alike.

    Attributes:
        table: uint32 (vocabulary, width), each token's Han characters; ``END`` for the
            mark that opens a document.
        known: bool (LAST_HAN + 1,), the characters that some token has. The others
            were learned as the unknown token and are left out on both sides.
    """

    table: Codes
    known: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, tokens: Iterable[str]) -> "Reader":
        """Return the reader of a vocabulary, one entry per id."""
        han = [[] if token in MARKS else _HAN.findall(token) for token in tokens]
        table = np.full((len(han), max(1, *map(len, han))), NOTHING)
        for number, characters in enumerate(han):
            table[number, : len(characters)] = [ord(c) for c in characters]
        known = np.zeros(overlap.LAST_HAN + 1, bool)
        known[table[table != NOTHING]] = True
        table[MARKS.index("[CLS]"), 0] = overlap.END
        return cls(table, known)

    def codes_of_ids(self, ids: npt.NDArray[np.integer[Any]]) -> Codes:
        """Return the characters of documents that stand end to end."""
        codes: Codes = self.table[ids].ravel()
        read: Codes = codes[codes != NOTHING]
        return read

    def codes_of_text(self, text: str) -> Codes:
        """Return a text's characters, cleaned as the corpus is."""
        return overlap.han_codes(corpus.clean(text), self.known)


def check(data: Path, folder: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Compare every text that scores with every text that teaches.

    Args:
        data: Holds the tasks' files.
        folder: The encoded corpus with its vocabulary and held-back documents.
        tell: Receives a line per source.

    Returns:
        ``sets`` (what ``set_report`` returns, by name), ``sources`` (documents, and how
        many of them have a 32-gram of a text that scores, in all and by set), and
        ``remove``: by source and set the numbers of those documents, from 0 in the
        order of the encoded training part or of the lines that teach.

    Raises:
        FileNotFoundError: A file of the data or of the corpus is not there.
    """
    reader = Reader.of((folder / "vocab.txt").read_text("utf8").splitlines())
    scoring = {
        name: overlap.laid_out(map(reader.codes_of_text, dict.fromkeys(texts)))
        for name, texts in scoring_texts(data, folder)
    }
    sets = {
        size: {name: overlap.texts_of(codes, size) for name, codes in scoring.items()}
        for size in (LONG, SHORT)
    }
    wanted = {
        size: overlap.wanted_of(s.values(), size, traced=size == LONG)
        for size, s in sets.items()
    }
    counted: dict[str, int] = {}
    for part in teaching_parts(data, folder, reader):
        for one in wanted.values():
            one.look(part)
        if part.source not in counted:
            tell(part.source)
        last = part.first_document + int((part.codes == overlap.END).sum())
        counted[part.source] = last
    remove = {
        source: {
            name: numbers
            for name, texts in sets[LONG].items()
            if (numbers := wanted[LONG].documents_with(source, texts))
        }
        for source in counted
    }
    return {
        "sets": {
            name: set_report({s: sets[s][name] for s in sets}, wanted)
            for name in scoring
        },
        "sources": {
            source: {
                "documents": number,
                "touched": len({n for found in remove[source].values() for n in found}),
                "by_set": {name: len(found) for name, found in remove[source].items()},
            }
            for source, number in counted.items()
        },
        "remove": remove,
    }


def noted(report: Mapping[str, Any], day: str) -> dict[str, Any]:
    """Return what a card tells of a check: counts, and no text.

    Args:
        report: What ``check`` returned.
        day: When, ``2026-11-21``.
    """
    return {"checked": day, "sets": report["sets"], "sources": report["sources"]}


def drop(folder: Path, remove: Mapping[str, Mapping[str, list[int]]]) -> dict[str, int]:
    """Take out of the encoded corpus what shares text with what scores.

    Documents go, and lessons of classifying, which say a label of such a text. Other
    lessons stay: what the texts of a task have in common there, formulas of courts and
    broadcasts, is what the task is about.

    Args:
        folder: The encoded corpus, written anew.
        remove: What ``check`` returned under that name.

    Returns:
        How many went, by source.
    """
    gone = {}
    for source, of_sets in remove.items():
        numbers = {n for found in of_sets.values() for n in found}
        kind, _, name = source.rpartition("/")
        if not numbers:
            continue
        if f"{kind}/" == DOCUMENTS:
            rest = encoding.without(encoding.load(f"{name}-train", folder), numbers)
            encoding.save(rest, folder)
        elif name in ENCODED_TEACHING:
            path = folder / ENCODED / f"{name}.npz"
            storage.save(path, storage.without(storage.load(path), numbers))
        else:
            continue
        gone[source] = len(numbers)
    return gone


def set_report(
    texts: Mapping[int, Texts], wanted: Mapping[int, Wanted]
) -> dict[str, Any]:
    """Return what of a set of texts was found, in documents and in lessons.

    Args:
        texts: The set's n-grams, by their size.
        wanted: What was found, by size.

    Returns:
        ``texts``; ``long`` (texts of 32 Han characters or more) and ``short`` (of 13);
        by kind of source ``touched`` (texts with a 32-gram found), ``share`` (of
        13-grams found) and ``mostly`` (texts at least half of whose 13-grams were).
    """
    report: dict[str, Any] = {"texts": texts[LONG].num_texts}
    for kind in (DOCUMENTS, LESSONS):
        sources = [name for name in wanted[LONG].seen if name.startswith(kind)]
        long = texts[LONG].found(wanted[LONG], sources)
        short = texts[SHORT].found(wanted[SHORT], sources)
        report |= {"long": long.texts, "short": short.texts}
        report[kind.rstrip("/")] = {
            "touched": long.touched,
            "share": round(short.share, 4),
            "mostly": short.mostly,
        }
    return report


def scoring_texts(data: Path, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield name and texts: fields of the development files, held-back documents."""
    for one, path in files_of(data).items():
        examples = read(path, PARSERS[one.task])
        for field, text_of in FIELDS[one.task].items():
            yield f"{one.name} {field}", [text_of(example) for example in examples]
        if one.task == "fewshot":
            yield f"{one.name} text, {OTHER_SPLITS}", _other_splits(one, path)
    for name in corpus.SOURCES:
        lines = (folder / f"{name}-held.jsonl").read_text("utf8").splitlines()
        yield f"{name} held", [json.loads(line)["text"] for line in lines]


def teaching_parts(data: Path, folder: Path, reader: Reader) -> Iterator[Part]:
    """Yield the documents of pretraining, then the texts of the lessons."""
    for name in corpus.SOURCES:
        encoded = encoding.load(f"{name}-train", folder)
        yield from _document_parts(f"{DOCUMENTS}{name}", encoded, reader)
    for task, texts in teaching_texts(data):
        codes = map(reader.codes_of_text, texts)
        yield from overlap.parts_of(f"{LESSONS}{task}", codes)
    for name in ENCODED_TEACHING:
        path = folder / ENCODED / f"{name}.npz"
        if path.exists():
            rows = storage.load(path)["text"].values
            yield Part(f"{LESSONS}{name}", reader.codes_of_ids(rows), 0)


def teaching_texts(data: Path) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield name and texts of every file that a task's lessons are made of."""
    for task in TEACHING:
        examples = read(find(data / task, "train"), PARSERS[task])
        yield task, ("\n".join(f(e) for f in FIELDS[task].values()) for e in examples)


def _other_splits(one: DevSet, scored: Path) -> list[str]:
    """Return the development texts of a few-shot task's other splits."""
    text_of = FIELDS[one.task]["text"]
    files = sorted(path for path in scored.parent.glob("dev_*") if path != scored)
    return [text_of(e) for path in files for e in read(path, PARSERS[one.task])]


def _document_parts(
    source: str, encoded: encoding.Corpus, reader: Reader
) -> Iterator[Part]:
    """Yield whole documents, about ``TOKENS_AT_ONCE`` tokens at a time."""
    starts, first = encoded.starts, 0
    while first < encoded.num_documents:
        target = starts[first] + TOKENS_AT_ONCE
        last = max(first + 1, int(np.searchsorted(starts, target, "right")) - 1)
        ids = np.asarray(encoded.token_ids[starts[first] : starts[last]])
        yield Part(source, reader.codes_of_ids(ids), first)
        first = last
