"""Rules on next-token logits: each is a frozen value, and they compose with ``apply``.

Changes when a decoding rule is added or redefined. Knows no network and no text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from model_core.decoding.best import best_of_rows
from model_core.decoding.history import History
from model_core.decoding.stepper import Logits, TokenIds

FORBIDDEN = np.float32(-np.inf)
_COLDEST = 1e-3


class LogitsRule(Protocol):
    """Turns next-token logits (batch, vocabulary) into others of the same shape.

    Forbidden tokens become -inf. The argument is never written to; a rule that
    changes nothing returns it as it is. A rule for the beginning of a text says in
    ``num_tokens_ruled`` how many new tokens that is.
    """

    def __call__(self, logits: Logits, history: History) -> Logits:
        """Return the logits after the rule; row i has seen row i of the history."""
        ...


def lasts(rule: LogitsRule) -> float:
    """Return after how many new tokens a rule changes nothing any more."""
    return float(getattr(rule, "num_tokens_ruled", np.inf))


def still_needed(
    rules: Sequence[LogitsRule], num_new_tokens: int
) -> tuple[LogitsRule, ...]:
    """Return the rules that can change something behind so many new tokens."""
    return tuple(rule for rule in rules if num_new_tokens < lasts(rule))


def apply(rules: Sequence[LogitsRule], logits: Logits, history: History) -> Logits:
    """Apply rules in order.

    Where a rule would forbid every token of a row, the best token that reached this
    rule survives alone, so that there is always a next token and what an earlier
    rule forbade stays forbidden.

    Args:
        rules: First to last.
        logits: (batch, vocabulary).
        history: What the same rows have seen.

    Returns:
        (batch, vocabulary), at least one token per row not -inf.
    """
    for rule in rules:
        logits = _with_a_survivor(rule(logits, history), logits)
    return logits


@dataclass(frozen=True, slots=True)
class Temperature:
    """Divides logits: below 1 sharpens, above 1 flattens.

    Values below 0.001 act as 0.001, where the best token is alone in float32.
    """

    value: float

    def __post_init__(self) -> None:
        if not 0 < self.value < np.inf:
            raise ValueError(f"temperature must be > 0, got {self.value}")

    def __call__(self, logits: Logits, history: History) -> Logits:
        """Divide by the temperature."""
        del history
        if self.value == 1:
            return logits
        return logits / np.float32(max(self.value, _COLDEST))


@dataclass(frozen=True, slots=True)
class TopK:
    """Keeps exactly the k best tokens of each row; of equals, the lower ids."""

    k: int

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"top_k must be >= 1, got {self.k}")

    def __call__(self, logits: Logits, history: History) -> Logits:
        """Forbid everything below the k-th best logit."""
        del history
        if self.k >= logits.shape[-1]:
            return logits
        best = best_of_rows(logits, self.k)
        filtered = np.full_like(logits, FORBIDDEN)
        np.put_along_axis(filtered, best.indices, best.values, axis=-1)
        return filtered


@dataclass(frozen=True, slots=True)
class TopP:
    """Keeps the smallest set of best tokens with at least this probability.

    Nucleus sampling, arXiv 1904.09751; of equals, the lower ids. The probability is
    that of the logits which reach the rule.
    """

    value: float

    def __post_init__(self) -> None:
        if not 0 < self.value <= 1:
            raise ValueError(f"top_p must be > 0 and <= 1, got {self.value}")

    def __call__(self, logits: Logits, history: History) -> Logits:
        """Forbid everything outside the nucleus of each row."""
        del history
        if self.value == 1:
            return logits
        edges = [_nucleus_edge(row, self.value) for row in logits]
        thresholds = np.array([threshold for threshold, _ in edges], np.float32)
        return _keep_best(logits, thresholds, np.array([size for _, size in edges]))


@dataclass(frozen=True, slots=True)
class RepetitionPenalty:
    """Divides positive and multiplies negative logits of the tokens already seen.

    CTRL's penalty, arXiv 1909.05858 section 4.1, over prompt and generated tokens
    alike, once however often a token occurs. Exempt tokens (the stop tokens, say,
    which often separate the parts of a prompt) keep their logits.
    """

    value: float
    exempt_token_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.value < np.inf:
            raise ValueError(f"repetition_penalty must be >= 1, got {self.value}")

    def __call__(self, logits: Logits, history: History) -> Logits:
        """Lower the logits of every token in each row's history."""
        if self.value == 1:
            return logits
        ids = np.where(
            history.token_ids < 0, history.token_ids[:, :1], history.token_ids
        )
        seen = np.take_along_axis(logits, ids, axis=-1)
        penalty = np.float32(self.value)
        lowered = logits.copy()
        lower = np.where(seen > 0, seen / penalty, seen * penalty)
        np.put_along_axis(lowered, ids, lower, axis=-1)
        exempt = list(self.exempt_token_ids)
        lowered[:, exempt] = logits[:, exempt]
        return lowered


