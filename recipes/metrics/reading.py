"""Exact match and F1 by the rules of CMRC 2018, and how well "no answer" is told.

Changes when those rules change (github.com/ymcui/cmrc2018, ``cmrc2018_evaluate.py``):
lower case, a fixed list of marks removed, Chinese by characters and the rest by words,
F1 over the longest run that both sides share, the best of the gold answers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from recipes.metrics.accuracy import accuracy, balance

# The list of the official script: no ‘ and no … in it, and no half-width comma.
MARKS = frozenset("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
_HAN = "\u4e00-\u9fa5"
_PIECES = re.compile(rf"[{_HAN}]|[^{_HAN}]+")
# Words as the Penn Treebank cuts them: marks stand alone, a comma or a stop inside a
# number or an abbreviation does not, a stop that ends the text does; it's is two words.
_LAST_STOP = r"""\.(?=[\])}>"'»]*\s*$)"""
_ENDING = r"'(?:s|m|d|ll|re|ve)\b"
_INSIDE = (
    r"""(?:[^\s;@#$%&?!\[\](){}<>",.«»‘„'–—]"""
    rf"""|,(?=\d)|(?!{_LAST_STOP})\.(?!\.)|(?!{_ENDING})'(?!'|\s|$))"""
)
_WORDS = re.compile(
    rf"\.{{2,}}|''|n't\b|{_ENDING}|{_LAST_STOP}|{_INSIDE}+?(?=n't\b)|{_INSIDE}+|\S"
)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """How well questions without an answer are told, 0..1.

    Attributes:
        accuracy: Of the decision, over all questions.
        precision: Of the questions left without an answer, those that have none.
        recall: Of the questions that have none, those left without an answer.
        f1: Of the two.
    """

    accuracy: float
    precision: float
    recall: float
    f1: float


def exact_match(answers: Sequence[str], prediction: str) -> float:
    """Return 1 where the prediction equals an answer but for case and marks."""
    return float(any(without_marks(a) == without_marks(prediction) for a in answers))


def f1(answers: Sequence[str], prediction: str) -> float:
    """Return the best F1 over the answers.

    Args:
        answers: At least one.
        prediction: The reader's answer.
    """
    mine = segments(prediction)
    return max(_run_f1(segments(answer), mine) for answer in answers)


def without_marks(text: str) -> str:
    """Return a text as exact match compares it."""
    return "".join(c for c in text.lower().strip() if c not in MARKS)


def segments(text: str) -> list[str]:
    """Cut a text into Chinese characters and words of other scripts, marks removed."""
    found: list[str] = []
    for piece in _PIECES.findall(without_marks(text)):
        found += _WORDS.findall(piece)
    return found


def longest_common_run(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest run of segments that stands in both."""
    best, before = 0, [0] * (len(second) + 1)
    for segment in first:
        row = [0]
        for place, other in enumerate(second):
            row.append(before[place] + 1 if segment == other else 0)
        best, before = max(best, *row), row
    return best


def no_answer(unanswerable: Sequence[bool], left_empty: Sequence[bool]) -> NoAnswer:
    """Score the decision that there is no answer.

    Args:
        unanswerable: (num_questions,), whether a question has no answer.
        left_empty: (num_questions,), whether the reader gave none.
    """
    both = sum(u and e for u, e in zip(unanswerable, left_empty, strict=True))
    precision = both / sum(left_empty) if any(left_empty) else 0.0
    recall = both / sum(unanswerable) if any(unanswerable) else 0.0
    right = accuracy(unanswerable, left_empty)
    return NoAnswer(right, precision, recall, balance(precision, recall))


def _run_f1(gold: Sequence[str], mine: Sequence[str]) -> float:
    run = longest_common_run(gold, mine)
    return balance(run / len(mine), run / len(gold)) if run else 0.0
