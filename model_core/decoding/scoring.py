"""What the model itself thought of a token: log-probability and runners-up.

Changes when a token reports more about its position. Knows no rule.
"""

import numpy as np
import numpy.typing as npt

from model_core.decoding.frames import ChosenToken
from model_core.decoding.logits import best_first
from model_core.decoding.stepper import Logits


def log_normalizers(logits: Logits) -> npt.NDArray[np.float64]:
    """Return log(sum(exp(logits))) of every row, (batch,).

    Raises:
        FloatingPointError: A row holds nan or +inf, or nothing but -inf.
    """
    best = logits.max(axis=-1)
    broken = np.flatnonzero(~np.isfinite(best))
    if broken.size:
        raise FloatingPointError(
            "logits must be numbers with at least one finite value per row, got "
            f"{best[broken].tolist()} as the best of rows {broken.tolist()}; "
            "run the model in float32 or check its weights"
        )
    total = np.exp(logits - best[:, None]).sum(axis=-1, dtype=np.float64)
    return np.asarray(best + np.log(total), np.float64)


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
    alternatives: tuple[tuple[int, float], ...] = ()
    if num_alternatives:
        ids = best_first(logits, num_alternatives)
        probabilities = np.exp(logits[ids] - log_normalizer)
        alternatives = tuple(zip(ids.tolist(), probabilities.tolist(), strict=True))
    return ChosenToken(token_id, float(logits[token_id]) - log_normalizer, alternatives)
