"""Strict F1 of triples: all three strings equal, counted over all texts together.

Changes when a triple counts as right on other terms. Types and offsets do not count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recipes.metrics.accuracy import balance

Strings = tuple[str, str, str]  # subject, predicate, object


@dataclass(frozen=True, slots=True)
class TripleScore:
    """Micro precision, recall and F1, 0..1."""

    precision: float
    recall: float
    f1: float


def strict_f1(
    gold: Sequence[Iterable[Strings]], predicted: Sequence[Iterable[Strings]]
) -> TripleScore:
    """Compare the distinct triples of every text.

    Args:
        gold: (num_texts,), the triples of each.
        predicted: (num_texts,).
    """
    num_gold = num_mine = num_right = 0
    for theirs, mine in zip(map(set, gold), map(set, predicted), strict=True):
        num_gold += len(theirs)
        num_mine += len(mine)
        num_right += len(theirs & mine)
    precision = num_right / num_mine if num_mine else 0.0
    recall = num_right / num_gold if num_gold else 0.0
    return TripleScore(precision, recall, balance(precision, recall))
