"""Draw an answer with its passages, votes and modes as HTML. Pure.

Changes when the result of the question answering tab looks different. The scrolling to
what was found lies in assets/tabs/qa.js.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict

from app import views
from app.views import escape
from demos.qa.record import place_of, to_record
from demos.qa.task import QaResult, best_of, stands_at
from demos.tables import table_of
from model_core.interfaces import PassageVote, ReadAnswer, ReadingFrame

Span = tuple[int, int, str]  # first character, after the last one, css class

MODES = {
    "seq2seq": "逐字生成 seq2seq",
    "mlm": "一次填空 mlm",
    "span": "指读 span",
}
DOWNLOAD = "maskplay-answer"
CSV_FIELDS = ("mode", "rank", "answer", "probability", "passage", "start")
NO_ANSWER = "段落里没有答案 No answer in the passages"
EMPTY = views.notice(
    "贴几段文字，问一个问题，点“回答”。 Paste passages, ask, then press Answer."
)
WAITING = views.waiting("读")
READING = views.notice("在读…… Reading…", "waiting")
STOPPED = views.badge(views.STOPPED)
NOT_YET = views.notice(
    "停在这里，还没有读出答案；再点“回答”重来。 "
    "Stopped before there was an answer: press Answer again."
)


def stream(result: QaResult | None) -> str:
    """Draw a growing answer: light, as it is drawn many times a second."""
    if result is None:
        return WAITING
    card = READING if result.answer is None else _card(result.answer)
    return f'<div class="mp-qa mp-streaming">{card}{_facts(result)}</div>'


def settle(result: QaResult | None) -> str:
    """Draw an answer at the end of its run: passages, votes, modes, downloads."""
    if result is None:
        return EMPTY
    content = "".join(
        (
            _answer(result),
            _modes(result),
            _alternatives(result),
            _passages(result),
            _facts(result),
            _actions(result),
        )
    )
    return views.result(
        record_of(result), f'<div class="mp-qa mp-settled">{content}</div>'
    )


def record_of(result: QaResult) -> dict[str, object]:
    """Return what is downloaded: the settings that repeat a result, and the result."""
    asked = {**asdict(result.request), "mode_asked": result.request.mode}
    return {**asked, **to_record(result)}


def csv_of(result: QaResult) -> str:
    """Return every answer of every mode as a table, best first."""
    return table_of(CSV_FIELDS, _rows(result))


def _rows(result: QaResult) -> Iterator[tuple[object, ...]]:
    for reading in result.readings:
        for rank, one in enumerate(reading.answers, 1):
            place = (one.passage, one.start)
            yield reading.mode, rank, one.text, one.probability, *place


def highlighted(text: str, spans: Iterable[Span]) -> str:
    """Return a text with marked spans; one that runs into an earlier one is left."""
    pieces, end = [], 0
    for start, stop, kind in sorted(spans):
        if start < end:
            continue
        pieces.append(escape(text[end:start]))
        pieces.append(f'<mark class="{escape(kind)}">{escape(text[start:stop])}</mark>')
        end = stop
    return "".join((*pieces, escape(text[end:])))


def bar(share: float, kind: str = "") -> str:
    """Return a bar with its share beside it."""
    return (
        f'<span class="mp-share {escape(kind)}"><i style="--share:{share:.4f}"></i>'
        f"<b>{share:.1%}</b></span>"
    )


def said(text: str) -> str:
    """Return an answer in the words of its passage, in that text's own direction."""
    if not text:
        return f'<em class="mp-none">{escape(NO_ANSWER)}</em>'
    return f'<bdi class="mp-said">{escape(text)}</bdi>'


def _answer(result: QaResult) -> str:
    """Return the answer at the end of the run, and whether it was cut off."""
    if result.answer is None:
        return NOT_YET
    return _card(result.answer, "" if result.reading.finished else STOPPED)


def _card(best: ReadAnswer, ending: str = "") -> str:
    found = "" if best.text else " mp-without"
    return (
        f'<article class="mp-card mp-qa-answer{found}" role="status" '
        f'data-mp-text="{escape(best.text)}"><header>'
        f'<span class="mp-rank">答 Answer</span>'
        f"{views.button('copy', '复制 Copy') if best.text else ''}</header>"
        f'<p class="mp-text">{said(best.text)}</p>'
        f"<footer>{bar(best.probability)}{_place(best)}{ending}</footer></article>"
    )


def _place(one: ReadAnswer) -> str:
    if one.start < 0:
        return views.badge("不是原文 not from a passage", "warn") if one.text else ""
    return views.badge(place_of(one), "done")


