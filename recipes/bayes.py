"""Naive Bayes over the character bigrams that a text has.

Changes when texts are told apart by other counts. Pure numpy; a table of texts is made
once and learned from many times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recipes.metrics.rouge import characters

SMOOTHING = 1.0
UNLABELLED = -1

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class BigramTable:
    """Which text has which bigram, each pair once.

    Attributes:
        num_texts: Number of texts.
        num_bigrams: Number of columns.
        rows: Text of every pair, int64 (num_pairs,).
        columns: Bigram of every pair, int64 (num_pairs,).
    """

    num_texts: int
    num_bigrams: int
    rows: Ints
    columns: Ints

    def counts(self) -> Floats:
        """Return how many bigrams each text has, at least 1, float64 (num_texts,)."""
        return np.bincount(self.rows, minlength=self.num_texts).clip(1).astype(float)


@dataclass(frozen=True, slots=True, eq=False)
class NaiveBayes:
    """What is known of each label.

    Attributes:
        log_priors: float64 (num_labels,).
        log_probs: Of a bigram given the label, 0 for one that no labelled text had,
            float64 (num_labels, num_bigrams).
    """

    log_priors: Floats
    log_probs: Floats

    def scores(self, table: BigramTable) -> Floats:
        """Return log-probabilities but for a constant, (num_texts, num_labels)."""
        sums = [
            np.bincount(table.rows, weights[table.columns], table.num_texts)
            for weights in self.log_probs
        ]
        return np.stack(sums, axis=1) + self.log_priors


def bigrams(text: str) -> frozenset[str]:
    """Return the character bigrams of a text, its two ends marked."""
    marked = f"\n{characters(text)}\n"
    return frozenset(marked[i : i + 2] for i in range(len(marked) - 1))


def number_bigrams(texts: Sequence[str]) -> dict[str, int]:
    """Number all bigrams of the texts, in the order of the alphabet."""
    return {b: i for i, b in enumerate(sorted(set().union(*map(bigrams, texts))))}


def tabulate(texts: Sequence[str], numbers: Mapping[str, int]) -> BigramTable:
    """Return which text has which of the numbered bigrams."""
    pairs = [
        (row, numbers[bigram])
        for row, text in enumerate(texts)
        for bigram in bigrams(text)
        if bigram in numbers
    ]
    rows, columns = np.array(pairs, "int64").reshape(-1, 2).T
    return BigramTable(len(texts), len(numbers), rows, columns)


def learn(table: BigramTable, labels: Ints, num_labels: int) -> NaiveBayes:
    """Count bigrams per label.

    Args:
        table: All texts.
        labels: Label of every text, ``UNLABELLED`` to leave it out, (num_texts,).
        num_labels: Number of labels.

    Raises:
        ValueError: No text has a label.
    """
    if not (labels != UNLABELLED).any():
        raise ValueError("expected labelled texts to learn from, received none")
    sizes = np.array([(labels == label).sum() for label in range(num_labels)])
    of_pair = labels[table.rows]
    counts = np.stack(
        [
            np.bincount(table.columns[of_pair == label], minlength=table.num_bigrams)
            for label in range(num_labels)
        ]
    )
    smooth = counts + SMOOTHING
    log_probs = np.log(smooth / smooth.sum(axis=1, keepdims=True))
    log_probs[:, counts.sum(axis=0) == 0] = 0.0
    with np.errstate(divide="ignore"):
        return NaiveBayes(np.log(sizes / sizes.sum()), log_probs)
