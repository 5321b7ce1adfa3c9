"""The extractor: which clauses of a text matter (SPACES, kexue.fm/archives/8046).

Changes when clauses are asked about differently. Plain values and Protocols.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from model_core.interfaces.models import WeightsInfo
from model_core.interfaces.rewriting import TextRewriter


class ClauseScorer(Protocol):
    """Scores the clauses of one text in each other's company."""

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        ...

    @property
    def max_clauses(self) -> int:
        """The most clauses that can be scored at once."""
        ...

    def score_clauses(self, clauses: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return each clause's probability of belonging to the summary.

        Args:
            clauses: 1 to ``max_clauses`` clauses of one text, in order.

        Returns:
            0..1, float64 (num_clauses,).
        """
        ...


class Summarizer(ClauseScorer, TextRewriter, Protocol):
    """Extracts, then rewrites."""
