"""Two models summarise together: one chooses clauses, the other writes.

Changes when the parts of a summary are shared out otherwise. Imports nothing heavy.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model_core.interfaces import (
    ClauseScorer,
    RewriteFrame,
    RewriteOptions,
    TextRewriter,
    WeightsInfo,
)


@dataclass(frozen=True, slots=True)
class ComposedSummarizer:
    """A ``Summarizer`` for weights that write and score no clauses.

    Attributes:
        scorer: Chooses what is read.
        rewriter: Writes; what is written is its own.
    """

    scorer: ClauseScorer
    rewriter: TextRewriter

    @property
    def weights(self) -> WeightsInfo:
        """See ``TextRewriter.weights``."""
        return self.rewriter.weights

    @property
    def parts(self) -> tuple[str, ...]:
        """See ``TextRewriter.parts``."""
        return self.rewriter.parts

    @property
    def can_copy(self) -> bool:
        """See ``TextRewriter.can_copy``."""
        return self.rewriter.can_copy

    def rewrite(self, source: str, options: RewriteOptions) -> Iterator[RewriteFrame]:
        """See ``TextRewriter.rewrite``."""
        return self.rewriter.rewrite(source, options)

    def rewrite_many(
        self, sources: tuple[str, ...], options: RewriteOptions
    ) -> tuple[Any, ...]:
        """See ``TextRewriter.rewrite_many``."""
        return self.rewriter.rewrite_many(sources, options)

    @property
    def max_clauses(self) -> int:
        """See ``ClauseScorer.max_clauses``."""
        return self.scorer.max_clauses

    def score_clauses(self, clauses: Sequence[str]) -> npt.NDArray[np.float64]:
        """See ``ClauseScorer.score_clauses``."""
        return self.scorer.score_clauses(clauses)
