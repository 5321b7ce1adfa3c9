"""Draw what is said of sentences as HTML: cosines, lines, classes. Pure.

Changes when the results of the sentences tab look different.
"""

from collections.abc import Sequence

from app import views
from app.views import escape
from demos.judging.classification import ClassificationResult
from demos.judging.detection import DetectionResult
from demos.judging.record import classification_record, detection_record
from demos.records import name_of
from demos.rephrasing import record as rephrasing_record
from demos.rephrasing.rephrasing import RephrasingResult
from demos.similarity import nearest_record
from demos.similarity import record as similarity_record
from demos.similarity.nearest import NearestResult, Neighbour
from demos.similarity.task import SimilarityResult
from demos.tables import table_of
from model_core.interfaces import Rephrasing, TokenVerdict, WeightsInfo

FIRST_LABELS = 8  # shown at once; the others unfold
SHOWN_NUMBERS = 5  # of the lines that hold one text
FAINT = 0.02  # below it, a token that is not marked is drawn as plain text
COMPARE_EMPTY = views.notice(
    "写两句话，点“比一比”。 Write two sentences, press Compare."
)
NEAREST_EMPTY = views.notice(
    "写一句话，贴上要找的句子（或选一个文件），点“找”。 Write a sentence, paste lines "
    "(or choose a file), then press Search."
)
REPHRASE_EMPTY = views.notice(
    "写一句话，点“换个说法”。 Write a sentence, press Rephrase."
)
CLASSIFY_EMPTY = views.notice("写一段文字，点“判别”。 Write a text, press Judge.")
DETECT_EMPTY = views.notice("写一段文字，点“检查”。 Write a text, press Check.")
NOTHING_ELSE = (
    "写出来的都和原句一样；放宽 top-k、top-p，或换一句再试。",
    "Only the sentence itself was written: raise top-k or top-p, or try another.",
)
WAITING = views.waiting("答")
GLOSSES = {  # labels of well-known checkpoints, as their configs spell them
    "negative (stars 1, 2 and 3)": "差评（1–3 星）",
    "positive (stars 4 and 5)": "好评（4–5 星）",
    "mainland China politics": "内地时政",
    "Hong Kong - Macau politics": "港澳时政",
    "International news": "国际",
    "financial news": "财经",
    "culture": "文化",
    "entertainment": "娱乐",
    "sports": "体育",
    "Negative": "负面",
    "Positive": "正面",
    "CONTRADICTION": "矛盾",
    "NEUTRAL": "无关",
    "ENTAILMENT": "蕴含",
}


def compare_stream(result: SimilarityResult | None) -> str:
    """Draw how alike two sentences are as soon as it is known."""
    return WAITING if result is None else _cosine(result)


def compare_settle(result: SimilarityResult | None) -> str:
    """Draw it at the end of a run, with the download."""
    if result is None:
        return COMPARE_EMPTY
    actions = _actions(views.json_button("maskplay-similarity.json"))
    return views.result(similarity_record.to_record(result), _cosine(result) + actions)


def nearest_stream(result: NearestResult | None) -> str:
    """Draw the nearest lines so far, and how far the reading is."""
    return WAITING if result is None else _lines(result)


def nearest_settle(result: NearestResult | None) -> str:
    """Draw the nearest lines at the end of a run, with the downloads."""
    if result is None:
        return NEAREST_EMPTY
    actions = _actions(
        views.json_button("maskplay-nearest.json"),
        views.csv_button("maskplay-nearest.csv", csv_of(result)),
    )
    return views.result(nearest_record.to_record(result), _lines(result) + actions)


def csv_of(result: NearestResult) -> str:
    """Return the nearest lines as a table."""
    rows = (
        (rank, one.line.numbers[0], one.cosine, one.line.text)
        for rank, one in enumerate(result.neighbours, 1)
    )
    return table_of(("rank", "line", "cosine", "text"), rows)


def rephrase_stream(result: RephrasingResult | None) -> str:
    """Draw the sentences so far, and how many are written."""
    return WAITING if result is None else _rephrasings(result)


def rephrase_settle(result: RephrasingResult | None) -> str:
    """Draw the ranked sentences at the end of a run, with the downloads."""
    if result is None:
        return REPHRASE_EMPTY
    rows = (
        (rank, one.cosine, one.text) for rank, one in enumerate(result.rephrasings, 1)
    )
    actions = _actions(
        views.json_button("maskplay-rephrasings.json"),
        views.csv_button(
            "maskplay-rephrasings.csv", table_of(("rank", "cosine", "text"), rows)
        ),
    )
    record = rephrasing_record.to_record(result)
    return views.result(record, _rephrasings(result) + actions)


