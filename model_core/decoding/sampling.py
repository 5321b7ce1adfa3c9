"""Draws tokens: one stream of random numbers per row, one number per token.

Changes when drawing changes. What is allowed is logits.py's business.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model_core.decoding.best import best_of_rows
from model_core.decoding.checks import check_seed
from model_core.decoding.history import History
from model_core.decoding.logits import (
    FORBIDDEN,
    LogitsRule,
    Temperature,
    TopK,
    TopP,
    apply,
)
from model_core.decoding.stepper import Logits

Uniforms = npt.NDArray[np.float64]
Drawn = npt.NDArray[np.intp]


class Sampler:
    """Uniform random numbers for rows, repeatably.

    Row i draws from a stream made of the seed and i alone, and takes exactly one
    number from it per token, so that its text depends neither on how many rows stand
    beside it nor on when they finish.
    """

    def __init__(self, seed: int, num_rows: int) -> None:
        """Start the streams.

        Args:
            seed: Any integer >= 0.
            num_rows: How many rows will be drawn.

        Raises:
            ValueError: A negative seed.
        """
        check_seed(seed)
        self._streams = [np.random.default_rng((seed, row)) for row in range(num_rows)]

    def next_number(self, row: int) -> float:
        """Return the next number of one row, 0 to 1."""
        return self._streams[row].random()


def choose(
    rules: Sequence[LogitsRule], logits: Logits, history: History, uniforms: Uniforms
) -> Drawn:
    """Apply rules and draw the next token of every row.

    Draws what ``draw`` draws from ``apply``. Rules that end as most do, with the k
    best and perhaps a nucleus of these, are never spread over the vocabulary.

    Args:
        rules: First to last.
        logits: (batch, vocabulary).
        history: What the same rows have seen.
        uniforms: (batch,), a number from 0 to 1 for each row.

    Returns:
        (batch,), the tokens' ids.
    """
    before, tail = _parted(rules)
    allowed = apply(before, logits, history)
    if not tail:
        return draw(allowed, uniforms)
    best = best_of_rows(allowed, next(r.k for r in tail if isinstance(r, TopK)))
    values: Logits = best.values
    for rule in tail:
        if isinstance(rule, Temperature):
            values = rule(values, history)
    weights = np.exp(values - values[:, :1])
    for rule in tail:
        if isinstance(rule, TopP):
            weights = _nucleus(weights, rule.value)
    weights[values == FORBIDDEN] = 0
    order = np.argsort(best.indices, axis=-1)
    each = np.arange(len(order))
    by_id = weights[each[:, None], order]
    places = _inverse(by_id.cumsum(axis=-1, dtype=np.float64), uniforms)
    return best.indices[each, order[each, places]]


def draw(logits: Logits, uniforms: Uniforms) -> Drawn:
    """Draw a token for every row.

    Args:
        logits: (batch, vocabulary), after the rules; at least one of a row is not -inf.
        uniforms: (batch,), a number from 0 to 1 for each row.

    Returns:
        (batch,), the tokens' ids: the inverse of the cumulative distribution over ids,
        in float64.
    """
    drawn = np.empty(len(logits), np.intp)
    for row, (scores, uniform) in enumerate(zip(logits, uniforms, strict=True)):
        candidates = np.flatnonzero(scores > FORBIDDEN)
        kept = scores[candidates]
        cumulative = np.exp(kept - kept.max()).cumsum(dtype=np.float64)
        place = _inverse(cumulative[None], np.array([uniform]))[0]
        drawn[row] = candidates[place]
    return drawn


def _parted(
    rules: Sequence[LogitsRule],
) -> tuple[Sequence[LogitsRule], Sequence[LogitsRule]]:
    """Return the rules before an ending [Temperature] TopK [TopP], and that ending."""
    for start in range(max(0, len(rules) - 3), len(rules)):
        kinds = [type(rule) for rule in rules[start:]]
        if kinds[:1] == [Temperature]:
            kinds = kinds[1:]
        if kinds in ([TopK], [TopK, TopP]):
            return rules[:start], rules[start:]
    return rules, ()


def _nucleus(weights: Logits, top_p: float) -> Logits:
    """Clear what is outside the nucleus of (rows, k) weights, best first."""
    reached = weights.cumsum(axis=-1, dtype=np.float64)
    size = 1 + (reached < top_p * reached[:, -1:]).sum(axis=-1)
    return np.where(np.arange(weights.shape[1]) < size[:, None], weights, 0)


def _inverse(cumulative: npt.NDArray[np.float64], uniforms: Uniforms) -> Drawn:
    """Return where (rows, size) cumulative weights pass each row's number."""
    total = cumulative[:, -1:]
    passed: Drawn = (cumulative <= uniforms[:, None] * total).sum(axis=-1)
    last: Drawn = (cumulative < total).sum(axis=-1)
    return np.minimum(passed, last)
