"""Which candidates of a search stop, which run on.

Changes when searches should keep others. Knows no network and no score.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

CandidateT = TypeVar("CandidateT")


def select(
    ranked: Iterable[CandidateT],
    num_beams: int,
    stops: Callable[[CandidateT], bool],
) -> list[CandidateT]:
    """Keep the stops among the first ``num_beams`` and the first others, ranked.

    Args:
        ranked: Best first.
        num_beams: How many others are kept.
        stops: Whether a candidate ends its text.
    """
    chosen: list[CandidateT] = []
    places = num_beams
    for rank, candidate in enumerate(ranked):
        if stops(candidate):
            if rank < num_beams:
                chosen.append(candidate)
        elif places:
            chosen.append(candidate)
            places -= 1
    return chosen
