"""Single examples beside what was said to them, and which of them are the worst.

Changes when an example is shown with another part. Pure: no model, no file.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from recipes.evaluate_tasks import Answered
from recipes.scoring import SCORES
from recipes.task_files import evenly_spaced
from recipes.tasks_data import FewshotExample, KgFact, QaExample, TriplesExample

WORST, BEST = 3, 2
RIGHT, WRONG = 1.0, 0.0
NOTHING = "（没有 none）"
AROUND_ANSWER = 24  # characters of a passage before its answer
# The first score that an example has says how well it was answered.
WORTH: dict[str, tuple[str, ...]] = {
    "title": ("rouge_l",),
    "triples": ("f1",),
    "qa": ("f1", "yes_no_accuracy", "no_answer_accuracy"),
    "kgqa": ("f1",),
    "fewshot": ("accuracy",),
    "summary": ("spaces",),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One example for people.

    Attributes:
        asked: What the model was given.
        gold: What is right.
        said: What the model said.
        worth: How well, 0..1.
    """

    asked: str
    gold: str
    said: str
    worth: float


def shown(answers: Answered, mode: str) -> tuple[Shown, ...]:
    """Return every example with what one mode said to it, in order."""
    task = answers.data.task
    return tuple(
        Shown(
            ASKED[task](example),
            GOLD[task](example) or NOTHING,
            SAID.get(task, str)(said) or NOTHING,
            worth(task, example, said),
        )
        for example, said in zip(
            answers.data.examples, answers.answers[mode], strict=True
        )
    )


def mode_shown(modes: Sequence[str]) -> str:
    """Return the mode to look at: one that learned or wrote, else the first."""
    later = [mode for mode in modes if mode in ("few_shot", "full")]
    return (later or list(modes))[0]


def worth(task: str, example: Any, said: Any) -> float:
    """Return how well one example was answered, 0..1."""
    scores = SCORES[task]([example], [said])
    return next(scores[name] for name in WORTH[task] if name in scores)


def worst(examples: Sequence[Shown], count: int = WORST) -> tuple[Shown, ...]:
    """Return the worst of those that are not right, spread over equals."""
    failed = [one for one in examples if one.worth < RIGHT]
    return _first(failed, lambda one: one.worth, count)


def best(examples: Sequence[Shown], count: int = BEST) -> tuple[Shown, ...]:
    """Return the best of those that are not wrong, spread over equals."""
    good = [one for one in examples if one.worth > WRONG]
    return _first(good, lambda one: -one.worth, count)


def _first(
    examples: Sequence[Shown], key: Callable[[Shown], float], count: int
) -> tuple[Shown, ...]:
    """Return the first by a key; where only some of equals fit, not just early ones."""
    ordered = sorted(examples, key=key)
    if len(ordered) <= count:
        return tuple(ordered)
    edge = key(ordered[count - 1])
    before = [one for one in ordered if key(one) < edge]
    equals = [one for one in ordered if key(one) == edge]
    return (*before, *evenly_spaced(equals, count - len(before)))


def _question(example: QaExample) -> str:
    """Return the question and the passage from a little before the answer."""
    first = example.answers[0].start if example.answers else 0
    start = max(0, first - AROUND_ANSWER)
    cut = "……" if start else ""
    return f"{example.question} ▸ {cut}{example.passage[start:]}"


def _answers(example: QaExample) -> str:
    return example.yes_no or " / ".join(
        dict.fromkeys(answer.text for answer in example.answers)
    )


def _pair(example: FewshotExample) -> str:
    return f"{example.text} ▸ {example.text_b}" if example.text_b else example.text


def _strings(example: TriplesExample) -> Iterator[tuple[str, str, str]]:
    return ((one.subject, one.predicate, one.object) for one in example.triples)


def _triples(triples: Any) -> str:
    return "；".join("·".join(one) for one in triples)


def _fact(fact: KgFact) -> str:
    meaning = f"（{fact.meaning}）" if fact.meaning else ""
    return f"{fact.subject}{meaning}·{fact.predicate}·{fact.object}"


ASKED: dict[str, Callable[[Any], str]] = {
    "title": lambda example: str(example.text),
    "triples": lambda example: str(example.text),
    "qa": _question,
    "kgqa": lambda example: str(example.question),
    "fewshot": _pair,
    "summary": lambda example: str(example.text),
}
GOLD: dict[str, Callable[[Any], str]] = {
    "title": lambda example: str(example.title),
    "triples": lambda example: _triples(_strings(example)),
    "qa": _answers,
    "kgqa": lambda example: _fact(example.fact),
    "fewshot": lambda example: str(example.label),
    "summary": lambda example: str(example.summary),
}
SAID: dict[str, Callable[[Any], str]] = {"triples": _triples, "kgqa": _fact}
