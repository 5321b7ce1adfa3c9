"""Draw learning from examples as HTML: progress, curve, comparison. Pure.

Changes when learning looks different on the page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from app import views
from app.batch import MAX_BYTES, MEGABYTE
from app.classroom import Waiting
from app.tabs.files_view import FILE_ROUTE
from app.views import escape
from demos.fewshot.learning import LearnResult
from demos.fewshot.lesson import FEWEST, MOST
from demos.fewshot.scoring import Tally
from demos.records import name_of
from model_core.interfaces import LearningFrame

WIDTH, HEIGHT = 560, 180
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 10, 24
SMOOTHING = 0.9  # of the bold line: an exponential mean over some ten steps
TABLE_LABELS = 8  # a larger table is told by its most frequent confusions
FEW_LINES = 30
LINES_CHARS = MAX_BYTES  # pasted: as many as the largest file can hold
UPLOAD = "mp-lesson-upload"  # the component that takes examples
TOO_LARGE = (
    f"请只留 {MOST} 条以内的示例。",
    f"keep {MOST} examples at most.",
)
WAITING = views.waiting("学")
EMPTY = views.notice(
    "给几条带标签的文本，点“开始学习”：先量一遍，学完再量一遍，比给你看。 "
    "Give a few labelled texts and press Learn: measured before and after."
)
STAGES = {
    "before": "先量一遍原来的权重 measuring the original weights",
    "learning": "学习中 learning",
    "after": "再量一遍学过的权重 measuring what was learned",
    "done": "学完了 done",
}
FIT = "损失 loss · nats"


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson on its way, as the page keeps it.

    Attributes:
        result: Without the learned copy, which the server holds apart.
        token: Of that copy; "" until there is one.
    """

    result: LearnResult
    token: str = ""


Shown = Lesson | Waiting | None


def rules() -> str:
    """Draw what labelled lines must be."""
    megabytes = MAX_BYTES // MEGABYTE
    return (
        '<div class="mp-rules"><p>一行一条：<code>文本⇥标签</code>（⇥ 是 Tab；成对的是 '
        "<code>文本⇥第二句⇥标签</code>），或 JSON 行，或带列名的 csv；UTF-8 或 GBK，"
        f"{FEWEST} 到 {MOST} 条，贴的最多 {LINES_CHARS:,} 字，文件最大 {megabytes} MB；"
        "选了文件就不看贴的。标签和句式用上面表单里的。 <span>"
        "A line each: text⇥label (⇥ is Tab; pairs: text⇥second⇥label), JSON lines, or "
        f"a csv with column names; UTF-8 or GBK, {FEWEST} to {MOST} of them, up to "
        f"{LINES_CHARS:,} characters pasted or {megabytes} MB as a file; a file goes "
        "before what is pasted. Labels and pattern are those of the form "
        "above.</span></p>"
        f"{views.too_large(UPLOAD, MAX_BYTES, *TOO_LARGE)}</div>"
    )


def stream(shown: Shown) -> str:
    """Draw a lesson on its way, or the place in the line."""
    if shown is None:
        return WAITING
    if isinstance(shown, Waiting):
        return _line(shown)
    return _sheet(shown.result, STAGES[shown.result.stage], "mp-streaming")


def settle(shown: Shown) -> str:
    """Draw a lesson at the end of its run."""
    if not isinstance(shown, Lesson):
        return EMPTY
    done = shown.result.stage == "done"
    said = STAGES["done"] if done else views.STOPPED
    return _sheet(shown.result, said, "mp-settled")


def download_link(path: Path) -> str:
    """Return the link to a packed checkpoint."""
    address = escape(FILE_ROUTE + quote(str(path)))
    size = views.size(path.stat().st_size)
    return (
        f'<a class="mp-button" data-mp-fetch href="{address}" '
        f'download="{escape(path.name)}">下载 Download zip · {size}</a>'
        '<p class="mp-quiet">解压后在终端里用 unzip it, then: '
        "<code>python -m demos fewshot --weights maskplay-learned …</code></p>"
    )