def classify_stream(result: ClassificationResult | None) -> str:
    """Draw the classes as soon as they are known."""
    return WAITING if result is None else _classes(result)


def classify_settle(result: ClassificationResult | None) -> str:
    """Draw the classes at the end of a run, with the downloads."""
    if result is None:
        return CLASSIFY_EMPTY
    actions = _actions(
        views.json_button("maskplay-classes.json"),
        views.csv_button(
            "maskplay-classes.csv", table_of(("label", "probability"), result.ranked)
        ),
    )
    return views.result(classification_record(result), _classes(result) + actions)


def detect_stream(result: DetectionResult | None) -> str:
    """Draw the text with what looks replaced as soon as it is known."""
    return WAITING if result is None else _marked(result)


def detect_settle(result: DetectionResult | None) -> str:
    """Draw the text at the end of a run, with the downloads."""
    if result is None:
        return DETECT_EMPTY
    rows = (
        (one.start, one.end, result.text_of(one), one.probability)
        for one in result.tokens
    )
    table = table_of(("start", "end", "text", "probability"), rows)
    actions = _actions(
        views.json_button("maskplay-replaced.json"),
        views.csv_button("maskplay-replaced.csv", table),
    )
    return views.result(detection_record(result), _marked(result) + actions)


def _cosine(result: SimilarityResult) -> str:
    return (
        '<article class="mp-card mp-sent-pair" role="status"><header>'
        f'<span class="mp-rank">余弦 Cosine</span></header>'
        f'<p class="mp-sent-cosine">{result.cosine:.3f}</p>{_bar(result.cosine)}'
        f"</article>{_cut(read_whole=result.read_whole)}{_signs(result)}"
        f"{_facts(result.weights, result.elapsed_seconds, result.pooling)}"
    )


def _signs(result: SimilarityResult) -> str:
    """Warn of what few vocabularies hold: there, all signs are one unknown."""
    texts = (result.request.text, result.request.text_b)
    if all(any(map(str.isalnum, text)) for text in texts):
        return ""
    return views.note(
        "有一句只有符号或表情，多半不在词表里，彼此分不开；这个余弦不作数。",
        "One sentence is signs or emoji alone; few vocabularies hold them, and those "
        "that are missing look the same: this cosine says nothing.",
    )


def _lines(result: NearestResult) -> str:
    rows = "".join(_line(rank, one) for rank, one in enumerate(result.neighbours, 1))
    notes = _progress(result)
    left = result.request.query[result.num_chars_read :].strip()
    cut = _cut(read_whole=not left)
    if result.num_cut:
        cut += views.note(
            f"有 {result.num_cut} 行太长，只读了开头。",
            f"{result.num_cut} lines were too long: only their beginning was read.",
        )
    facts = (
        ("行 lines", result.num_lines),
        ("去重后 distinct", result.num_distinct),
    )
    told = _facts(result.weights, result.elapsed_seconds, result.pooling, facts)
    return f'{notes}<ol class="mp-sent-lines">{rows}</ol>{cut}{told}'


def _rephrasings(result: RephrasingResult) -> str:
    frame, found = result.frame, result.rephrasings
    rows = "".join(_rephrasing(rank, one) for rank, one in enumerate(found, 1))
    told = _meter("写完", frame.num_written, frame.num_samples, "written")
    if result.finished:
        told = "" if found else views.note(*NOTHING_ELSE)
    facts = (
        ("写了 written", frame.num_samples),
        ("各不相同 distinct", frame.num_distinct if result.finished else "…"),
        ("种子 seed", frame.seed),
    )
    known = _facts(frame.weights, frame.elapsed_seconds, frame.pooling, facts)
    cut = _cut(read_whole=result.read_whole)
    return f'{told}<ol class="mp-sent-lines" role="status">{rows}</ol>{cut}{known}'


def _rephrasing(rank: int, one: Rephrasing) -> str:
    cosine = "…" if one.cosine is None else f"{one.cosine:.3f}"
    return (
        f'<li><b class="mp-rank">{rank}</b><bdi>{escape(one.text)}</bdi>'
        f"{_bar(one.cosine or 0.0)}<span>{cosine}</span></li>"
    )