@dataclass(frozen=True, slots=True)
class NoRepeatNgram:
    """Forbids the token that would complete an n-gram the row already holds.

    Prompt and generated tokens count alike, or only the latter, where the text may
    repeat its prompt but not itself. Exempt tokens may always follow.

    Attributes:
        size: Tokens of an n-gram, >= 1.
        exempt_token_ids: May complete any.
        new_tokens_only: The prompt's n-grams are not held against the row.
        spares_prompt: An n-gram that stands in the prompt may come again: a name, not a
            loop.
    """

    size: int
    exempt_token_ids: tuple[int, ...] = ()
    new_tokens_only: bool = False
    spares_prompt: bool = False

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"no_repeat_ngram_size must be >= 1, got {self.size}")

    def __call__(self, logits: Logits, history: History) -> Logits:
        """Forbid every token that followed the row's last n - 1 tokens before."""
        free = logits.copy()
        for row in range(len(logits)):
            free[row, self._repeating(history, row)] = FORBIDDEN
        exempt = list(self.exempt_token_ids)
        free[:, exempt] = logits[:, exempt]
        return free

    def _repeating(self, history: History, row: int) -> TokenIds:
        """Return the tokens that would repeat an n-gram."""
        new = history.new_tokens(row)
        seen = new if self.new_tokens_only else history.row(row)
        if len(seen) < self.size:
            return seen[:0]
        tail = seen[len(seen) - self.size + 1 :]
        repeating = _following(seen, tail)
        if not self.spares_prompt:
            return repeating
        prompt = history.row(row)[: history.prompt_lengths[row]]
        return np.setdiff1d(repeating, _following(prompt, tail))


@dataclass(frozen=True, slots=True)
class MinNewTokens:
    """Forbids the stop tokens until a row has this many new tokens."""

    minimum: int
    stop_token_ids: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.minimum < 0:
            raise ValueError(f"min_new_tokens must be >= 0, got {self.minimum}")

    @property
    def num_tokens_ruled(self) -> int:
        """New tokens after which it changes nothing."""
        return self.minimum

    def __call__(self, logits: Logits, history: History) -> Logits:
        """Forbid the stop tokens in rows that are still too short."""
        short = np.flatnonzero(history.num_new_tokens < self.minimum)
        if not short.size or not self.stop_token_ids:
            return logits
        longer = logits.copy()
        longer[short[:, None], list(self.stop_token_ids)] = FORBIDDEN
        return longer


@dataclass(frozen=True, slots=True)
class ForbiddenTokens:
    """Forbids tokens that are never text, such as [PAD], [UNK], [CLS] and [MASK]."""

    token_ids: tuple[int, ...]

    def __call__(self, logits: Logits, history: History) -> Logits:
        """Forbid them in every row."""
        del history
        allowed = logits.copy()
        allowed[:, list(self.token_ids)] = FORBIDDEN
        return allowed


