"""Draw a generation as HTML. Pure: a result in, HTML out.

Changes when the result of the generation tab looks different.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from app import views
from app.views import escape
from demos.generation.poem import FORMS, faults
from demos.generation.record import to_record
from demos.generation.task import GenerationResult
from demos.records import name_of
from model_core.interfaces import Candidate

# Styles that are set line by line, and the punctuation that ends their lines. A ci's
# style names its tune as well: 词·浣溪沙.
OLD_VERSE = ("五言古诗", "七言古诗")
LINE_ENDS = {
    **dict.fromkeys((*FORMS, *OLD_VERSE), "，。！？；"),
    **dict.fromkeys(("词", "曲"), "。！？；"),
}
TUNE_MARK = "·"
RANKS = ("其一", "其二", "其三", "其四")
EMPTY = views.notice("写下开头，点“续写”。 Write an opening, then press Generate.")
WAITING = views.waiting("写")


def stream(result: GenerationResult | None) -> str:
    """Draw a growing result: plain text, as it is drawn many times a second."""
    if result is None:
        return WAITING
    cards = [_card(result, rank) for rank in range(len(result.candidates))]
    return _sheet(result, cards, "mp-streaming") + _facts(result)


def settle(result: GenerationResult | None) -> str:
    """Draw a result at the end of its run: probabilities, copy and download."""
    if result is None:
        return EMPTY
    cards = [_settled_card(result, rank) for rank in range(len(result.candidates))]
    record = json.dumps(record_of(result), ensure_ascii=False)
    return (
        f'<div class="mp-result" data-mp-record="{escape(record)}">'
        f"{_sheet(result, cards, 'mp-settled')}{_facts(result)}"
        f'<div class="mp-actions">{views.legend()}'
        f"{views.button('txt', '下载 Download txt')}"
        f"{views.button('jsonl', '下载 Download jsonl')}"
        "</div></div>"
    )


def record_of(result: GenerationResult) -> dict[str, object]:
    """Return what is downloaded: the settings that repeat a result, and the result."""
    return {**asdict(result.again), **answer_of(result)}


def answer_of(result: GenerationResult) -> dict[str, object]:
    """Return the result as an HTTP client receives it."""
    speed = round(result.tokens_per_second, 2)
    return {**to_record(result), "tokens_per_second": speed}


def _sheet(result: GenerationResult, cards: Sequence[str], state: str) -> str:
    kind = "mp-verse" if _line_ends(result) else "mp-prose"
    return (
        f'<div class="mp-sheet {kind} {state} mp-of-{len(cards)}">'
        f"{''.join(cards)}</div>"
    )


def _card(result: GenerationResult, rank: int) -> str:
    prompt, pieces = _lines(result, list(result.candidates[rank].text))
    head = f"<header>{_rank(result, rank)}</header>"
    text = views.plain_text(prompt, "".join(pieces))
    return f'<article class="mp-card">{head}<p class="mp-text">{text}</p></article>'


def _settled_card(result: GenerationResult, rank: int) -> str:
    candidate = result.candidates[rank]
    prompt, pieces = _lines(result, [token.text for token in candidate.tokens])
    tokens = [
        replace(token, text=piece)
        for token, piece in zip(candidate.tokens, pieces, strict=True)
    ]
    whole = escape(result.request.prompt + candidate.text)
    return (
        f'<article class="mp-card" data-mp-text="{whole}">'
        f"<header>{_rank(result, rank)}{views.button('copy', '复制 Copy')}</header>"
        f'<p class="mp-text">{views.scored_text(prompt, tokens)}</p>'
        f"<footer>{views.badge(*views.FINISH[candidate.finish])}"
        f"{_form_badge(result, candidate)}</footer></article>"
    )


def _rank(result: GenerationResult, rank: int) -> str:
    name = result.request.style if len(result.candidates) == 1 else RANKS[rank]
    return f'<span class="mp-rank">{escape(name)}</span>'


def _line_ends(result: GenerationResult) -> str:
    """Return the marks that end a line in the result's style, "" for prose."""
    return LINE_ENDS.get(result.request.style.split(TUNE_MARK)[0], "")


def _lines(result: GenerationResult, pieces: list[str]) -> tuple[str, list[str]]:
    """Break prompt and continuation into lines of verse, where the style has them."""
    prompt = result.request.prompt
    broken = list(views.broken_into_lines([*prompt, *pieces], _line_ends(result)))
    return "".join(broken[: len(prompt)]), broken[len(prompt) :]


def _form_badge(result: GenerationResult, candidate: Candidate) -> str:
    form = FORMS.get(result.request.style)
    if form is None or not candidate.finish:
        return ""
    found = faults(result.request.prompt + candidate.text, form)
    if not found:
        return views.badge("合体式 form kept", "done")
    why = "\n".join(f"{fault.zh} {fault.en}" for fault in found)
    return views.badge("不合体式 form broken", "warn", why)


def _facts(result: GenerationResult) -> str:
    """Return one line: which weights answered, how fast, with which seed."""
    frame = result.frame
    facts = [
        ("权重 weights", name_of(frame.weights)),
        ("种子 seed", frame.seed),
        ("词元 tokens", frame.num_new_tokens),
        ("词元/秒 tokens/s", f"{result.tokens_per_second:.1f}"),
        ("用时 time", f"{frame.elapsed_seconds:.1f} s"),
    ]
    if frame.num_prompt_chars_dropped:
        facts.append(("开头略去 dropped", f"{frame.num_prompt_chars_dropped} 字"))
    return views.facts(facts)
