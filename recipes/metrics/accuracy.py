"""The share of right answers; changes when rightness is counted differently."""

from collections.abc import Sequence


def accuracy(gold: Sequence[object], predicted: Sequence[object]) -> float:
    """Return the share of predictions that equal their gold value.

    Args:
        gold: (num_examples,), at least one.
        predicted: (num_examples,).

    Raises:
        ValueError: The lengths differ or there is nothing to compare.
    """
    if not gold or len(gold) != len(predicted):
        raise ValueError(
            "expected one prediction per gold value and at least one, "
            f"received {len(predicted)} for {len(gold)}"
        )
    return sum(g == p for g, p in zip(gold, predicted, strict=True)) / len(gold)


def balance(precision: float, recall: float) -> float:
    """Return F1, the harmonic mean; 0 where both are 0."""
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0
