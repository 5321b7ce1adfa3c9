"""The tasks' examples as plain values, read from JSON lines, also from ``.xz``.

Changes when a data set has another field. Knows no score and no model.
"""

import json
import lzma
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

Record = dict[str, Any]
ExampleT = TypeVar("ExampleT")
AnswerKind = Literal["span", "yes_no", "unanswerable"]

_MEANING = re.compile(r"^(.+?)（(.+)）$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TitleExample:
    """A text and its title."""

    text: str
    title: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class GoldAnswer:
    """An answer and its character offset in the passage."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class QaExample:
    """A question put to one passage.

    Attributes:
        passage: Where the answer stands.
        question: What is asked.
        answers: Only of kind ``span``; repeated where several people gave the same.
        kind: ``span``, ``yes_no`` or ``unanswerable``.
        yes_no: ``YES`` or ``NO``, only of that kind.
        source: The data set.
    """

    passage: str
    question: str
    answers: tuple[GoldAnswer, ...]
    kind: AnswerKind
    yes_no: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Triple:
    """Two strings of a text, their types and what holds between them."""

    subject: str
    predicate: str
    object: str
    subject_type: str = ""
    object_type: str = ""

    @property
    def strings(self) -> tuple[str, str, str]:
        """What counts: subject, predicate and object."""
        return self.subject, self.predicate, self.object


@dataclass(frozen=True, slots=True)
class TriplesExample:
    """A text and what it says."""

    text: str
    triples: tuple[Triple, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class SummaryExample:
    """A text and its summary.

    Attributes:
        text: The whole text.
        summary: Written by a person.
        source: The data set.
        sentences: The text as its data set cuts it; empty where it does not.
        highlights: 0 or 1 per sentence: chosen by a person.
    """

    text: str
    summary: str
    source: str = ""
    sentences: tuple[str, ...] = ()
    highlights: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class KgFact:
    """One fact of a base; ``meaning`` tells subjects of one name apart."""

    subject: str
    predicate: str
    object: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class KgExample:
    """A question, the fact it asks for, and how it asks for it."""

    question: str
    fact: KgFact
    source: str = ""


@dataclass(frozen=True, slots=True)
class FewshotExample:
    """A text, or a pair of texts, and its label.

    Attributes:
        text: The first or only text.
        label: One of the task's labels.
        text_b: The second text, the keywords or what a pronoun is said to mean.
        candidates: What may fill this very example's blank, one per label.
    """

    text: str
    label: str
    text_b: str = ""
    candidates: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class LabelWord:
    """A label and a Chinese word for it."""

    label: str
    word: str


def title_example(record: Record) -> TitleExample:
    """Read one line of ``title/``."""
    return TitleExample(record["text"], record["title"], record.get("source", ""))


def qa_example(record: Record) -> QaExample:
    """Read one line of ``qa/``."""
    answers = tuple(GoldAnswer(a["text"], a["start"]) for a in record["answers"])
    yes_no = record.get("yes_no") or ""
    kind: AnswerKind = "yes_no" if yes_no else "span" if answers else "unanswerable"
    return QaExample(
        record["passage"],
        record["question"],
        answers,
        kind,
        yes_no,
        record.get("source", ""),
    )


def triples_example(record: Record) -> TriplesExample:
    """Read one line of ``triples/``."""
    return TriplesExample(
        record["text"], tuple(Triple(**triple) for triple in record["triples"])
    )


def summary_example(record: Record) -> SummaryExample:
    """Read one line of ``summary/``."""
    return SummaryExample(
        record["text"],
        record["summary"],
        record.get("source", ""),
        tuple(record.get("sentences", ())),
        tuple(record.get("highlights", ())),
    )


def kg_fact(record: Record) -> KgFact:
    """Read one fact; ``刘晓华（教授）`` is the subject 刘晓华 with a meaning."""
    named = _MEANING.match(record["subject"])
    subject, meaning = named.groups() if named else (record["subject"], "")
    return KgFact(subject, record["predicate"], record["object"], meaning)


def kg_example(record: Record) -> KgExample:
    """Read one question; its source tells whether it names the predicate."""
    question = record["question"]
    named = record["predicate"] in question
    return KgExample(question, kg_fact(record), "named" if named else "paraphrased")


def fewshot_example(record: Record) -> FewshotExample:
    """Read one line of ``fewshot/<task>/``."""
    return FewshotExample(
        record["text"],
        str(record["label"]),
        _second_text(record),
        tuple(record.get("candidates", ())),
    )


def label_word(record: Record) -> LabelWord:
    """Read one label of ``labels.json``."""
    return LabelWord(str(record["label"]), record["zh"])


PARSERS: dict[str, Callable[[Record], Any]] = {
    "title": title_example,
    "triples": triples_example,
    "qa": qa_example,
    "kgqa": kg_example,
    "fewshot": fewshot_example,
    "summary": summary_example,
}


def read(path: Path, parse: Callable[[Record], ExampleT]) -> tuple[ExampleT, ...]:
    """Read every line of a file.

    Args:
        path: JSON lines, or ``.xz`` of such.
        parse: Makes an example of a line's object.

    Raises:
        ValueError: A line is no JSON object or lacks a field; names file and line.
    """
    return tuple(_examples(path, parse))


def read_labels(path: Path) -> tuple[LabelWord, ...]:
    """Read ``labels.json``: a JSON list of labels and their words."""
    return tuple(map(label_word, json.loads(path.read_text(encoding="utf8"))))


def _examples(path: Path, parse: Callable[[Record], ExampleT]) -> Iterator[ExampleT]:
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield parse(json.loads(line))
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(
                    f"expected an example on line {number} of {path}, "
                    f"received {line[:80]!r}: {error!r}"
                ) from error


def _second_text(record: Record) -> str:
    if "keyword" in record:
        return "、".join(record["keyword"])
    target = record.get("target")
    if target:
        return f"{target['span2_text']}指的是{target['span1_text']}"
    return str(record.get("text_b", ""))
