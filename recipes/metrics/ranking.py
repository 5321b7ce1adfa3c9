"""How well scores rank; changes when ranks are compared differently."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Numbers = Sequence[float] | npt.NDArray[np.float64]


def ranks(values: Numbers) -> npt.NDArray[np.float64]:
    """Return every value's rank from 1 on; equals share the mean of theirs."""
    _, places, counts = np.unique(
        np.asarray(values), return_inverse=True, return_counts=True
    )
    ends = np.cumsum(counts)
    means = ends - (counts - 1) / 2
    return np.asarray(means[places], "float64")


def area_under_curve(scores: Numbers, right: npt.NDArray[np.bool_]) -> float:
    """Return how often something right scores above something wrong; ties count half.

    Args:
        scores: (num_examples,).
        right: (num_examples,), of both kinds.

    Raises:
        ValueError: All are right, or none is.
    """
    count, total = int(right.sum()), len(right)
    if count in (0, total):
        raise ValueError(f"expected right ones and wrong ones, received {count} right")
    above = ranks(scores)[right].sum() - count * (count + 1) / 2
    return float(above / (count * (total - count)))


def rank_correlation(scores: Numbers, wanted: Numbers) -> float:
    """Return Spearman's correlation; 0 where either does not vary."""
    one, other = ranks(scores), ranks(wanted)
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
