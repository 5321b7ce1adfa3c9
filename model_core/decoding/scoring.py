"""What the model itself thought of a token: log-probability and runners-up.

Changes when a token reports more about its position. Knows no rule.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model_core.decoding.best import best_of_rows
from model_core.decoding.frames import ChosenToken
from model_core.decoding.stepper import Logits


def log_normalizers(logits: Logits) -> npt.NDArray[np.float64]:
    """Return log(sum(exp(logits))) of every row, (batch,).

    Raises:
        FloatingPointError: A row holds nan or +inf, or nothing but -inf.
    """
    best = logits.max(axis=-1)
    broken = rows_without_numbers(logits, best)
    if broken.size:
        raise FloatingPointError(
            "logits must be numbers with at least one finite value per row, got "
            f"{best[broken].tolist()} as the best of rows {broken.tolist()}; "
            "run the model in float32 or check its weights"
        )
    total = np.exp(logits - best[:, None]).sum(axis=-1, dtype=np.float64)
    return np.asarray(best + np.log(total), np.float64)


def rows_without_numbers(
    logits: Logits, best: Logits | None = None
) -> npt.NDArray[np.intp]:
    """Return the rows that hold nan or +inf, or nothing but -inf."""
    best = logits.max(axis=-1) if best is None else best
    return np.flatnonzero(~np.isfinite(best))


def chosen_token(
    logits: Logits, log_normalizer: float, token_id: int, num_alternatives: int
) -> ChosenToken:
    """Describe one token of one row.

    Args:
        logits: (vocabulary,), as the model gave them.
        log_normalizer: Of this row.
        token_id: The token.
        num_alternatives: How many of the most probable tokens to report.
    """
    return chosen_tokens(
        logits[None],
        np.array([log_normalizer]),
        np.array([token_id]),
        [num_alternatives],
    )[0]


def chosen_tokens(
    logits: Logits,
    log_normalizers: npt.NDArray[np.float64],
    token_ids: npt.NDArray[np.integer],
    num_alternatives: Sequence[int],
) -> list[ChosenToken]:
    """Describe one token of each of several rows; see ``chosen_token``.

    Args:
        logits: (batch, vocabulary), as the model gave them.
        log_normalizers: (batch,).
        token_ids: (batch,).
        num_alternatives: Of every row.
    """
    rows = np.arange(len(logits))
    log_probs = (logits[rows, token_ids] - log_normalizers).tolist()
    ids = token_ids.tolist()
    most = max(num_alternatives)
    if not most:
        return [ChosenToken(*one) for one in zip(ids, log_probs, strict=True)]
    best = best_of_rows(logits, most)
    shares = np.exp(best.values - log_normalizers[:, None]).tolist()
    runners_up = [
        tuple(pair for pair in zip(*both, strict=True) if pair[1] > 0)
        for both in zip(best.indices.tolist(), shares, strict=True)
    ]
    return [
        ChosenToken(token_id, log_prob, others[:count])
        for token_id, log_prob, others, count in zip(
            ids, log_probs, runners_up, num_alternatives, strict=True
        )
    ]
