"""Draw a summary as HTML. Pure: a result in, HTML out.

Changes when the result of the summary tab looks different. The text with its scores is
drawn in source_view; what hovering and clicking do lies in assets/tabs/summary.js.
"""

from collections.abc import Iterator
from dataclasses import asdict

from app import views
from app.tabs import source_view
from app.views import escape
from demos.records import name_of
from demos.summary.record import to_record
from demos.summary.task import EXTRACT, SummaryResult
from model_core.interfaces import CopiedSpan

AROUND_CHARS = 8  # of the text, on either side of a copied stretch
DOWNLOAD = "maskplay-summary.json"
EMPTY = views.notice("贴一段长文，点“做摘要”。 Paste a text, then press Summarise.")
WAITING = views.waiting("写")
SCORING = "分句已打分，正在改写…… Clauses are scored; now rewriting"


def stream(result: SummaryResult | None) -> str:
    """Draw a growing summary: light, as it is drawn many times a second."""
    if result is None:
        return WAITING
    text = views.plain_text("" if result.draft.text else SCORING, result.draft.text)
    return (
        f'<div class="mp-summary mp-streaming">{_notes(result)}{_card(text)}'
        f"{source_view.taken_list(result.extraction)}{_facts(result)}</div>"
    )


def settle(result: SummaryResult | None) -> str:
    """Draw a summary at the end of a run: copies, scores, counts, download."""
    if result is None:
        return EMPTY
    head = (
        views.badge(*views.FINISH[result.draft.finish])
        + _copy_legend(result)
        + views.button("copy", "复制 Copy")
    )
    text = "".join(_pieces(result)) or escape("（没有写出文字 nothing was written）")
    content = (
        f'<div class="mp-summary mp-settled">{_notes(result)}'
        f"{_card(text, head, result.draft.text)}{_facts(result)}"
        f'<div class="mp-actions">{views.json_button(DOWNLOAD)}</div>'
        f"{source_view.drawing(result)}</div>"
    )
    return views.result(record_of(result), content)


def record_of(result: SummaryResult) -> dict[str, object]:
    """Return what is downloaded: the settings that repeat a result, and the result."""
    return {**asdict(result.request), **answer_of(result)}


def answer_of(result: SummaryResult) -> dict[str, object]:
    """Return the result as an HTTP client receives it.

    A copied stretch is ``summary[start:end]`` and stands in ``text`` at
    ``source_start``.
    """
    return {
        **to_record(result),
        "copied": [asdict(span) for span in result.draft.copied],
        "num_chars_skipped": result.extraction.num_chars_skipped,
        "elapsed_seconds": round(result.elapsed_seconds, 3),
    }


def _card(text: str, head: str = "", copied: str = "") -> str:
    attribute = f' data-mp-text="{escape(copied)}"' if copied else ""
    return (
        f'<article class="mp-card"{attribute}><header><span class="mp-rank">'
        f'摘要 Summary</span>{head}</header><p class="mp-text">{text}</p></article>'
    )


def _pieces(result: SummaryResult) -> Iterator[str]:
    """Yield the summary, copied stretches marked and joined to their clauses."""
    text, end = result.draft.text, 0
    for span in result.draft.copied:
        if span.start >= end:
            yield escape(text[end : span.start])
            yield _copied(result, span)
            end = span.end
    yield escape(text[end:])


def _copied(result: SummaryResult, span: CopiedSpan) -> str:
    text = result.request.text
    start, end = span.source_start, span.source_start + span.end - span.start
    before = text[max(0, start - AROUND_CHARS) : start]
    after = text[end : end + AROUND_CHARS]
    hint = (
        f"原文第 {start + 1}–{end} 字 characters {start + 1}–{end}：\n"
        f"…{before}【{text[start:end]}】{after}…"
    )
    clause = source_view.clause_at(result.extraction, start)
    return (
        f'<mark class="mp-copied" tabindex="0" role="link" data-mp-clause="{clause}" '
        f'title="{escape(hint)}">{escape(result.draft.text[span.start : span.end])}'
        "</mark>"
    )


def _copy_legend(result: SummaryResult) -> str:
    if not result.copying:
        return ""
    return views.badge(
        f"照抄 copied {_copied_share(result):.0%}",
        "copied-share",
        "有底色的字照抄自原文；悬停看出处，点击跳过去 · tinted stretches stand in the "
        "text: hover to see where, click to go there",
    )


def _copied_share(result: SummaryResult) -> float:
    num_copied = sum(span.end - span.start for span in result.draft.copied)
    return num_copied / max(1, len(result.draft.text))


def _notes(result: SummaryResult) -> str:
    return _skipped_note(result) + _copy_note(result)


def _skipped_note(result: SummaryResult) -> str:
    """Say that a very long text was read from its middle on."""
    skipped, num_clauses = (
        result.extraction.num_chars_skipped,
        len(result.extraction.clauses),
    )
    if not skipped:
        return ""
    return views.note(
        f"全文分句太多，只给最后 {num_clauses} 句打了分；开头 {skipped:,} 字没有读。",
        f"Too many clauses: only the last {num_clauses} were scored; the first "
        f"{skipped:,} characters were not read.",
    )


def _copy_note(result: SummaryResult) -> str:
    """Say that these weights cannot tell copies, where copies were asked for."""
    if result.copying or not result.request.copy:
        return ""
    return views.note(
        "所用权重没有复制头，这次没有用复制机制。",
        "These weights have no copy head: nothing was held to the text.",
    )


def _facts(result: SummaryResult) -> str:
    """Return one line: how much went in, how much came out, how long it took."""
    extraction, num_chars = result.extraction, len(result.request.text)
    num_taken = len(extraction.chosen)
    num_written = len(result.draft.text)
    facts = [
        ("原文 text", f"{num_chars:,} 字"),
        (
            "抽取 extracted",
            f"{num_taken} / {len(extraction.clauses)} 句 clauses · "
            f"{len(extraction.passage.text):,} 字",
        ),
        ("摘要 summary", f"{num_written:,} 字"),
        ("压缩到 compressed to", f"{num_written / num_chars:.1%}"),
        ("抽取用时 extracting", f"{result.extract_seconds:.2f} s"),
    ]
    if result.request.mode != EXTRACT:
        writing = result.elapsed_seconds - result.extract_seconds
        facts.append(("改写用时 rewriting", f"{writing:.1f} s"))
    return views.facts([*facts, ("权重 weights", name_of(result.weights))])
