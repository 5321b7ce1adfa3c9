"""Draw extracted triples as HTML: marked text, table, complex objects. Pure.

Changes when the result of the triples tab looks different. The graph is drawn in
triples_graph; assets/tabs/triples.js lights up what belongs to one triple.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app import views
from app.tabs import triples_graph
from app.views import escape
from demos.records import name_of
from demos.tables import table_of
from demos.triples.complex_objects import ComplexObject
from demos.triples.found import ExtractedTriple
from demos.triples.record import part_name, record_of, to_record, unasked_note
from demos.triples.task import FLOOR, TripleResult

EMPTY = views.notice("贴一段文字，点“抽取”。 Paste a text, then press Extract.")
WAITING = views.waiting("抽")
COLUMNS = (
    ("主语", "subject"),
    ("关系", "predicate"),
    ("宾语", "object"),
    ("位置", "offsets"),
    ("概率", "probability"),
)
FIELDS = (
    "subject",
    "predicate",
    "object",
    "subject_type",
    "object_type",
    "subject_start",
    "object_start",
    "probability",
)
ROLES = {"subject": "主语 subject", "object": "宾语 object"}
KINDS = {  # types that the data set names in English
    "Date": "日期 date",
    "Number": "数值 number",
    "Text": "文字 text",
}
FILE_NAME = "maskplay-triples"


@dataclass(frozen=True, slots=True)
class Mark:
    """A span of the text that plays a role in a triple.

    Attributes:
        start: Its first character's offset.
        end: The offset behind its last.
        role: ``subject`` or ``object``.
        triple: Index of the triple.
    """

    start: int
    end: int
    role: str
    triple: int


def stream(result: TripleResult | None) -> str:
    """Draw a growing result: how far it is, and what has been found."""
    if result is None:
        return WAITING
    return _frame(result, "mp-streaming", _progress(result) + _table(result))


def settle(result: TripleResult | None) -> str:
    """Draw a result at the end of its run, with everything one can do."""
    if result is None:
        return EMPTY
    body = _text(result) + _stopped(result) + _nothing(result) + _graph(result)
    body += _joined(result) + _table(result)
    return _frame(result, "mp-settled", body, _actions(result))


def answer_of(result: TripleResult) -> dict[str, object]:
    """Return the result as an HTTP client receives it."""
    return {
        **to_record(result),
        "decoder": result.decoder,
        "num_windows": result.num_windows,
        "num_read": result.num_read,
        "unasked": list(result.unasked),
        "elapsed_seconds": round(result.elapsed_seconds, 3),
    }


def marks_of(triples: Iterable[ExtractedTriple]) -> tuple[Mark, ...]:
    """Return the spans of all triples that stand in the text."""
    spans = (
        (span, role, index)
        for index, triple in enumerate(triples)
        for role, span in zip(
            ROLES, (triple.subject_span, triple.object_span), strict=True
        )
    )
    return tuple(
        Mark(*span, role, index)
        for span, role, index in spans
        if span is not None and span[0] < span[1]
    )


def segments(
    text: str, marks: Sequence[Mark]
) -> Iterator[tuple[str, tuple[Mark, ...]]]:
    """Cut a text where a mark begins or ends; yield each part with its marks.

    Joined, the parts are the text; so marks may overlap and nest as they like.
    """
    edges = sorted({0, len(text), *(m.start for m in marks), *(m.end for m in marks)})
    waiting = sorted(marks, key=lambda mark: mark.start)[::-1]
    active: list[Mark] = []
    for start, end in pairwise(edges):
        active = [mark for mark in active if mark.end > start]
        while waiting and waiting[-1].start == start:
            active.append(waiting.pop())
        yield text[start:end], tuple(active)


def to_csv(triples: Iterable[ExtractedTriple]) -> str:
    """Return triples as a table for a spreadsheet."""
    records = map(record_of, triples)
    return table_of(FIELDS, ([one[name] for name in FIELDS] for one in records))


def _frame(result: TripleResult, state: str, body: str, actions: str = "") -> str:
    return f'<div class="mp-triples {state}">{body}{_facts(result)}{actions}</div>'


def _progress(result: TripleResult) -> str:
    count, done = result.num_windows, result.num_read
    return (
        f'<div class="mp-card"><strong role="status">{done} / {count} 段 windows'
        f'</strong><progress max="{count}" value="{done}"></progress></div>'
    )


def _text(result: TripleResult) -> str:
    triples = result.triples
    marked = "".join(
        _segment(text, marks, triples)
        for text, marks in segments(result.request.text, marks_of(triples))
    )
    legend = "".join(
        f'<span class="mp-mark mp-{role}">{name}</span>' for role, name in ROLES.items()
    )
    return (
        f'<article class="mp-card"><header>{_count(result)}'
        f'<span class="mp-keys">{legend}</span></header>'
        f'<p class="mp-text mp-marked" dir="auto" tabindex="0">{marked}</p></article>'
    )


def _count(result: TripleResult) -> str:
    count, least = len(result.triples), result.request.threshold
    return views.badge(
        f"{count} 条 triples ≥ {least:.2f}", "done" if count else "plain"
    )


def _segment(
    text: str, marks: Sequence[Mark], triples: Sequence[ExtractedTriple]
) -> str:
    if not marks:
        return escape(text)
    said = {
        role: dict.fromkeys(
            triples[mark.triple].predicate for mark in marks if mark.role == role
        )
        for role in ROLES
    }
    played = [role for role, predicates in said.items() if predicates]
    kinds = " ".join(f"mp-{role}" for role in played)
    numbers = " ".join(str(n) for n in dict.fromkeys(mark.triple for mark in marks))
    title = "\n".join(f"{ROLES[role]}：{'、'.join(said[role])}" for role in played)
    return (
        f'<span class="mp-mark {kinds}" data-mp-marks="{numbers}" '
        f'title="{escape(title)}">{escape(text)}</span>'
    )


def _stopped(result: TripleResult) -> str:
    """Say how much of the text was read, where it was not all."""
    if result.finished:
        return ""
    done, count = result.num_read, result.num_windows
    return views.note(
        f"停在这里，只读了 {done} / {count} 段；再点“抽取”从头读，或先缩短文字。",
        f"Only {done} of {count} windows were read: press Extract to read them all, "
        "or shorten the text first.",
    )


def _nothing(result: TripleResult) -> str:
    """Say why nothing is listed, and what would change that."""
    if result.triples:
        return ""
    best = max((one.probability for one in result.found), default=None)
    if best is None and result.unasked:
        return views.notice(unasked_note(result.unasked))
    if best is None and not result.finished:
        return ""
    if best is None:
        return views.notice(
            f"没有找到概率达到 {FLOOR} 的三元组；换一段话，或少限定几种关系再试。 "
            f"No triple of probability {FLOOR} or more: try another text, or fewer "
            "limits on the relations."
        )
    return views.notice(
        f"没有达到阈值的三元组；最可能的一条概率为 {best:.3f}，把阈值调低即可看到。 "
        f"No triple reaches the threshold; the best has {best:.3f}: lower it."
    )


def _graph(result: TripleResult) -> str:
    graph = triples_graph.graph_of(result.triples, result.complex_objects)
    if not graph.edges:
        return ""
    left_out, most = graph.num_left_out, triples_graph.MAX_NODES
    note = (
        f"<figcaption>图中是最可能的，名称最多 {most} 个；另有 {left_out} 条只在表中。 "
        f"The most probable ones, up to {most} names; {left_out} more are in the table."
        "</figcaption>"
    )
    return (
        '<figure class="mp-card mp-graph-card"><div class="mp-scroll" tabindex="0">'
        f"{triples_graph.drawing(graph)}</div>{note if left_out else ''}</figure>"
    )


def _joined(result: TripleResult) -> str:
    """List what belongs together: 饰演: 角色=…, 作品=…."""
    if not result.complex_objects:
        return ""
    ranks = {triple: n for n, triple in enumerate(result.triples)}
    items = "".join(_joined_item(one, ranks) for one in result.complex_objects)
    return (
        '<section class="mp-card mp-joined"><h4>复合宾语 Complex objects</h4>'
        f"<ul>{items}</ul></section>"
    )


def _joined_item(joined: ComplexObject, ranks: dict[ExtractedTriple, int]) -> str:
    lit = " ".join(str(ranks[triple]) for triple in joined.triples)
    parts = "，".join(
        f"<i>{escape(part_name(triple.predicate))}</i>={escape(triple.object)}"
        for triple in joined.triples
    )
    return (
        f'<li tabindex="0" data-mp-triple="{lit}"><b>{escape(joined.subject)}</b> '
        f"<em>{escape(joined.predicate)}</em>：{parts}</li>"
    )


def _table(result: TripleResult) -> str:
    if not result.triples:
        return ""
    head = "".join(f"<th>{zh} <small>{en}</small></th>" for zh, en in COLUMNS)
    rows = "".join(_row(n, triple) for n, triple in enumerate(result.triples))
    return (
        '<div class="mp-card mp-scroll"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(index: int, triple: ExtractedTriple) -> str:
    offsets = " → ".join(
        "–" if span is None else f"{span[0]}–{span[1]}"
        for span in (triple.subject_span, triple.object_span)
    )
    cells = (
        _name(triple.subject, triple.subject_type, "subject"),
        f"<em>{escape(triple.predicate)}</em>",
        _name(triple.object, triple.object_type, "object"),
        f"<small>{offsets}</small>",
        f'<span class="mp-bar" style="--share:{triple.probability:.4f}"><i></i>'
        f"<b>{100 * triple.probability:.1f}%</b></span>",
    )
    drawn = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr tabindex="0" data-mp-triple="{index}">{drawn}</tr>'


def _name(text: str, kind: str, role: str) -> str:
    of_kind = f" <small>{escape(KINDS.get(kind, kind))}</small>" if kind else ""
    return f'<span class="mp-mark mp-{role}">{escape(text)}</span>{of_kind}'


def _actions(result: TripleResult) -> str:
    """Draw copy and the downloads; they hold what is shown."""
    if not result.triples:
        return ""
    table = to_csv(result.triples)
    record = {"threshold": result.request.threshold, **answer_of(result)}
    lines = "\n".join(
        f"{one.subject}\t{one.predicate}\t{one.object}" for one in result.triples
    )
    saved = views.json_button(f"{FILE_NAME}.json")
    actions = (
        f'<div class="mp-actions" data-mp-text="{escape(lines)}">'
        f"{views.button('copy', '复制 Copy')}{saved}"
        f"{views.csv_button(f'{FILE_NAME}.csv', table)}</div>"
    )
    return views.result(record, actions)


def _facts(result: TripleResult) -> str:
    """Return one line: which weights answered, how, in how many pieces."""
    facts = [
        ("权重 weights", name_of(result.weights)),
        ("解码 decoder", result.decoder),
        ("分段 windows", f"{result.num_read} / {result.num_windows}"),
        ("用时 time", f"{result.elapsed_seconds:.2f} s"),
    ]
    return views.facts(facts)
