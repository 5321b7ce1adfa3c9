"""Draw values as HTML: texts, tokens by probability, masks. Pure: values in, HTML out.

Changes when something is drawn differently. Knows no component and no demo; whatever a
person or a model wrote is escaped here. Styles live in assets/style.css, the behaviour
of ``data-mp-*`` attributes in assets/page.js.
"""

import html
import json
import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

from model_core.interfaces import TokenScore

# A token's tint: 0 where the model expected it, 6 where it was most surprised.
TINTS = (0.01, 0.03, 0.1, 0.25, 0.5, 0.8)
CELL = 22  # pixels of a mask's cell
STEP = 1000  # between units
CHINESE = "[\u2014-\u2026\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]"
CHINESE_LINE_END = re.compile(f"(?<={CHINESE})\n(?={CHINESE})")
MARGIN = 28  # pixels for the labels of a mask
STOPPED = "停在这里 stopped"  # by the visitor, or at the deadline
FINISH = {  # badges of how a text that was written ended
    "stop": ("写完 finished", "done"),
    "length": ("到上限 length limit", "plain"),
    "": (STOPPED, "plain"),
}


def escape(text: object) -> str:
    """Return text that HTML shows as it is, in elements and in quoted attributes."""
    return html.escape(str(text), quote=True)


def badge(text: str, kind: str = "plain", title: str = "") -> str:
    """Return a small label."""
    hint = f' title="{escape(title)}"' if title else ""
    return f'<span class="mp-badge mp-{escape(kind)}"{hint}>{escape(text)}</span>'


def button(action: str, label: str) -> str:
    """Return a button that assets/page.js serves alone, without the server."""
    return (
        f'<button type="button" class="mp-button" data-mp-action="{escape(action)}">'
        f"{escape(label)}</button>"
    )


def notice(text: str, kind: str = "quiet") -> str:
    """Return one line that stands where a result will be."""
    return f'<p class="mp-notice mp-{escape(kind)}">{escape(text)}</p>'


def waiting(verb: str) -> str:
    """Return what stands there while the weights load, e.g. with ``写``."""
    return notice(
        f"模型还在加载，好了就{verb}…… The model is loading; this run starts right "
        "after it.",
        "waiting",
    )


