"""Choose the clauses worth keeping, by their scores and within a budget. Pure.

Changes when clauses are chosen differently. Knows no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from demos.summary.clauses import Clause
from demos.summary.passages import Passage, bare_length, joined

FEW = 5  # clauses taken where none reaches the threshold


@dataclass(frozen=True, slots=True)
class Extraction:
    """A text's clauses, what they are worth, and which were taken.

    Attributes:
        clauses: Those that were scored, in order; at least one.
        scores: Probability of belonging to the summary, one per clause, 0..1.
        chosen: Indices of the clauses taken, in order.
    """

    clauses: tuple[Clause, ...]
    scores: tuple[float, ...]
    chosen: tuple[int, ...]

    @property
    def taken(self) -> tuple[Clause, ...]:
        """The clauses taken, in the order of the text."""
        return tuple(self.clauses[index] for index in self.chosen)

    @property
    def passage(self) -> Passage:
        """The clauses taken as a text of their own."""
        return joined(self.taken)

    @property
    def num_chars_skipped(self) -> int:
        """Characters before the first clause that was scored."""
        return self.clauses[0].start


def choose(
    clauses: Sequence[Clause],
    scores: Sequence[float],
    threshold: float,
    max_chars: int,
) -> tuple[int, ...]:
    """Return the indices of the clauses to keep, in the order of the text.

    The best come first into the budget; one that does not fit lets smaller ones pass.
    Where none reaches the threshold, the best few are kept; one is kept in any case.

    Args:
        clauses: (num_clauses,), at least one.
        scores: (num_clauses,), 0..1.
        threshold: Lowest score that is kept.
        max_chars: The budget.
    """
    best_first = sorted(range(len(clauses)), key=lambda index: -scores[index])
    over = [index for index in best_first if scores[index] >= threshold]
    kept, room = list[int](), max_chars
    for index in over or best_first[:FEW]:
        length = bare_length(clauses[index])
        if length <= room or not kept:
            kept.append(index)
            room -= length
    return tuple(sorted(kept))
