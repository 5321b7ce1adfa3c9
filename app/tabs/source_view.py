"""Draw a text with what its clauses are worth: in place, as a profile, as a list. Pure.

Changes when scores of clauses look different. A text may have 20,000 characters: one
light element per clause, none per character.
"""

from bisect import bisect_right

from app.views import escape
from demos.summary.extraction import Extraction
from demos.summary.task import SummaryResult

HEATS = 10  # shades, from worthless to certain


def drawing(result: SummaryResult) -> str:
    """Draw the profile of the scores and the whole text, shaded in place."""
    return (
        '<details class="mp-source" open><summary>原文与分句得分 The text and its '
        f"clauses’ scores</summary>{profile(result.extraction, _threshold(result))}"
        f'{_legend()}<div class="mp-source-text" tabindex="0">'
        f"{_skipped(result)}{_clauses(result.extraction)}</div></details>"
    )


def taken_list(extraction: Extraction) -> str:
    """Draw the clauses taken, one after the other, with their scores on hover."""
    spans = "".join(clause_span(extraction, index) for index in extraction.chosen)
    return (
        '<div class="mp-taken-list"><span class="mp-rank">抽取 Extracted</span> '
        f"{spans}</div>"
    )


def clause_span(extraction: Extraction, index: int) -> str:
    """Return one clause, shaded by its score, marked where it was taken."""
    score = extraction.scores[index]
    kind, mark = (" mp-taken", " ✓") if index in extraction.chosen else ("", "")
    return (
        f'<span class="mp-clause mp-heat-{heat_of(score)}{kind}" '
        f'data-mp-clause="{index}" title="{score:.2f}{mark}">'
        f"{escape(extraction.clauses[index].text)}</span>"
    )


def clause_at(extraction: Extraction, place: int) -> int:
    """Return the index of the clause that holds a character of the text."""
    starts = [clause.start for clause in extraction.clauses]
    return bisect_right(starts, place) - 1


def heat_of(score: float) -> int:
    """Return a shade for a score: 0 for the least, ``HEATS - 1`` for the most."""
    return min(HEATS - 1, max(0, int(score * HEATS)))


def profile(extraction: Extraction, threshold: float) -> str:
    """Draw a bar per clause, in the order of the text, and the threshold across."""
    chosen = frozenset(extraction.chosen)
    bars = {True: "", False: ""}
    for index, score in enumerate(extraction.scores):
        bars[index in chosen] += f"M{index} 1v-{max(score, 0.01):.3f}h.8V1z"
    caption = (
        "每一竖条是一个分句的得分，深色的已抽取，虚线是阈值 · a bar is one clause’s "
        "score, dark ones are extracted, the dashed line is the threshold"
    )
    return (
        f'<svg class="mp-profile" viewBox="0 0 {len(extraction.scores)} 1" '
        f'preserveAspectRatio="none" role="img" aria-label="{escape(caption)}">'
        f'<title>{escape(caption)}</title><path class="mp-left" d="{bars[False]}"/>'
        f'<path class="mp-kept" d="{bars[True]}"/><line x1="0" '
        f'x2="{len(extraction.scores)}" y1="{1 - threshold:.3f}" '
        f'y2="{1 - threshold:.3f}"/></svg>'
    )


def _threshold(result: SummaryResult) -> float:
    return result.request.threshold


def _clauses(extraction: Extraction) -> str:
    return "".join(
        clause_span(extraction, index) for index in range(len(extraction.clauses))
    )


def _skipped(result: SummaryResult) -> str:
    """Return the part before the first scored clause, as it is."""
    skipped = result.request.text[: result.extraction.num_chars_skipped]
    return f'<span class="mp-skipped">{escape(skipped)}</span>' if skipped else ""


def _legend() -> str:
    steps = "".join(
        f'<i class="mp-clause mp-heat-{heat}"></i>' for heat in range(HEATS)
    )
    return (
        f'<p class="mp-heat-legend"><span>无关 irrelevant 0</span>{steps}'
        "<span>要紧 important 1</span>"
        '<span class="mp-clause mp-taken">下划线为已抽取 underlined: extracted</span>'
        "</p>"
    )