def curve(losses: Sequence[float], num_steps: int) -> str:
    """Draw the loss by step: dots as they came, a line as they tend.

    Args:
        losses: Nats, one per step made.
        num_steps: Steps planned: the width of the drawing.
    """
    if not losses:
        return ""
    most = max(*losses, 1e-9)
    x_of = (WIDTH - LEFT - RIGHT) / max(1, num_steps - 1)
    y_of = (HEIGHT - TOP - BOTTOM) / most
    points = [
        (LEFT + x_of * n, HEIGHT - BOTTOM - y_of * loss)
        for n, loss in enumerate(losses)
    ]
    trend = [
        (x, HEIGHT - BOTTOM - y_of * loss)
        for (x, _), loss in zip(points, smoothed(losses), strict=True)
    ]
    said = f"{FIT}: {losses[0]:.2f} → {losses[-1]:.2f}"
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"/>' for x, y in points)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in trend)
    return (
        f'<figure class="mp-curve"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(said)}">{_axes(most, num_steps)}{dots}'
        f'<polyline points="{line}"/></svg><figcaption>{escape(said)}</figcaption>'
        "</figure>"
    )


def smoothed(values: Sequence[float]) -> list[float]:
    """Return the exponential mean so far at every place, unbiased at the start."""
    mean, weight, means = 0.0, 0.0, []
    for value in values:
        mean = SMOOTHING * mean + (1 - SMOOTHING) * value
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        means.append(mean / weight)
    return means


def _axes(most: float, num_steps: int) -> str:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    lines = "".join(
        f'<line x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="mp-y" x="{LEFT - 6}" y="{y + 4:.1f}">{most * share:.2f}</text>'
        for share in (0.0, 0.5, 1.0)
        for y in (bottom - share * (bottom - TOP),)
    )
    return (
        f'{lines}<text class="mp-first" x="{LEFT}" y="{HEIGHT - 6}">1</text>'
        f'<text class="mp-x" x="{right}" y="{HEIGHT - 6}">{num_steps}</text>'
    )


def _line(waiting: Waiting) -> str:
    if not waiting.ahead:
        return views.notice("马上开始…… Starting…", "waiting")
    return views.notice(
        f"前面还有 {waiting.ahead} 个在学，轮到就开始…… {waiting.ahead} before yours; "
        "it starts when they are done.",
        "waiting",
    )


def _sheet(result: LearnResult, said: str, state: str) -> str:
    frame = result.learning
    drawn = "" if frame is None else curve(frame.losses, frame.num_steps)
    return (
        f'<div class="mp-lesson-card mp-card {state}">{_head(frame, said)}{drawn}'
        f"{_comparison(result)}{_notes(result)}{_facts(result)}</div>"
    )


def _head(frame: LearningFrame | None, said: str) -> str:
    step, steps = (frame.step, frame.num_steps) if frame else (0, 1)
    seconds = f"{frame.elapsed_seconds:.0f} s" if frame else ""
    counted = f"{step} / {steps} 步 steps" if frame else ""
    return (
        f'<div class="mp-batch-head" role="status"><strong>{escape(said)}</strong>'
        f"<span>{escape(' · '.join(filter(None, (counted, seconds))))}</span></div>"
        f'<progress max="{steps}" value="{step}"></progress>'
    )


def _comparison(result: LearnResult) -> str:
    """Draw accuracy on the held-back lines, before and after."""
    if result.zero_shot is None:
        return ""
    rows = [_accuracy("学之前 zero-shot", result.zero_shot, "mp-before")]
    if result.few_shot is not None:
        rows.append(_accuracy("学之后 few-shot", result.few_shot, "mp-after"))
    majority = result.zero_shot.majority
    rows.append(_row("总猜最多的 majority", majority, f"{majority:.0%}", "mp-guess"))
    table = "" if result.few_shot is None else _confusion(result.few_shot)
    return f'<ol class="mp-compare">{"".join(rows)}</ol>{table}'