def note(zh: str, en: str) -> str:
    """Return a remark that must not be missed."""
    return f'<p class="mp-note" role="note">{escape(zh)} <span>{escape(en)}</span></p>'


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Return one line of named values."""
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in pairs
    )
    return f'<dl class="mp-facts">{items}</dl>'


def result(record: Mapping[str, object], content: str) -> str:
    """Return a settled result with the record that its buttons save."""
    saved = json.dumps(record, ensure_ascii=False)
    return f'<div class="mp-result" data-mp-record="{escape(saved)}">{content}</div>'


def json_button(file_name: str) -> str:
    """Return a button that saves the record around it, without the server."""
    return (
        f'<button type="button" class="mp-button" data-mp-save="{escape(file_name)}">'
        "下载 Download JSON</button>"
    )


def csv_button(file_name: str, table: str) -> str:
    """Return a button that saves a table, without the server."""
    kept = escape(table).replace("\r", "&#13;")  # bare, HTML would drop it
    return (
        f'<button type="button" class="mp-button" data-mp-csv="{kept}" '
        f'data-mp-name="{escape(file_name)}">下载 Download CSV</button>'
    )


def too_large(upload: str, max_bytes: int, zh: str, en: str) -> str:
    """Return what is said of a file that is too large to be sent; hidden until then.

    Args:
        upload: Id of the component that takes files.
        max_bytes: How large they may be.
        zh: What to do.
        en: The same in English.
    """
    most = f"{max_bytes >> 20} MB"
    return (
        f'<p class="mp-failure" role="alert" data-mp-upload="{escape(upload)}" '
        f'data-mp-largest="{max_bytes}" hidden>这个文件超过 {most}，没有上传；'
        f"{escape(zh)} This file has more than {most} and was not sent: {escape(en)}"
        "</p>"
    )


def flowing(text: str) -> str:
    """Return Markdown whose Chinese lines join: a newline would show as a gap."""
    return CHINESE_LINE_END.sub("", text)


def plain_text(prompt: str, text: str) -> str:
    """Return prompt and continuation, light enough for many frames a second."""
    return (
        f'<span class="mp-prompt">{escape(prompt)}</span>'
        f'<span class="mp-written">{escape(text)}</span>'
    )


def scored_text(prompt: str, tokens: Iterable[TokenScore]) -> str:
    """Return prompt and continuation, every token with its probability."""
    seen = [token for token in tokens if token.text]  # an ending adds no character
    spans = "".join(
        token_span(token, reachable=not place) for place, token in enumerate(seen)
    )
    return (
        f'<span class="mp-prompt">{escape(prompt)}</span>'
        f'<span class="mp-written" role="group" aria-label="逐字概率 · probabilities">'
        f"{spans}</span>"
    )


def token_span(token: TokenScore, *, reachable: bool = True) -> str:
    """Return one token, tinted by surprise, with its runners-up for the popover.

    Args:
        token: What was written, with its probability.
        reachable: Whether the Tab key stops here; arrow keys reach every token.
    """
    probability = math.exp(min(0.0, token.log_prob))
    runners_up = [[rival.text, rival.probability] for rival in token.alternatives]
    card = json.dumps([token.text, probability, runners_up], ensure_ascii=False)
    return (
        f'<span class="mp-token mp-tint-{tint_of(probability)}" '
        f'tabindex="{0 if reachable else -1}" '
        f'data-mp-token="{escape(card)}">{escape(token.text)}</span>'
    )


def tint_of(probability: float) -> int:
    """Return 0 for an expected token up to 6 for the most surprising."""
    return len(TINTS) - bisect_right(TINTS, probability)


def broken_into_lines(texts: Sequence[str], line_ends: str) -> Iterator[str]:
    """Yield the texts with a newline after those that end a line of verse.

    Args:
        texts: Characters or tokens, in order.
        line_ends: The punctuation that ends a line; "" breaks nowhere.
    """
    for text, following in zip(texts, [*texts, "\n"][1:], strict=True):
        ends = text[-1:] and text[-1:] in line_ends
        yield text + "\n" if ends and not following.startswith("\n") else text


def legend() -> str:
    """Return the scale of tints."""
    steps = "".join(
        f'<span class="mp-token mp-tint-{tint}"></span>'
        for tint in range(len(TINTS) + 1)
    )
    return (
        '<span class="mp-legend"><span>意料之中 expected</span>'
        f"{steps}<span>出人意料 surprising</span></span>"
    )


def mask_drawing(
    mask: Sequence[Sequence[bool]], labels: Sequence[str], caption: str
) -> str:
    """Draw an attention mask: a row per query, a column per key, filled = may attend.

    Args:
        mask: (query, key).
        labels: One short label per position; as many as the mask has keys.
        caption: What the drawing shows, also for those who cannot see it.
    """
    width, height = MARGIN + CELL * len(labels) + 2, MARGIN + CELL * len(mask) + 2
    cells = "".join(
        _cell(row, column, attends=bool(attends))
        for row, line in enumerate(mask)
        for column, attends in enumerate(line)
    )
    across = "".join(_label(n, label, across=True) for n, label in enumerate(labels))
    down = "".join(
        _label(n, label, across=False) for n, label in enumerate(labels[-len(mask) :])
    )
    return (
        f'<figure class="mp-mask"><svg viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{escape(caption)}">'
        f"{across}{down}{cells}</svg><figcaption>{escape(caption)}</figcaption></figure>"
    )


def _cell(row: int, column: int, *, attends: bool) -> str:
    x, y = MARGIN + CELL * column + 2, MARGIN + CELL * row + 2
    kind = "mp-on" if attends else "mp-off"
    side = CELL - 4
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{side}" height="{side}" rx="3"/>'
    )


def _label(position: int, label: str, *, across: bool) -> str:
    along = MARGIN + CELL * position + CELL // 2
    x, y = (along, MARGIN // 2) if across else (MARGIN // 2, along)
    return f'<text x="{x}" y="{y}">{escape(label)}</text>'


def size(num_bytes: int) -> str:
    """Return a number of bytes as people read it, e.g. ``24.3 MB``."""
    return f"{scaled(num_bytes, ('', 'K', 'M', 'G', 'T'))}B"


def count(number: int) -> str:
    """Return a number of parameters as people read it, e.g. ``12.3 M``."""
    return scaled(number, ("", "K", "M", "B"))


def scaled(number: float, prefixes: Sequence[str]) -> str:
    """Return a number in the largest unit that leaves at least 1 before the point."""
    power = 0
    while number >= STEP and power < len(prefixes) - 1:
        number, power = number / STEP, power + 1
    digits = f"{number:.1f}" if power else f"{number:.0f}"
    return f"{digits} {prefixes[power]}"
