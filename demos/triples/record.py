"""Extracted triples as a record for files and as text for a terminal.

Changes when people who script against the output need another field.
"""

from collections.abc import Sequence

from demos.records import name_of
from demos.triples.complex_objects import ComplexObject, split_predicate
from demos.triples.found import ExtractedTriple
from demos.triples.task import TripleResult

ADDED_FIELDS = ("triples", "complex_objects", "weights")  # beside the request's own
DIGITS = 6
# What the parts of DuIE 2.0's complex objects are called for people.
SLOT_NAMES = {
    "inWork": "作品",
    "onDate": "时间",
    "inArea": "地区",
    "period": "届次",
}
VALUE_NAMES = {
    "饰演": "角色",
    "配音": "角色",
    "获奖": "奖项",
    "票房": "金额",
    "上映时间": "时间",
}
VALUE_NAME = "值"
NOTHING = "没有达到阈值的三元组。 No triple reaches the threshold."
MOST_NAMES = 12  # shown of the relations that nobody asked for


def to_record(result: TripleResult) -> dict[str, object]:
    """Return the text, its triples, what belongs together, and the weights."""
    return {
        "text": result.request.text,
        "triples": [record_of(triple) for triple in result.triples],
        "complex_objects": [_joined_record(one) for one in result.complex_objects],
        "weights": name_of(result.weights),
    }


def render_text(result: TripleResult) -> str:
    """Return one line per triple and per complex object, once all has been read."""
    if not result.finished:
        return ""
    lines = [_line(triple) for triple in result.triples]
    lines += [f"{one.subject} {describe(one)}" for one in result.complex_objects]
    nothing = unasked_note(result.unasked) if result.unasked else NOTHING
    return "\n".join(lines) or nothing


def unasked_note(names: Sequence[str]) -> str:
    """Return why nothing is listed though something was found, and what to do."""
    listed = ", ".join(names[:MOST_NAMES]) + (" …" if len(names) > MOST_NAMES else "")
    return (
        "没有你写出的关系；所用权重自己给关系起名，这段文字里它写出的是："
        f"{listed}。请照抄要的名称，或把“关系”留空全列出。 "
        "None of the relations you named: these weights name relations themselves and "
        f"found {listed}. Write those names, or leave the field empty for all."
    )


def record_of(triple: ExtractedTriple) -> dict[str, object]:
    """Return a triple as JSON values."""
    return {
        "subject": triple.subject,
        "predicate": triple.predicate,
        "object": triple.object,
        "subject_start": triple.subject_start,
        "object_start": triple.object_start,
        "probability": round(triple.probability, DIGITS),
        "subject_type": triple.subject_type,
        "object_type": triple.object_type,
    }


def describe(joined: ComplexObject) -> str:
    """Return a complex object on one line: ``饰演: 角色=孙悟空, 作品=西游记``."""
    parts = [
        f"{part_name(triple.predicate)}={triple.object}" for triple in joined.triples
    ]
    return f"{joined.predicate}: {', '.join(parts)}"


def part_name(predicate: str) -> str:
    """Return what a flat predicate's part is called: 饰演_inWork is the 作品."""
    base, slot = split_predicate(predicate)
    return SLOT_NAMES.get(slot) or (
        slot if slot != "@value" else VALUE_NAMES.get(base, VALUE_NAME)
    )


def _joined_record(joined: ComplexObject) -> dict[str, object]:
    slots: dict[str, list[str]] = {}
    for triple in joined.slots:
        slots.setdefault(split_predicate(triple.predicate)[1], []).append(triple.object)
    return {
        "subject": joined.subject,
        "predicate": joined.predicate,
        "value": "" if joined.value is None else joined.value.object,
        "slots": slots,
    }


def _line(triple: ExtractedTriple) -> str:
    subject, object_ = (
        f"{text}（{kind}）" if kind else text
        for text, kind in (
            (triple.subject, triple.subject_type),
            (triple.object, triple.object_type),
        )
    )
    return f"{subject} — {triple.predicate} → {object_} {triple.probability:.2f}"