@dataclass(frozen=True, slots=True)
class AllowedFirst:
    """Lets a row begin only with certain tokens; afterwards it is free."""

    token_ids: tuple[int, ...]
    num_tokens_ruled = 1

    def __post_init__(self) -> None:
        if not self.token_ids:
            raise ValueError("token_ids must name at least one allowed token, got none")

    def __call__(self, logits: Logits, history: History) -> Logits:
        """Forbid every other token in rows that have no new token yet."""
        allowed = logits
        for row in np.flatnonzero(history.num_new_tokens == 0):
            allowed = only(allowed, int(row), np.array(self.token_ids), logits)
        return allowed


def only(
    logits: Logits, row: int, token_ids: npt.NDArray[np.integer], original: Logits
) -> Logits:
    """Return ``logits`` with one row where only some tokens are allowed.

    Args:
        logits: (batch, vocabulary); copied if it still is ``original``.
        row: The row to constrain.
        token_ids: (allowed,), the tokens that keep their logits.
        original: (batch, vocabulary), never written to.
    """
    constrained = logits.copy() if logits is original else logits
    constrained[row] = FORBIDDEN
    constrained[row, token_ids] = original[row, token_ids]
    return constrained


def best_first(values: Logits, k: int) -> npt.NDArray[np.intp]:
    """Return the indices of the k largest values (size,), best first.

    Of equals the lower index comes first; -inf is never returned, so there may be
    fewer than k.
    """
    best = best_of_rows(values[None], k)
    found: npt.NDArray[np.intp] = best.indices[0][best.values[0] > FORBIDDEN]
    return found


def _with_a_survivor(filtered: Logits, before: Logits) -> Logits:
    if filtered is before:
        return filtered
    lost = np.flatnonzero(filtered.max(axis=-1) == FORBIDDEN)
    if not lost.size:
        return filtered
    best = before[lost].argmax(axis=-1)
    rescued = filtered.copy()
    rescued[lost, best] = before[lost, best]
    return rescued


def _keep_best(
    logits: Logits, thresholds: Logits, counts: npt.NDArray[np.integer]
) -> Logits:
    """Keep the ``counts[row]`` best tokens, the last of which has the threshold."""
    kept = logits >= thresholds[:, None]
    places = np.flatnonzero(kept)
    if places.size > counts.sum():
        _drop_surplus_ties(kept, logits == thresholds[:, None], counts)
        places = np.flatnonzero(kept)
    filtered = np.full(logits.size, FORBIDDEN)
    filtered[places] = logits.reshape(-1)[places]  # few: quicker than a where
    return filtered.reshape(logits.shape)


def _drop_surplus_ties(
    kept: npt.NDArray[np.bool_],
    ties: npt.NDArray[np.bool_],
    counts: npt.NDArray[np.integer],
) -> None:
    """Clear the last ties of each row that keeps more than its count."""
    surplus = np.count_nonzero(kept, axis=-1) - counts
    for row in np.flatnonzero(surplus > 0):
        kept[row, np.flatnonzero(ties[row])[-surplus[row] :]] = False


def _nucleus_edge(row: Logits, top_p: float) -> tuple[np.float32, int]:
    """Return the smallest logit in the nucleus of a row and the nucleus' size.

    Sorts only what may be in it: all tokens below (1 - top_p) / size together have
    less than 1 - top_p, so the others reach ``top_p`` without them.
    """
    allowed = row[row > FORBIDDEN]
    best = allowed.max()
    weights = np.exp(allowed - best)
    total = float(weights.sum(dtype=np.float64))
    smallest = np.float32(total * (1 - top_p) / allowed.size)
    ranked = np.sort(allowed[np.flatnonzero(weights >= smallest)])
    reached = np.exp(ranked - best)[::-1].cumsum(dtype=np.float64)
    size = min(int(np.searchsorted(reached, top_p * total)) + 1, ranked.size)
    return ranked[-size], size


def _following(seen: TokenIds, tail: TokenIds) -> TokenIds:
    """Return the tokens that follow ``tail`` wherever it stands in ``seen``."""
    num_places = len(seen) - len(tail)
    if num_places < 1:
        return seen[:0]
    matches = np.ones(num_places, np.bool_)
    for offset, token_id in enumerate(tail.tolist()):
        matches &= seen[offset : offset + num_places] == token_id
    return seen[len(tail) :][matches]
