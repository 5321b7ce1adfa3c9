"""The schema: which relations are asked for, as lists, as maps or typed by hand.

Changes when a schema may be written differently. A relation that is asked for is a
(subject_type, predicate, object_type) whose types may be "", which leaves them open.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from demos.errors import InvalidRequestError
from demos.limits import Label, check_characters, shown
from demos.triples.complex_objects import split_predicate
from model_core.interfaces import Relation

MAX_RELATIONS = 200
MAX_NAME_CHARS = 60  # Wikidata's longest in use have 50
MAX_TEXT_CHARS = 20_000
NUM_CLOSE = 5
CLOSE = 0.4  # of 1: 作家 is as close to 作者 as 0.5
STRUCTURE = ("[", "{")  # how JSON begins
PARTS = ("subject_type", "predicate", "object_type")

SEMICOLONS = re.compile(r"[;；]+")
COMMAS = re.compile(r"[,，、]+")
COLON = re.compile(r"[:：]")
LATIN_WORDS = re.compile(r"[A-Za-z][A-Za-z'’()-]*(?:\s+[A-Za-z][A-Za-z'’()-]*)+")
AMID_NAMES = re.compile(r"[\s,，、:：;；]")  # what a name typed by hand cannot hold

SCHEMA_LABEL = Label(
    "关系",
    "Relations",
    "一行一个：图书作品 作者 人物，或 人物: 父亲, 母亲，或只写谓词；留空则全抽",
    "one a line: subject type, predicate, object type; or type: predicates; or a "
    "predicate; empty for all",
)
FORMS_ZH = (
    "可写“图书作品 作者 人物”、“人物: 父亲, 母亲”或“作者”，一行一个，"
    "也可给出 [主语类型, 谓词, 宾语类型] 的列表"
)
FORMS_EN = (
    "write “图书作品 作者 人物”, “人物: 父亲, 母亲” or “作者”, one a line, or give "
    "a list of [subject_type, predicate, object_type]"
)

AskedRelation = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class SchemaLimit:
    """Anything that schema_of reads."""

    @property
    def summary(self) -> str:
        """The longest form of a line."""
        return f"≤{MAX_RELATIONS} × 主语类型 谓词 宾语类型"

    def check(self, label: Label, value: object) -> None:
        """Refuse what cannot be read, and say how it may be written."""
        schema_of(label, value)


def schema_of(label: Label, value: object) -> tuple[AskedRelation, ...]:
    """Return the relations that a value asks for, each once; () for all.

    Args:
        label: What the field is called, for messages.
        value: None; a text; a list of texts, of (subject_type, predicate, object_type)
            or of maps with these names; a map from a subject type to predicates.

    Raises:
        InvalidRequestError: It cannot be read, is too much, or holds an empty name.
    """
    asked = tuple(dict.fromkeys(_relations(label, value)))
    if len(asked) > MAX_RELATIONS:
        raise _too_many(label, len(asked))
    for relation in asked:
        _check_names(label, relation)
    return asked


def line_of(relation: AskedRelation | Relation) -> str:
    """Return a relation as a person could type it: schema_of reads it back."""
    parts = _parts(relation)
    named = [part for part in parts if part]
    can_be_typed = all(map(_is_plain, named)) and (parts[0] or not parts[2])
    return " ".join(named) if can_be_typed else json.dumps([parts], ensure_ascii=False)


def choose(asked: Sequence[AskedRelation], known: Sequence[Relation]) -> frozenset[int]:
    """Return the indices of the known relations that are asked for.

    Nothing asked is everything. A predicate without an object type brings its slots:
    饰演 asks for 饰演_inWork as well.

    Raises:
        InvalidRequestError: A relation is not known; close ones are named.
    """
    chosen: set[int] = set()
    for relation in asked:
        found = {n for n, one in enumerate(known) if _agrees(relation, one)}
        if not found:
            raise _unknown(relation, known)
        chosen |= found
    return frozenset(chosen if asked else range(len(known)))


def written(
    asked: Sequence[AskedRelation], found: Sequence[Relation]
) -> frozenset[int]:
    """Return the indices of those found that are asked for; nothing asked is all.

    For weights that name relations in words of their own, known once they have: none
    is refused. Case does not count, and three words typed without a colon may be one
    name: ``place of birth``.
    """
    return frozenset(
        index
        for index, relation in enumerate(found)
        if not asked or any(_is_named(one, relation) for one in asked)
    )


def named(asked: Sequence[AskedRelation]) -> tuple[Relation, ...]:
    """Return what is asked for as relations, for weights that follow any.

    Raises:
        InvalidRequestError: Nothing is asked for, or a relation without a subject type.
    """
    if not asked:
        raise SCHEMA_LABEL.refuse(
            "不能留空：所用权重什么关系都能抽，所以要由你写出抽哪些；请写一行，"
            "例如“人物: 出生地, 配偶”（主语类型: 关系, 关系），再抽取一次。",
            "cannot be empty: these weights follow any relation, so say which: write "
            "a line like “人物: 出生地, 配偶” (subject type: relations) and extract "
            "again.",
        )
    for relation in asked:
        if not relation[0]:
            raise SCHEMA_LABEL.refuse(
                f"里的 {shown(relation[1])} 要写明主语类型，"
                f"请改成例如“人物: {relation[1]}”。",
                f"must say of which type {shown(relation[1])} is told: write e.g. "
                f"“人物: {relation[1]}”.",
            )
    return tuple(Relation(*relation) for relation in asked)


def close_to(asked: AskedRelation, known: Iterable[Relation]) -> tuple[Relation, ...]:
    """Return the known relations whose names are most alike, best first."""
    likeness = {relation: _likeness(asked, relation) for relation in known}
    best = sorted(likeness, key=lambda relation: -likeness[relation])
    return tuple(one for one in best[:NUM_CLOSE] if likeness[one] >= CLOSE)


def _relations(label: Label, value: object) -> Iterator[AskedRelation]:
    if isinstance(value, str):
        yield from _typed(label, value)
    elif isinstance(value, Mapping):
        yield from _mapped(label, value)
    elif isinstance(value, list | tuple):
        if len(value) > MAX_RELATIONS:
            raise _too_many(label, len(value))
        for item in value:
            yield from _item(label, item)
    elif value is not None:
        raise _unreadable(label, value)


def _item(label: Label, item: object) -> Iterator[AskedRelation]:
    """Yield what one entry of a list asks for."""
    if isinstance(item, str):
        yield from _typed(label, item)
    elif isinstance(item, Mapping):
        yield from _mapped(label, item)
    elif isinstance(item, list | tuple) and len(item) == len(PARTS):
        yield _named(label, item)
    else:
        raise _unreadable(label, item)


def _mapped(label: Label, value: Mapping[object, object]) -> Iterator[AskedRelation]:
    """Yield from one relation by its parts' names, or from predicates by type."""
    if "predicate" in value:
        yield _named(label, [value.get(part) for part in PARTS])
        return
    for subject_type, given in value.items():
        predicates = [given] if isinstance(given, str) else given
        if not isinstance(predicates, list | tuple) or not predicates:
            raise _unreadable(label, value)
        for predicate in predicates:
            yield _named(label, (subject_type, predicate, ""))