def _modes(result: QaResult) -> str:
    """Return what every mode said, side by side, and how long it took."""
    if not result.request.compare:
        return ""
    slowest = max(reading.elapsed_seconds for reading in result.readings)
    cards = "".join(_mode(reading, slowest) for reading in result.readings)
    return (
        '<section class="mp-part"><h3>几种读法 <span>Modes side by side</span></h3>'
        f'<div class="mp-modes">{cards}</div>{_other_modes(result)}</section>'
    )


def _other_modes(result: QaResult) -> str:
    """Say why there is one mode alone, or that Stop came before the next."""
    if result.num_modes == 1:
        return (
            '<p class="mp-quiet">所用权重只会这一种读法。 '
            "These weights read in this mode only.</p>"
        )
    between = result.readings[-1].finished and not result.finished
    return STOPPED if between else ""


def _mode(reading: ReadingFrame, slowest: float) -> str:
    best = best_of(reading)
    answer = "" if best is None else said(best.text)
    ending = "" if reading.finished else STOPPED
    seconds = reading.elapsed_seconds
    share = seconds / slowest if slowest > 0 else 0.0
    ratio = slowest / seconds if seconds > 0 else 1.0
    faster = f" · 快 {ratio:.1f} 倍 faster" if ratio >= 1.05 else ""  # noqa: PLR2004
    return (
        f'<div class="mp-mode"><h4>{escape(MODES[reading.mode])}</h4>'
        f'<p class="mp-mode-said">{answer}</p>'
        f"{'' if best is None else bar(best.probability)}{ending}"
        f'<p class="mp-time"><i style="--share:{share:.4f}"></i>'
        f"<span>{_seconds(seconds)} · {reading.num_steps} 步 steps{faster}</span></p>"
        "</div>"
    )


def _alternatives(result: QaResult) -> str:
    others = result.reading.answers[1:]
    if not others:
        return ""
    rows = "".join(
        f"<li>{said(one.text)}{bar(one.probability)}{_place(one)}</li>"
        for one in others
    )
    return (
        '<section class="mp-part"><h3>其他可能 <span>Alternatives</span></h3>'
        f'<ol class="mp-others">{rows}</ol></section>'
    )


def _passages(result: QaResult) -> str:
    votes = {vote.passage: vote for vote in result.reading.votes}
    boxes = "".join(
        _passage(result, number, votes.get(number))
        for number in range(len(result.request.passages))
    )
    return (
        '<section class="mp-part"><h3>各段怎么说 <span>What each passage says</span>'
        f'</h3><div class="mp-passages">{boxes}</div></section>'
    )


def _passage(result: QaResult, number: int, vote: PassageVote | None) -> str:
    text = result.request.passages[number]
    best = result.answer
    chosen = best is not None and best.passage == number
    return (
        f'<article class="mp-passage{" mp-chosen-passage" if chosen else ""}">'
        f'<header><span class="mp-rank">第 {number + 1} 段 Passage {number + 1}</span>'
        f"{'' if vote is None else _vote(vote)}</header>"
        f'<div class="mp-passage-text" dir="auto" tabindex="0">'
        f"{highlighted(text, _spans(result, number, vote))}</div></article>"
    )


def _vote(vote: PassageVote) -> str:
    own = (
        f"{said(vote.text)} <small>{vote.probability:.1%}</small>"
        if vote.text
        else '<em class="mp-none">本段没有答案 none here</em>'
    )
    return (
        f'<span class="mp-vote"><span>有答案 has answer</span>{bar(vote.has_answer)}'
        f'</span><span class="mp-own">自己的答案 its own：{own}</span>'
    )


def _spans(result: QaResult, number: int, vote: PassageVote | None) -> list[Span]:
    """Return what to mark in a passage: the answer, else the passage's own one."""
    best, spans = result.answer, []
    if best is not None and best.passage == number and best.start >= 0:
        spans.append((best.start, best.start + len(best.text), "mp-found"))
    passages = result.request.passages
    if vote is not None and stands_at(passages, number, vote.start, vote.text):
        own = (vote.start, vote.start + len(vote.text), "mp-candidate")
        if not any(own[0] < stop and start < own[1] for start, stop, _ in spans):
            spans.append(own)
    return spans


def _facts(result: QaResult) -> str:
    """Return one line: which weights answered, how, in how many steps and seconds."""
    reading, record = result.reading, to_record(result)
    pairs: list[tuple[str, object]] = [
        ("权重 weights", record["weights"]),
        ("读法 mode", MODES[reading.mode]),
        ("步数 steps", reading.num_steps),
        ("用时 time", _seconds(reading.elapsed_seconds)),
    ]
    if reading.num_windows > len(result.request.passages):
        pairs.append(("分窗 windows", reading.num_windows))
    return views.facts(pairs)


def _actions(result: QaResult) -> str:
    return (
        '<div class="mp-actions">'
        f"{views.json_button(f'{DOWNLOAD}.json')}"
        f"{views.csv_button(f'{DOWNLOAD}.csv', csv_of(result))}</div>"
    )


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
