"""A Summarizer behind its Protocol: clauses are worth what a table says."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from model_core.interfaces import ModelError
from tests.fake_text_rewriter import FakeRewriter

FULL_WORTH_CHARS = 40


@dataclass
class FakeSummarizer(FakeRewriter):
    """Scores clauses by what they hold, then rewrites as FakeRewriter does.

    A clause is worth what ``worth`` says of the first of its keys that it holds; others
    are the better the longer they are, up to 0.15. ``scored`` keeps what was asked.
    """

    worth: dict[str, float] = field(default_factory=dict)
    max_clauses: int = 256
    scored: list[tuple[str, ...]] = field(default_factory=list)

    def score_clauses(self, clauses: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return each clause's worth."""
        self.scored.append(tuple(clauses))
        if not 1 <= len(clauses) <= self.max_clauses:
            raise ModelError("unsupported", "分句太多或没有。", "Too many or none.")
        for clause in clauses:
            if clause in self.failures:
                raise self.failures[clause]
        return np.array([self._worth(clause) for clause in clauses])

    def _worth(self, clause: str) -> float:
        plain = 0.15 * min(1, len(clause) / FULL_WORTH_CHARS)
        return next((v for key, v in self.worth.items() if key in clause), plain)