def _named(label: Label, parts: Sequence[object]) -> AskedRelation:
    names = ["" if part is None else part for part in parts]
    texts = [name.strip() for name in names if isinstance(name, str)]
    if len(texts) != len(PARTS):
        raise _unreadable(label, parts)
    return texts[0], texts[1], texts[2]


def _typed(label: Label, text: str) -> Iterator[AskedRelation]:
    """Yield what a text typed by hand asks for."""
    if len(text) > MAX_TEXT_CHARS:
        raise label.refuse(
            f"最多 {MAX_TEXT_CHARS} 个字符，收到 {len(text)} 个。",
            f"may have {MAX_TEXT_CHARS} characters, got {len(text)}.",
        )
    whole = _parsed(text)
    if whole is not None:
        yield from _relations(label, whole)
        return
    for line in text.split("\n"):
        if line.lstrip().startswith(STRUCTURE):
            yield from _structured(label, line)
        else:
            for part in SEMICOLONS.split(line):
                yield from _line(label, part)


def _structured(label: Label, line: str) -> Iterator[AskedRelation]:
    value = _parsed(line)
    if value is None:
        raise _unreadable(label, line)
    yield from _relations(label, value)


def _parsed(text: str) -> object:
    """Return the list or map that a text spells as JSON, None where it is none."""
    if not text.lstrip().startswith(STRUCTURE):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _line(label: Label, line: str) -> Iterator[AskedRelation]:
    subject_type, *rest = COLON.split(line)
    if not rest:
        for part in COMMAS.split(line):
            yield from _words(label, part)
        return
    predicates = [name for part in COMMAS.split(rest[0]) for name in _names(part)]
    if len(rest) > 1 or not predicates or not subject_type.strip():
        raise _unreadable(label, line)
    for predicate in predicates:
        yield subject_type.strip(), predicate, ""


