"""Extracts, then rewrites: the text rewriter and the clause head together.

Changes when extraction takes another step.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model_core.engines.base import TokenBatch
from model_core.interfaces import ModelError
from model_core.roles.text_rewriter import NetworkTextRewriter
from model_core.roles.triple_pointer import sigmoid

MAX_CLAUSES = 256
LONGEST_CLAUSE = 64  # tokens
TOGETHER = 64  # clauses read in one pass, of like length


class NetworkSummarizer(NetworkTextRewriter):
    """A ``Summarizer`` over a network with a clause head."""

    @property
    def max_clauses(self) -> int:
        """See ``ClauseScorer.max_clauses``."""
        return MAX_CLAUSES

    def score_clauses(self, clauses: Sequence[str]) -> npt.NDArray[np.float64]:
        """See ``ClauseScorer.score_clauses``."""
        if not 1 <= len(clauses) <= MAX_CLAUSES:
            raise ModelError(
                "unsupported",
                f"一次为 1 到 {MAX_CLAUSES} 个分句打分，收到 {len(clauses)} 个。",
                f"1 to {MAX_CLAUSES} clauses are scored at once, got {len(clauses)}.",
            )
        vectors = self._vectors(clauses)[None]
        logits = self._model.engine.apply("clauses", vectors)["clause_logits"][0]
        return sigmoid(logits)

    def _vectors(self, clauses: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return each clause's mean hidden state (num_clauses, width)."""
        formats = self._model.formats
        sources = [
            formats.clause(formats.piece(clause[: 4 * LONGEST_CLAUSE]), LONGEST_CLAUSE)
            for clause in clauses
        ]
        vectors = np.zeros((len(sources), self._model.config.hidden_size), "float32")
        order = np.argsort([len(source.token_ids) for source in sources], kind="stable")
        for start in range(0, len(order), TOGETHER):
            group = order[start : start + TOGETHER]
            rows = [sources[index] for index in group]
            marks = [row.mark_ids for row in rows]
            batch = TokenBatch.from_rows(
                [row.token_ids for row in rows],
                marks=marks if self._model.config.mark_vocab_size else None,
            )
            hidden = self._model.engine.read(batch, "bidirectional", ())["hidden"]
            real = batch.padding_mask[..., None]
            vectors[group] = (hidden * real).sum(axis=1) / real.sum(axis=1)
        return vectors
