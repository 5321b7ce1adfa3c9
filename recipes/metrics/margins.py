"""How far a share of few examples may lie from what many would give.

Changes when errors are told otherwise.
"""

import math

Z_95 = 1.96  # of the normal distribution: 95 % lie within


def margin(share: float, count: int) -> float:
    """Return the half width of a share's 95 % interval.

    Args:
        share: 0..1.
        count: Of the examples it was measured on, 1 or more.
    """
    return Z_95 * math.sqrt(share * (1 - share) / count)


def is_above(share: float, count: int, other: float) -> bool:
    """Tell whether a share is above another value by more than its error."""
    return share - margin(share, count) > other
