"""Draw headlines as HTML. Pure: a result in, HTML out.

Changes when the result of the title tab looks different.
"""

import math
from dataclasses import asdict

from app import views
from app.views import escape
from demos.records import name_of
from demos.title.record import to_record
from demos.title.task import Title, TitleResult

RANKS = ("其一", "其二", "其三", "其四", "其五", "其六", "其七", "其八")
LAST_READ_CHARS = 12  # shown of what was read last
DOWNLOAD = "maskplay-titles.json"
EMPTY = views.notice("贴一篇文章，点“起标题”。 Paste an article, then press Title it.")
WAITING = views.waiting("写")


def stream(result: TitleResult | None) -> str:
    """Draw growing headlines: plain text, as it is drawn many times a second."""
    if result is None:
        return WAITING
    lines = "".join(
        _line(rank, views.plain_text("", title.text), _scores(title))
        for rank, title in enumerate(result.titles)
    )
    return _sheet(result, "mp-streaming", lines)


def settle(result: TitleResult | None) -> str:
    """Draw headlines at the end of a run: probabilities, copy and download."""
    if result is None:
        return EMPTY
    lines = "".join(
        _settled_line(rank, title) for rank, title in enumerate(result.titles)
    )
    buttons = (
        f'<div class="mp-actions" data-mp-text="{escape(all_titles(result))}">'
        f"{views.button('copy', '全部复制 Copy all')}"
        f"{views.json_button(DOWNLOAD)}</div>"
    )
    return views.result(
        record_of(result), _sheet(result, "mp-settled", lines) + buttons
    )


def record_of(result: TitleResult) -> dict[str, object]:
    """Return what is downloaded: the settings that repeat a result, and the result."""
    request = result.request
    asked = {**asdict(request), "num_return": request.num_titles}
    return {**asked, **answer_of(result)}


def answer_of(result: TitleResult) -> dict[str, object]:
    """Return the result as an HTTP client receives it."""
    seconds = round(result.frame.elapsed_seconds, 3)
    return {**to_record(result), "elapsed_seconds": seconds}


def all_titles(result: TitleResult) -> str:
    """Return every headline, a line each."""
    return "\n".join(title.text for title in result.titles)


def _sheet(result: TitleResult, state: str, lines: str) -> str:
    return (
        f'{_left_out(result)}<ol class="mp-titles {state}">{lines}</ol>{_facts(result)}'
    )


def _line(rank: int, text: str, foot: str, button: str = "", copied: str = "") -> str:
    attribute = f' data-mp-text="{escape(copied)}"' if copied else ""
    return (
        f'<li class="mp-card"{attribute}><header><span class="mp-rank">{RANKS[rank]}'
        f'</span>{button}</header><p class="mp-text">{text}</p>'
        f"<footer>{foot}</footer></li>"
    )


def _settled_line(rank: int, title: Title) -> str:
    badge = views.badge(*views.FINISH[title.candidate.finish])
    return _line(
        rank,
        _scored(title),
        _scores(title) + badge,
        views.button("copy", "复制 Copy"),
        title.text,
    )


def _scored(title: Title) -> str:
    """Return the headline by tokens, where they spell it, else as plain text."""
    tokens = title.tokens
    if "".join(token.text for token in tokens).strip() != title.text:
        return views.plain_text("", title.text)
    return views.scored_text("", tokens)


def _scores(title: Title) -> str:
    """Return what the model thinks of a headline: a bar and the numbers behind it."""
    share = math.exp(min(0.0, title.mean_log_prob))
    hint = (
        f"每个词元平均的概率（几何平均） geometric mean per token; log p / token = "
        f"{title.mean_log_prob:.3f} nats; 排序分 score = {title.score:.3f}"
    )
    return (
        f'<span class="mp-confidence" title="{escape(hint)}">'
        f'<i style="--share:{share:.4f}"></i><b>{share:.0%}</b> 每词元 per token</span>'
        f'<span class="mp-log-prob">log p = {title.log_prob:.2f}</span>'
    )


def _left_out(result: TitleResult) -> str:
    """Say how much of the article was read, where it was not all."""
    if result.read_whole:
        return ""
    num_read, num_chars = result.num_chars_read, len(result.request.text)
    last = result.request.text[max(0, num_read - LAST_READ_CHARS) : num_read].strip()
    return views.note(
        f"文章共 {num_chars:,} 字，模型的窗口只装得下前 {num_read:,} 字，读到“…{last}”"
        "为止；标题只凭这一段写成。",
        f"Only the first {num_read:,} of {num_chars:,} characters fitted the model’s "
        "window: the titles know nothing of the rest.",
    )


def _facts(result: TitleResult) -> str:
    """Return one line: which weights answered, how much they read, how long it took."""
    frame, num_chars = result.frame, len(result.request.text)
    return views.facts(
        (
            ("权重 weights", name_of(frame.weights)),
            ("读了 read", f"{result.num_chars_read:,} / {num_chars:,} 字"),
            ("束宽 beams", result.request.num_beams),
            ("词元 tokens", frame.num_new_tokens),
            ("用时 time", f"{frame.elapsed_seconds:.1f} s"),
        )
    )
