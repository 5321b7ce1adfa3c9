"""Task data to encoded lessons on disk, once.

Changes when a task's data are prepared differently.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from model_core.interfaces import Relation
from model_core.roles.blanks import BlankLayout
from model_core.roles.formats import Formats
from model_core.tokenizers.load import load_tokenizer
from model_core.tokenizers.word_marks import WORD_MARKS
from recipes import corpus, encoding, labelling, patterns, tasks_data
from recipes.cutting import cut_clauses
from recipes.lessons import (
    extracting,
    facts,
    judging,
    pointing,
    reading,
    rewriting,
    styled,
)
from recipes.task_files import find
from recipes.tasks_data import FewshotExample

LESSONS = "lessons"
SOURCE_ROOM = 400
JUDGED_ROOM = 160
LONGEST_SUMMARY_CHARS = 300

_BETWEEN_HALVES = re.compile(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")


def encode_all(data: Path, folder: Path, tell: Callable[[str], None]) -> None:
    """Encode every task's training file.

    Args:
        data: Holds title, summary, qa, triples and kgqa.
        folder: Holds the vocabulary; the lessons are written beside it.
        tell: Receives a line per task.
    """
    formats = Formats(load_tokenizer(folder), WORD_MARKS)
    lessons = folder / LESSONS
    for task, encode in ENCODERS.items():
        encode(data, formats, lessons)
        tell(f"{task}: encoded")


def _titles(data: Path, formats: Formats, lessons: Path) -> None:
    examples = tasks_data.read(find(data / "title", "train"), tasks_data.title_example)
    pairs = ((one.text, in_lines(one.title)) for one in examples)
    rewriting.encode(pairs, formats, lessons / "title.npz", SOURCE_ROOM)


def in_lines(title: str) -> str:
    """Return a headline with a line for each of its halves.

    Where Chinese stands at a space, it parts two halves; the vocabulary has no space,
    only an end of line. Spaces between Latin words are the tokenizer's own.
    """
    return _BETWEEN_HALVES.sub("\n", title.strip())


def _summaries(data: Path, formats: Formats, lessons: Path) -> None:
    """The rewriter's source is what the extractor should have taken."""
    examples = tasks_data.read(
        find(data / "summary", "train"), tasks_data.summary_example
    )
    texts, pairs = [], []
    for one in examples:
        clauses = cut_clauses(one.text)
        labels = list(labelling.extraction_labels(clauses, one.summary))
        texts.append((clauses, labels))
        taken = "".join(c for c, label in zip(clauses, labels, strict=True) if label)
        pairs.append((taken or one.text, one.summary[:LONGEST_SUMMARY_CHARS]))
    extracting.encode(texts, formats, lessons / "extract.npz")
    rewriting.encode(pairs, formats, lessons / "summary.npz", SOURCE_ROOM)


def _questions(data: Path, formats: Formats, lessons: Path) -> None:
    examples = tasks_data.read(find(data / "qa", "train"), tasks_data.qa_example)
    reading.encode(examples, formats, lessons / "qa.npz")


def _triples(data: Path, formats: Formats, lessons: Path) -> None:
    schema = json.loads((data / "triples" / "schema.json").read_text(encoding="utf8"))
    relations = tuple(
        Relation(row["subject_type"], row["predicate"], row["object_type"])
        for row in schema
    )
    rows = [asdict(relation) for relation in relations]
    text = json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    (lessons.parent / "relations.json").write_text(text, encoding="utf8")
    examples = tasks_data.read(
        find(data / "triples", "train"), tasks_data.triples_example
    )
    pointing.encode(examples, relations, formats, lessons / "triples.npz")


def _facts(data: Path, formats: Formats, lessons: Path) -> None:
    examples = tasks_data.read(find(data / "kgqa", "train"), tasks_data.kg_example)
    facts.encode(examples, formats, lessons / "facts.npz")


def _reviews(data: Path, formats: Formats, lessons: Path) -> None:
    """Short texts that praise or complain, as far as the labeller is sure."""
    folder = data / "fewshot" / "eprstmt"
    reviews = labelling.read_splits(folder)
    labeller = labelling.learn_sentiment(reviews)
    texts = list(reviews.unlabelled)
    texts += [
        document.text
        for index, document in enumerate(encoding.usable("modern", data))
        if document.style == "短文" and not corpus.is_held_back(index)
    ]
    texts = [corpus.clean(text) for text in texts]
    labelled = zip(texts, labeller.label(texts), strict=True)
    numbers = {"Positive": 0, "Negative": 1}
    styled.encode(
        ((text, numbers[label]) for text, label in labelled if label),
        formats,
        lessons / "styled.npz",
    )


def _judged(data: Path, formats: Formats, lessons: Path) -> None:
    """Labelled train lines of the few-shot tasks at hand.

    Of reviews also those without a label that the labeller is sure of.
    """
    groups = {}
    for folder in sorted((data / "fewshot").iterdir()):
        task = folder.name
        if task not in patterns.PATTERNS:
            continue
        splits = labelling.read_splits(folder)
        examples = list(splits.labelled)
        if task == "eprstmt":
            labeller = labelling.learn_sentiment(splits)
            found = labeller.label(list(splits.unlabelled))
            pairs = zip(splits.unlabelled, found, strict=True)
            examples += [FewshotExample(text, name) for text, name in pairs if name]
        labels = tasks_data.read_labels(folder / "labels.json")
        groups[task] = patterns.judged(task, examples, labels)
    layout = BlankLayout(formats.tokenizer, styled.STYLE)
    judging.encode(groups, layout, JUDGED_ROOM, lessons / "judged.npz")


ENCODERS: dict[str, Callable[[Path, Formats, Path], None]] = {
    "facts": _facts,
    "triples": _triples,
    "qa": _questions,
    "styled": _reviews,
    "judged": _judged,
    "title": _titles,
    "summary": _summaries,
}
