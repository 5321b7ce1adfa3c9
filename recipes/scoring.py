"""Each task's scores from examples and predictions.

Changes when a task reports another figure. Pure: no model, no file. All are shares,
0..1, rounded to four digits.
"""

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from recipes.metrics import reading
from recipes.metrics.accuracy import accuracy
from recipes.metrics.rouge import rouge
from recipes.metrics.triples import Strings, strict_f1
from recipes.tasks_data import (
    FewshotExample,
    KgExample,
    KgFact,
    QaExample,
    SummaryExample,
    TitleExample,
    TriplesExample,
)

Scores = dict[str, float]
# What a reader may say to a question of yes or no.
YES_NO_WORDS = {
    "YES": ("是", "是的", "yes"),
    "NO": ("否", "不是", "没有", "no"),
}


def score_title(examples: Sequence[TitleExample], predictions: Sequence[str]) -> Scores:
    """Return the mean Rouge F1 by characters."""
    return _mean_rouge([e.title for e in examples], predictions)


def score_summary(
    examples: Sequence[SummaryExample], predictions: Sequence[str]
) -> Scores:
    """Return the mean Rouge F1 by characters and SPACES' mean of the three."""
    return _mean_rouge([e.summary for e in examples], predictions, spaces=True)


def score_qa(examples: Sequence[QaExample], predictions: Sequence[str]) -> Scores:
    """Return CMRC 2018's EM and F1, and the decisions on their own.

    ``exact_match`` and ``f1`` count questions whose answer is a span; ``no_answer_*``
    the decision that there is none ("" is that answer) over spans and unanswerable
    questions; ``yes_no_accuracy`` the words of yes and no.
    """
    pairs = list(zip(examples, predictions, strict=True))
    spans = [(_texts(e), p) for e, p in pairs if e.kind == "span"]
    yes_no = [p.strip().lower() in YES_NO_WORDS[e.yes_no] for e, p in pairs if e.yes_no]
    empty = [(e.kind == "unanswerable", not p) for e, p in pairs if not e.yes_no]
    scores = {}
    if spans:
        scores["exact_match"] = fmean(reading.exact_match(a, p) for a, p in spans)
        scores["f1"] = fmean(reading.f1(a, p) for a, p in spans)
    if any(unanswerable for unanswerable, _ in empty):
        told = reading.no_answer([u for u, _ in empty], [p for _, p in empty])
        scores["no_answer_accuracy"] = told.accuracy
        scores["no_answer_precision"] = told.precision
        scores["no_answer_recall"] = told.recall
        scores["no_answer_f1"] = told.f1
    if yes_no:
        scores["yes_no_accuracy"] = fmean(yes_no)
    return _rounded(scores)


def score_triples(
    examples: Sequence[TriplesExample], predictions: Sequence[Sequence[Strings]]
) -> Scores:
    """Return strict micro precision, recall and F1."""
    gold = [[(t.subject, t.predicate, t.object) for t in e.triples] for e in examples]
    score = strict_f1(gold, predictions)
    return _rounded(
        {"precision": score.precision, "recall": score.recall, "f1": score.f1}
    )


def score_kgqa(examples: Sequence[KgExample], predictions: Sequence[KgFact]) -> Scores:
    """Return the share of right keys, of their parts, and EM and F1 of the answers."""
    gold = [example.fact for example in examples]
    pairs = list(zip(gold, predictions, strict=True))
    return _rounded(
        {
            "key_accuracy": accuracy(
                [(f.subject, f.meaning, f.predicate) for f in gold],
                [(f.subject, f.meaning, f.predicate) for f in predictions],
            ),
            "subject_accuracy": accuracy(
                [f.subject for f in gold], [f.subject for f in predictions]
            ),
            "predicate_accuracy": accuracy(
                [f.predicate for f in gold], [f.predicate for f in predictions]
            ),
            "exact_match": fmean(
                reading.exact_match([g.object], p.object) for g, p in pairs
            ),
            "f1": fmean(reading.f1([g.object], p.object) for g, p in pairs),
        }
    )


def score_fewshot(
    examples: Sequence[FewshotExample], predictions: Sequence[str]
) -> Scores:
    """Return the share of right labels."""
    return _rounded({"accuracy": accuracy([e.label for e in examples], predictions)})


SCORES: dict[str, Callable[[Sequence[Any], Sequence[Any]], Scores]] = {
    "title": score_title,
    "triples": score_triples,
    "qa": score_qa,
    "kgqa": score_kgqa,
    "fewshot": score_fewshot,
    "summary": score_summary,
}


def _mean_rouge(
    references: Sequence[str], texts: Sequence[str], *, spaces: bool = False
) -> Scores:
    pairs = [rouge(r, t) for r, t in zip(references, texts, strict=True)]
    scores = {
        "rouge_1": fmean(pair.rouge_1 for pair in pairs),
        "rouge_2": fmean(pair.rouge_2 for pair in pairs),
        "rouge_l": fmean(pair.rouge_l for pair in pairs),
    }
    if spaces:
        scores["spaces"] = fmean(pair.spaces for pair in pairs)
    return _rounded(scores)


def _texts(example: QaExample) -> list[str]:
    return [answer.text for answer in example.answers]


def _rounded(scores: Scores) -> Scores:
    return {name: round(value, 4) for name, value in scores.items()}
