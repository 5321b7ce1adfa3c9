"""What decoding yields: the whole result so far, as plain values.

Changes when a caller needs to know more of a row. Knows no text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from model_core.interfaces import Finish


@dataclass(frozen=True, slots=True)
class ChosenToken:
    """One generated token.

    Attributes:
        token_id: Its place in the vocabulary.
        log_prob: Log-probability in nats under the model, before any rule.
        alternatives: (token_id, probability) of the model's most probable tokens at
            this position, before any rule, best first; the chosen one may be there.
        tag: What the network tagged it with, e.g. ``copying.BEGIN``; 0 without tags.
    """

    token_id: int
    log_prob: float
    alternatives: tuple[tuple[int, float], ...] = ()
    tag: int = 0


@dataclass(frozen=True, slots=True)
class DecodedRow:
    """One continuation so far.

    Attributes:
        tokens: The tokens of the text, in order, without the stop token.
        log_prob: Sum over ``tokens`` and ``stop_token``, in nats.
        finish: "" while running, ``stop`` at a stop token, ``length`` at the limit.
        stop_token: The token that stopped the row: no part of the text, but its
            log-probability counts.
        score: What rows are ranked by: ``log_prob`` when sampling, beam.py's score
            when searching.
    """

    tokens: tuple[ChosenToken, ...] = ()
    log_prob: float = 0.0
    finish: Finish = ""
    stop_token: ChosenToken | None = None
    score: float = 0.0

    @property
    def token_ids(self) -> tuple[int, ...]:
        """The ids of the text's tokens."""
        return tuple(token.token_id for token in self.tokens)

    @property
    def tags(self) -> tuple[int, ...]:
        """The tags of the text's tokens."""
        return tuple(token.tag for token in self.tokens)

    @property
    def num_steps(self) -> int:
        """Tokens chosen so far, the stop token included."""
        return len(self.tokens) + (self.stop_token is not None)

    def extended(
        self, token: ChosenToken, stop_token_ids: frozenset[int], max_new_tokens: int
    ) -> Self:
        """Return the row with one more token, finished where that ends it."""
        return self.extended_by((token,), stop_token_ids, max_new_tokens)

    def extended_by(
        self,
        tokens: Iterable[ChosenToken],
        stop_token_ids: frozenset[int],
        max_new_tokens: int,
    ) -> Self:
        """Return the row with more tokens, up to the one that ends it."""
        log_prob, finish, stopped = self.log_prob, self.finish, self.stop_token
        longer = list(self.tokens)
        for token in tokens:
            if finish:
                break
            log_prob += token.log_prob
            if token.token_id in stop_token_ids:
                finish, stopped = "stop", token
                continue
            longer.append(token)
            finish = "length" if len(longer) >= max_new_tokens else ""
        return type(self)(tuple(longer), log_prob, finish, stopped, log_prob)


@dataclass(frozen=True, slots=True)
class DecodingFrame:
    """All rows so far: a later frame replaces an earlier one.

    Attributes:
        rows: One per prompt in the prompts' order when sampling; best first when
            searching.
    """

    rows: tuple[DecodedRow, ...]

    @property
    def num_new_tokens(self) -> int:
        """Tokens in all rows together."""
        return sum(len(row.tokens) for row in self.rows)

    @property
    def is_finished(self) -> bool:
        """Whether no row runs any more."""
        return all(row.finish for row in self.rows)
