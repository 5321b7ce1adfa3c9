"""Praise or complaint: labels for short reviews that have none.

Changes when reviews are labelled differently. Learns from the labelled lines of
FewCLUE's eprstmt, then one round from its unlabelled ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recipes.bayes import (
    UNLABELLED,
    BigramTable,
    Floats,
    Ints,
    learn,
    number_bigrams,
    tabulate,
)
from recipes.labelling.splits import Splits

NAMES = ("Negative", "Positive")
TRUSTED_SHARE = 0.5  # of the unlabelled texts, the surest, teach the second round
CONFIDENCE = 0.95
FOLDS = 10


@dataclass(frozen=True, slots=True, eq=False)
class SentimentLabeller:
    """Labels texts.

    Attributes:
        numbers: Bigram to column.
        log_odds: Of praise, float64 (num_bigrams,).
        scale: Turns a text's mean log-odds into those of its label.
    """

    numbers: Mapping[str, int]
    log_odds: Floats
    scale: float

    def probability(self, texts: Sequence[str]) -> Floats:
        """Return the probability of praise, float64 (num_texts,)."""
        margins = _margins(tabulate(texts, self.numbers), self.log_odds)
        return _probability(margins * self.scale)

    def label(
        self, texts: Sequence[str], confidence: float = CONFIDENCE
    ) -> list[str | None]:
        """Return ``Positive``, ``Negative``, or None for a text it is not sure of."""
        return [
            NAMES[int(p > 1 - p)] if max(p, 1 - p) > confidence else None
            for p in self.probability(texts)
        ]


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """How good labels are on lines that were not learned from, 0..1.

    Attributes:
        examples: Number of labelled lines.
        accuracy_before: Without the round of self-training.
        accuracy: With it.
        confident_share: Lines that get a label.
        confident_accuracy: Of those.
        scale: What the margins must be multiplied by to be log-odds.
    """

    examples: int
    accuracy_before: float
    accuracy: float
    confident_share: float
    confident_accuracy: float
    scale: float


def learn_sentiment(reviews: Splits) -> SentimentLabeller:
    """Learn from all reviews; the scale comes from cross-validation."""
    scale = cross_validate(reviews).scale
    numbers, labelled, unlabelled, labels = _tables(reviews)
    log_odds = _learn_twice(labelled, labels, unlabelled)
    return SentimentLabeller(numbers, log_odds, scale)


def cross_validate(reviews: Splits, folds: int = FOLDS) -> CrossValidation:
    """Learn from all folds but one and label that one, in turn."""
    _, labelled, unlabelled, labels = _tables(reviews)
    fold = np.random.default_rng(0).permutation(len(labels)) % folds
    before, after = np.zeros(len(labels)), np.zeros(len(labels))
    for held in range(folds):
        rest = np.where(fold == held, UNLABELLED, labels)
        here = fold == held
        before[here] = _margins(labelled, _learn_once(labelled, rest))[here]
        log_odds = _learn_twice(labelled, rest, unlabelled)
        after[here] = _margins(labelled, log_odds)[here]
    signed = after * np.where(labels == 1, 1, -1)
    scale = _fit_scale(signed)
    sure = _probability(np.abs(after) * scale) > CONFIDENCE
    return CrossValidation(
        len(labels),
        round(float(((before > 0) == labels).mean()), 4),
        round(float((signed > 0).mean()), 4),
        round(float(sure.mean()), 4),
        round(float((signed[sure] > 0).mean()), 4) if sure.any() else 0.0,
        scale,
    )


def _tables(
    reviews: Splits,
) -> tuple[dict[str, int], BigramTable, BigramTable, Ints]:
    texts = [example.text for example in reviews.labelled]
    numbers = number_bigrams([*texts, *reviews.unlabelled])
    labels = [NAMES.index(example.label) for example in reviews.labelled]
    return (
        numbers,
        tabulate(texts, numbers),
        tabulate(reviews.unlabelled, numbers),
        np.array(labels, "int64"),
    )


def _learn_once(table: BigramTable, labels: Ints) -> Floats:
    """Return every bigram's log-odds of praise, float64 (num_bigrams,)."""
    negative, positive = learn(table, labels, len(NAMES)).log_probs
    return np.asarray(positive - negative)


def _learn_twice(table: BigramTable, labels: Ints, unlabelled: BigramTable) -> Floats:
    """Learn, label the unlabelled texts, and learn from the surest of them too."""
    margins = _margins(unlabelled, _learn_once(table, labels))
    floor = np.quantile(np.abs(margins), 1 - TRUSTED_SHARE)
    trusted = (np.abs(margins) >= floor) & (margins != 0)
    guessed = np.where(trusted, margins > 0, UNLABELLED)
    both = BigramTable(
        table.num_texts + unlabelled.num_texts,
        table.num_bigrams,
        np.append(table.rows, unlabelled.rows + table.num_texts),
        np.append(table.columns, unlabelled.columns),
    )
    return _learn_once(both, np.append(labels, guessed))


def _margins(table: BigramTable, log_odds: Floats) -> Floats:
    """Return the mean log-odds of each text's bigrams: long texts are no surer."""
    sums = np.bincount(table.rows, log_odds[table.columns], table.num_texts)
    return np.asarray(sums / table.counts())


def _fit_scale(signed: Floats) -> float:
    """Return the scale of margins under which their signs are likeliest."""
    scales = np.geomspace(0.1, 100, 400)
    losses = [np.logaddexp(0, -signed * scale).mean() for scale in scales]
    return float(scales[int(np.argmin(losses))])


def _probability(log_odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-log_odds)))
