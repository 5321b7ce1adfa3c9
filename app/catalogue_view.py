"""Draw what is known of weights before they come: size, licence, what they are for.

Changes when the catalogue shows another fact. Pure: values in, HTML out.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from app import views
from app.views import escape
from model_core.interfaces import ModelFacts, ModelState

Labels = Mapping[str, str]
"""What a task's tab is called, by the task's name."""


def card_html(facts: ModelFacts, labels: Labels) -> str:
    """Draw one set of weights as a card.

    Args:
        facts: What is known of them.
        labels: The tabs.
    """
    return (
        f'<div class="mp-known"><div class="mp-state-head"><strong>'
        f"{escape(facts.title)}</strong><code>{escape(facts.name)}</code></div>"
        f"{facts_line(facts, labels)}{_note(facts)}{_warning(facts)}</div>"
    )


def facts_line(facts: ModelFacts, labels: Labels) -> str:
    """Draw the facts as one line; those that are not known are said to be so."""
    served = (labels[task] for task in facts.tasks if task in labels)
    pairs = (
        ("家族 family", facts.family),
        ("下载 download", _on_disk(facts)),
        ("内存 memory", _about(facts.memory_bytes)),
        ("许可 licence", facts.license or "见其页面 see its page"),
        ("用于 for", "、".join(served)),
    )
    return views.facts((name, value) for name, value in pairs if value)


def _on_disk(facts: ModelFacts) -> str:
    return "已在本机 here" if facts.is_here else _about(facts.disk_bytes)


def _about(num_bytes: int) -> str:
    return f"≈ {views.size(num_bytes)}" if num_bytes else ""


def _note(facts: ModelFacts) -> str:
    return f'<p class="mp-quiet">{escape(facts.note)}</p>' if facts.note else ""


def _warning(facts: ModelFacts) -> str:
    """Say before the download that they would not fit."""
    if not facts.budget_bytes or facts.memory_bytes <= facts.budget_bytes:
        return ""
    most = views.size(facts.budget_bytes)
    return views.note(
        f"超过这里给模型的 {most} 内存，不会载入：请选小一些的，或以更大的 "
        "--memory-gb 重新启动。",
        f"More than the {most} of memory that models may take here, so it will not "
        "load: choose smaller weights, or start with a larger --memory-gb.",
    )


def matching(
    states: Iterable[ModelState],
    facts: Mapping[str, ModelFacts],
    labels: Labels,
    query: str,
) -> list[ModelState]:
    """Return the models whose facts hold every word of a search.

    Args:
        states: The models, in display order.
        facts: What the catalogue knows of them, by name.
        labels: The tabs.
        query: Words with spaces between them; none finds everything.
    """
    words = _folded(query).split()
    return [
        state
        for state in states
        if _holds(_searched(state, facts.get(state.name), labels), words)
    ]


def _holds(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)


def _searched(state: ModelState, facts: ModelFacts | None, labels: Labels) -> str:
    """Return what a search looks at."""
    parts = [state.name, state.title]
    if facts is not None:
        parts += [facts.family, facts.license, facts.note]
        parts += [labels.get(task, task) for task in facts.tasks]
    return _folded(" ".join(parts))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
