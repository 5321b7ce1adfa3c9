"""From the log-probabilities of words to a label: softmax, the best, counts of hits.

Changes when labels are chosen or counted in another way. Numbers in, numbers out.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Z95 = 1.96  # standard normal quantile of a two-sided 95 % interval


def probabilities_of(
    labels: Sequence[str], log_probs: Sequence[float]
) -> dict[str, float]:
    """Return the softmax over labels; it sums to 1 and no order of labels changes it.

    Args:
        labels: (num_labels,).
        log_probs: Nats, (num_labels,).
    """
    top = max(log_probs)
    weights = [math.exp(log_prob - top) for log_prob in log_probs]
    total = math.fsum(weights)  # exact, so the same in any order
    return {
        label: weight / total for label, weight in zip(labels, weights, strict=True)
    }


def best_of(probabilities: Mapping[str, float]) -> str:
    """Return the most probable label; of equals the first by name."""
    return min(probabilities, key=lambda label: (-probabilities[label], label))


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each label was taken for which.

    Attributes:
        labels: In display order.
        counts: Lines by their label (row) and by the answer (column).
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> int:
        """Lines counted."""
        return sum(map(sum, self.counts))

    @property
    def correct(self) -> int:
        """Lines whose answer was their label."""
        return sum(row[place] for place, row in enumerate(self.counts))

    @property
    def accuracy(self) -> float:
        """Share of correct lines, 0 where there are none."""
        return self.correct / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy lies with 95 % certainty (Wilson 1927)."""
        if not self.total:
            return 0.0, 1.0
        n, p = self.total, self.accuracy
        middle = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
        reach = math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n)) / (1 + Z95**2 / n)
        return max(0.0, middle - Z95 * reach), min(1.0, middle + Z95 * reach)

    @property
    def majority(self) -> float:
        """What one gets by always answering the most frequent label."""
        return max(map(sum, self.counts)) / self.total if self.total else 0.0

    @property
    def confusions(self) -> tuple[tuple[str, str, int], ...]:
        """Wrong answers as (label, answer, lines), most frequent first."""
        found = [
            (label, answer, self.counts[row][column])
            for row, label in enumerate(self.labels)
            for column, answer in enumerate(self.labels)
            if row != column and self.counts[row][column]
        ]
        return tuple(sorted(found, key=lambda one: -one[2]))


def tally(
    labels: Sequence[str], truths: Iterable[str], answers: Iterable[str]
) -> Tally:
    """Count the answers to lines whose labels are known."""
    pairs = Counter(zip(truths, answers, strict=True))
    counts = tuple(tuple(pairs[truth, answer] for answer in labels) for truth in labels)
    return Tally(tuple(labels), counts)