def _line(rank: int, one: Neighbour) -> str:
    numbers = one.line.numbers
    shown = "、".join(map(str, numbers[:SHOWN_NUMBERS]))
    more = "…" if len(numbers) > SHOWN_NUMBERS else ""
    return (
        f'<li><b class="mp-rank">{rank}</b><bdi>{escape(one.line.text)}</bdi>'
        f"{_bar(one.cosine)}<span>{one.cosine:.3f}</span>"
        f"<small>第 {shown}{more} 行 line</small></li>"
    )


def _progress(result: NearestResult) -> str:
    if result.finished:
        return ""
    return _meter("读了", result.num_read, result.num_distinct, "read")


def _meter(zh: str, done: int, total: int, en: str) -> str:
    return (
        f'<p class="mp-sent-progress">{zh} {done} / {total} 句 {en} '
        f'<progress max="{total}" value="{done}"></progress></p>'
    )


def _classes(result: ClassificationResult) -> str:
    rows = [_class(result, label, share) for label, share in result.ranked]
    first, others = "".join(rows[:FIRST_LABELS]), rows[FIRST_LABELS:]
    folded = (
        f'<details class="mp-more-labels"><summary>另外 {len(others)} 类 '
        f'{len(others)} more classes</summary><ol class="mp-tallies">'
        f"{''.join(others)}</ol></details>"
    )
    return (
        f'<ol class="mp-tallies" role="status">{first}</ol>{folded if others else ""}'
        f"{_cut(read_whole=result.read_whole)}"
        f"{_facts(result.weights, result.elapsed_seconds)}"
    )


def _class(result: ClassificationResult, label: str, share: float) -> str:
    best = " mp-best" if label == result.label else ""
    gloss = GLOSSES.get(label)
    named = escape(label) if gloss is None else f"{gloss}<small>{escape(label)}</small>"
    return (
        f'<li class="mp-tally{best}" style="--share:{share:.4f}"><b>{named}</b>'
        f"<i></i><span>{share:.1%}</span></li>"
    )


def _marked(result: DetectionResult) -> str:
    text, pieces, done = result.request.text, [], 0
    faintest = min(FAINT, result.request.threshold)
    for token in result.tokens:
        if token.probability < faintest:
            continue
        pieces += [escape(text[done : token.start]), _token(result, token)]
        done = token.end
    read = escape(text[done : result.num_chars_read])
    unread = escape(text[max(done, result.num_chars_read) :])
    rest = f'<span class="mp-sent-unread">{unread}</span>' if unread.strip() else unread
    count = len(result.replaced)
    said = (
        f"标出 {count} 处 {count} marked" if count else "没有像换过的字 nothing marked"
    )
    return (
        f'<article class="mp-card" role="status"><header>{views.badge(said)}</header>'
        f'<p class="mp-text mp-sent-text">{"".join(pieces)}{read}{rest}</p></article>'
        f"{_cut(read_whole=result.read_whole)}"
        f"{_facts(result.weights, result.elapsed_seconds)}"
    )


def _token(result: DetectionResult, token: TokenVerdict) -> str:
    marked = token.probability >= result.request.threshold
    tag, kind = ("mark", "mp-replaced") if marked else ("span", "mp-suspect")
    return (
        f'<{tag} class="{kind}" style="--share:{token.probability:.3f}" '
        f'title="{token.probability:.1%}">{escape(result.text_of(token))}</{tag}>'
    )


def _bar(cosine: float) -> str:
    return f'<i class="mp-sent-bar" style="--share:{max(0.0, cosine):.4f}"></i>'


def _cut(*, read_whole: bool) -> str:
    if read_whole:
        return ""
    return views.note(
        "太长，只读了放得下的开头部分。", "Too long: only the beginning was read."
    )


def _facts(
    weights: WeightsInfo,
    seconds: float,
    pooling: str = "",
    more: Sequence[tuple[str, object]] = (),
) -> str:
    pooled = [("取向量 pooling", pooling)] if pooling else []
    return views.facts(
        (
            ("权重 weights", name_of(weights)),
            *pooled,
            *more,
            ("用时 time", f"{seconds * 1000:.0f} ms"),
        )
    )


def _actions(*buttons: str) -> str:
    return f'<div class="mp-actions">{"".join(buttons)}</div>'
