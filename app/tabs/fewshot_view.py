"""Draw a classification as HTML. Pure: a result in, HTML out.

Changes when the result of the classification tab looks different.
"""

from dataclasses import dataclass

from app import views
from app.views import escape
from demos.fewshot.record import to_record
from demos.fewshot.task import FewshotResult
from demos.records import name_of
from demos.tables import table_of
from model_core.interfaces import LearningFrame

FIRST_LABELS = 8  # shown at once; the others unfold
SIDE_CHARS = 90  # of a long text, kept on either end of what is left out
ELLIPSIS = " …… "
JSON_NAME = "maskplay-label.json"
CSV_NAME = "maskplay-label.csv"
EMPTY = views.notice(
    "写下文本，选好标签和句式，点“分类”。 Write a text, choose labels and a pattern, "
    "then press Classify."
)
WAITING = views.waiting("答")
MIXED_ZH = "词长不一：按每个词元的平均对数概率比较，长词不吃亏，但也不完全公平。"
MIXED_EN = (
    "The words differ in length: they are compared by mean log-probability per token."
)
LEARNED_BADGE = views.badge("学过的权重 learned", "done")


@dataclass(frozen=True, slots=True)
class Answer:
    """A result and who gave it.

    Attributes:
        result: What came back.
        learned: Whether the visitor's own learned weights answered.
    """

    result: FewshotResult
    learned: bool = False


def stream(answer: Answer | None) -> str:
    """Draw an answer as soon as there is one."""
    return WAITING if answer is None else _sheet(answer)


def settle(answer: Answer | None) -> str:
    """Draw an answer at the end of its run, with copy and downloads."""
    if answer is None:
        return EMPTY
    actions = (
        f'<div class="mp-actions">{views.json_button(JSON_NAME)}'
        f"{csv_button(answer.result)}</div>"
    )
    return views.result(record_of(answer), _sheet(answer) + actions)


def record_of(answer: Answer) -> dict[str, object]:
    """Return what is downloaded: what was asked, the result, and who gave it."""
    request = answer.result.request
    asked = {"labels": request.words, "pattern": request.pattern}
    return {**asked, **to_record(answer.result), "learned": answer.learned}


def answer_of(result: FewshotResult) -> dict[str, object]:
    """Return the result as an HTTP client receives it."""
    return {**to_record(result), "learning": _progress_of(result.learning)}


def csv_button(result: FewshotResult) -> str:
    """Return a button that saves the labels as a table, without the server."""
    words = result.request.words
    rows = ((label, words[label], share) for label, share in ranked(result))
    table = table_of(("label", "word", "probability"), rows)
    return views.csv_button(CSV_NAME, table)


def ranked(result: FewshotResult) -> list[tuple[str, float]]:
    """Return labels and probabilities, best first; equals by name."""
    return sorted(result.probabilities.items(), key=lambda one: (-one[1], one[0]))


def _progress_of(frame: LearningFrame | None) -> dict[str, object] | None:
    if frame is None:
        return None
    loss = frame.losses[-1] if frame.losses else None
    return {"step": frame.step, "num_steps": frame.num_steps, "loss": loss}


def _sheet(answer: Answer) -> str:
    result = answer.result
    if not result.finished:
        return WAITING
    mixed = views.note(MIXED_ZH, MIXED_EN) if result.mixes_lengths else ""
    badge = LEARNED_BADGE if answer.learned else ""
    return f"{_filled(result, badge)}{_bars(result)}{mixed}{_facts(result)}"


def _filled(result: FewshotResult, badge: str) -> str:
    """Draw the sentence with the word in its blank."""
    sentence = result.request.sentence
    share = result.probabilities[result.label]
    return (
        f'<article class="mp-card mp-filled" data-mp-text="{escape(result.filled)}">'
        f'<header><span class="mp-rank">{escape(result.label)}</span>'
        f"{views.badge(f'{share:.1%}')}{badge}"
        f"{views.button('copy', '复制 Copy')}</header>"
        f'<p class="mp-text" title="{escape(result.filled)}">'
        f"{escape(shortened(sentence.before))}"
        f'<mark class="mp-word">{escape(result.word)}</mark>'
        f"{escape(shortened(sentence.after))}</p></article>"
    )


def shortened(side: str) -> str:
    """Return a side of the sentence, both its ends where it is long."""
    if len(side) <= 2 * SIDE_CHARS + len(ELLIPSIS):
        return side
    return side[:SIDE_CHARS] + ELLIPSIS + side[-SIDE_CHARS:]


def _bars(result: FewshotResult) -> str:
    rows = [_bar(result, label, share) for label, share in ranked(result)]
    first, others = "".join(rows[:FIRST_LABELS]), rows[FIRST_LABELS:]
    return f'<ol class="mp-tallies">{first}</ol>{_folded(others, len(others))}'


def _folded(rows: list[str], number: int) -> str:
    if not rows:
        return ""
    return (
        f'<details class="mp-more-labels"><summary>另外 {number} 个标签 '
        f'{number} more labels</summary><ol class="mp-tallies">{"".join(rows)}</ol>'
        "</details>"
    )


def _bar(result: FewshotResult, label: str, share: float) -> str:
    word = result.request.words[label]
    best = " mp-best" if label == result.label else ""
    said = "" if word == label else f"<small>{escape(word)}</small>"
    return (
        f'<li class="mp-tally{best}" style="--share:{share:.4f}">'
        f"<b>{escape(label)}{said}</b><i></i><span>{share:.1%}</span></li>"
    )


def _facts(result: FewshotResult) -> str:
    seconds = f"{result.elapsed_seconds * 1000:.0f} ms"
    return views.facts(
        (("权重 weights", name_of(result.weights)), ("用时 time", seconds))
    )