def _names(text: str) -> list[str]:
    """Return the names between two commas: Latin words are one, others are several."""
    words = text.split()
    return [" ".join(words)] if LATIN_WORDS.fullmatch(text.strip()) else words


def _words(label: Label, text: str) -> Iterator[AskedRelation]:
    """Yield a relation from its words: the predicate, or with one or both types."""
    words = text.split()
    if len(words) > len(PARTS):
        if not LATIN_WORDS.fullmatch(text.strip()):
            raise _unreadable(label, text)
        words = [" ".join(words)]
    if words:
        subject_type, predicate = words[:2] if len(words) > 1 else ("", words[0])
        yield subject_type, predicate, words[2] if len(words) == len(PARTS) else ""


def _check_names(label: Label, relation: AskedRelation) -> None:
    if not relation[1]:
        raise _unreadable(label, list(relation))
    for name in relation:
        check_characters(label, name)
        if len(name) > MAX_NAME_CHARS:
            raise label.refuse(
                f"里的名称最多 {MAX_NAME_CHARS} 个字符，收到 {shown(name)}。",
                f"may hold names of {MAX_NAME_CHARS} characters, got {shown(name)}.",
            )


def _is_plain(name: str) -> bool:
    return not AMID_NAMES.search(name) and not name.startswith(STRUCTURE)


def _parts(relation: AskedRelation | Relation) -> AskedRelation:
    if isinstance(relation, Relation):
        return relation.subject_type, relation.predicate, relation.object_type
    return relation


def _agrees(asked: AskedRelation, known: Relation) -> bool:
    subject_type, predicate, object_type = asked
    names = {known.predicate}
    if not object_type:
        names.add(split_predicate(known.predicate)[0])
    return (
        predicate in names
        and subject_type in ("", known.subject_type)
        and object_type in ("", known.object_type)
    )


def _is_named(asked: AskedRelation, found: Relation) -> bool:
    """Whether a relation of the weights' own naming is the one asked for."""
    wanted = tuple(part.casefold() for part in asked)
    parts = tuple(part.casefold() for part in _parts(found))
    if " ".join(filter(None, wanted)) == parts[1]:
        return True
    return all(part in ("", own) for part, own in zip(wanted, parts, strict=True))


def _likeness(asked: AskedRelation, known: Relation) -> float:
    """Return how alike the names are, 0..2: the predicates, a tie by the types."""
    by_name = SequenceMatcher(None, asked[1], known.predicate).ratio()
    whole = SequenceMatcher(None, " ".join(asked), " ".join(_parts(known))).ratio()
    return max(by_name, whole) + whole / 100


def _unknown(asked: AskedRelation, known: Sequence[Relation]) -> InvalidRequestError:
    got, close = shown(" ".join(filter(None, asked))), close_to(asked, known)
    named = [line_of(relation) for relation in close or known[:NUM_CLOSE]]
    zh = f"{'相近的' if close else '其中'}有：{'、'.join(named)}"
    en = f"{'close ones' if close else 'some of them'} are {', '.join(named)}"
    return SCHEMA_LABEL.refuse(
        f"里的 {got} 不在所用权重认识的 {len(known)} 种关系中；{zh}；"
        "请改一改，或留空全抽。",
        f"{got} is not among the {len(known)} relations that these weights know; {en}; "
        "change it, or leave it empty for all.",
    )


def _unreadable(label: Label, value: object) -> InvalidRequestError:
    got = shown(value)
    return label.refuse(
        f"读不懂 {got}；{FORMS_ZH}。", f"cannot be read: {got}; {FORMS_EN}."
    )


def _too_many(label: Label, count: int) -> InvalidRequestError:
    return label.refuse(
        f"最多 {MAX_RELATIONS} 种，收到 {count} 种；要全部的，留空即可。",
        f"may name {MAX_RELATIONS}, got {count}; leave it empty for all.",
    )