def _accuracy(name: str, tally: Tally, kind: str) -> str:
    low, high = tally.interval
    said = f"{tally.correct} / {tally.total} · {tally.accuracy:.0%}"
    hint = f"95 %: {low:.0%} – {high:.0%}"
    band = f"--low:{low:.4f};--high:{high:.4f};"
    return _row(name, tally.accuracy, said, kind, band, hint)


def _row(
    name: str, share: float, said: str, kind: str, band: str = "", hint: str = ""
) -> str:
    title = f' title="{escape(hint)}"' if hint else ""
    return (
        f'<li class="mp-tally {kind}" style="{band}--share:{share:.4f}"{title}>'
        f"<b>{escape(name)}</b><i></i><span>{escape(said)}</span></li>"
    )


def _confusion(tally: Tally) -> str:
    if len(tally.labels) > TABLE_LABELS:
        return _confusions(tally)
    head = "".join(f"<th>{escape(label)}</th>" for label in tally.labels)
    rows = "".join(
        f"<tr><th>{escape(label)}</th>{_cells(row, counts)}</tr>"
        for row, (label, counts) in enumerate(
            zip(tally.labels, tally.counts, strict=True)
        )
    )
    return (
        '<div class="mp-table mp-confusion"><table><caption>学之后：行是标签，列是回答 '
        "after: rows are labels, columns answers</caption><thead><tr><th></th>"
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cells(row: int, counts: Sequence[int]) -> str:
    return "".join(
        f'<td class="{"mp-hit" if row == column else "mp-miss" if count else ""}">'
        f"{count or '·'}</td>"
        for column, count in enumerate(counts)
    )


def _confusions(tally: Tally) -> str:
    found = tally.confusions[:TABLE_LABELS]
    if not found:
        return ""
    items = "".join(
        f"<li>{escape(label)} → {escape(answer)} × {count}</li>"
        for label, answer, count in found
    )
    return (
        '<div class="mp-confusions"><p class="mp-quiet">学之后最常混的 most frequent '
        f"confusions after</p><ul>{items}</ul></div>"
    )


def _notes(result: LearnResult) -> str:
    return "".join(views.note(zh, en) for zh, en in _remarks(result))


def _remarks(result: LearnResult) -> Iterator[tuple[str, str]]:
    """Yield what must be known to read the comparison."""
    parts = result.split
    repeated, measured = parts.num_repeated, len(parts.held)
    if repeated:
        yield (
            f"去掉了 {repeated} 条重复的。",
            f"{repeated} repeated ones were left out.",
        )
    if not measured:
        yield (
            "每个标签只有一条，全部用来学，没有留下来量的。",
            "One example per label: all of them teach, none is left to measure.",
        )
    elif parts.unmeasured:
        names = listed(parts.unmeasured)
        yield f"只有一条、没有量到的标签：{names}。", f"Not measured: {names}."
    if 0 < measured < FEW_LINES:
        yield (
            f"只量了 {measured} 条，差一两条可能是碰巧；细线是 95 % 区间。",
            f"Measured on {measured} only: a line or two may be chance; the thin line "
            "is the 95 % interval.",
        )


def listed(labels: Sequence[str]) -> str:
    """Return labels in a row, the first few of many."""
    more = "…" if len(labels) > TABLE_LABELS else ""
    return "、".join(labels[:TABLE_LABELS]) + more


def _facts(result: LearnResult) -> str:
    options = result.request.lesson((), result.weights).options
    return views.facts(
        (
            ("学 taught", f"{len(result.split.train)} 条"),
            ("量 held back", f"{len(result.split.held)} 条"),
            ("权重 weights", name_of(result.weights)),
            ("学习率 rate", f"{options.learning_rate:g}"),
            ("种子 seed", options.seed),
        )
    )
