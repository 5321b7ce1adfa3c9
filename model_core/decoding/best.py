"""The k best of each row, without sorting or partitioning whole vocabularies.

Changes when finding them becomes cheaper in another way.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model_core.decoding.stepper import Logits

GROUPS_PER_WANTED = 4
FEWEST_GROUPS = 256


class Best(NamedTuple):
    """The best of every row, best first; of equals the lower index.

    Attributes:
        indices: (rows, k).
        values: (rows, k); -inf where a row has fewer.
    """

    indices: npt.NDArray[np.intp]
    values: Logits


def best_of_rows(values: Logits, k: int) -> Best:
    """Return the k largest values of each row, exactly.

    The values are dealt into several times k groups. The k-th largest of the groups'
    maxima is no larger than the k-th largest value, and few values reach it: only
    these are sorted.

    Args:
        values: (rows, size), no nan.
        k: At least 1; more than ``size`` is ``size``.
    """
    rows, size = values.shape
    k = min(k, size)
    if k == 1:
        indices = values.argmax(axis=-1)
        return Best(indices[:, None], values[np.arange(rows), indices][:, None])
    reached = values >= _bounds(values, k)[:, None]
    places = np.flatnonzero(reached)
    row, column = np.divmod(places, size)
    counts = np.bincount(row, minlength=rows)
    first = np.cumsum(counts) - counts
    width = max(int(counts.max()), k)
    found = np.full((rows, width), -np.inf, values.dtype)
    index = np.zeros((rows, width), np.intp)
    within = np.arange(len(places)) - first[row]
    found[row, within] = values.reshape(-1)[places]
    index[row, within] = column
    order = np.argsort(-found, axis=-1, kind="stable")[:, :k]
    each = np.arange(rows)[:, None]
    return Best(index[each, order], found[each, order])


def _bounds(values: Logits, k: int) -> Logits:
    """Return for each row a number that at least k of its values reach."""
    rows, size = values.shape
    depth = size // max(GROUPS_PER_WANTED * k, FEWEST_GROUPS)
    if depth <= 1:
        return np.partition(values, size - k, axis=-1)[:, size - k]
    groups = size // depth
    dealt = values[:, : groups * depth].reshape(rows, depth, groups).max(axis=1)
    maxima = np.concatenate([dealt, values[:, groups * depth :]], axis=-1)
    place = maxima.shape[1] - k
    return np.partition(maxima, place, axis=-1)[:, place]
