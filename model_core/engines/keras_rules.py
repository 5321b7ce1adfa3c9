"""The decoding rules over again, as a compiled loop can follow them.

Changes when a rule gets a counterpart here. A rule without one is followed on the host,
step by step. What differs between two requests under the same rules is an argument of
the graph, not a part of it: another temperature compiles nothing.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from keras import ops

from model_core.decoding.logits import (
    AllowedFirst,
    ForbiddenTokens,
    LogitsRule,
    MinNewTokens,
    NoRepeatNgram,
    RepetitionPenalty,
    Temperature,
    TopK,
    TopP,
)

Numbers = tuple[Any, ...]
Key = tuple[tuple[type[LogitsRule], Hashable], ...]

FORBIDDEN = float("-inf")
COLDEST = 1e-3
"""Temperatures below act as this; see ``logits.Temperature``."""
ROOMS = (1, 64, 1024)
"""The k best are looked for in as many: requests of another k share a graph."""


class Past(NamedTuple):
    """What every row has seen; see ``decoding.history.History``.

    Attributes:
        token_ids: int32 (batch, width), -1 behind a row's end.
        lengths: int32 (batch,).
        prompt_lengths: int32 (batch,).
    """

    token_ids: Any
    lengths: Any
    prompt_lengths: Any


@dataclass(frozen=True, slots=True)
class RulePlan:
    """Rules as a graph and what it is given.

    Attributes:
        key: Rules of the same key have one graph.
        numbers: What they differ by, per entry of the key.
    """

    key: Key
    numbers: tuple[Numbers, ...]


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A rule in a graph.

    Attributes:
        numbers: Returns what the graph is given, of a rule and a vocabulary's size.
        follow: Returns the logits after it, of logits (batch, vocabulary), the past,
            the shape and the numbers; None for those that end a plan.
        shape: Returns what another graph is compiled for, of a rule and that size.
        may_forbid_all: Whether a row may be left without a token.
    """

    numbers: Callable[[Any, int], Numbers]
    follow: Callable[..., Any] | None = None
    shape: Callable[[Any, int], Hashable] = lambda _rule, _size: ()
    may_forbid_all: bool = False


def plan_of(rules: Sequence[LogitsRule], vocab_size: int) -> RulePlan | None:
    """Return the plan of rules, None where a graph cannot follow one of them.

    The tail is cut last, by the k best, by a nucleus or by both, as ``rules_for`` has
    it; rules in another order are left to the host.

    Args:
        rules: First to last.
        vocab_size: Of the logits.
    """
    acting = [rule for rule in rules if not _is_off(rule, vocab_size)]
    kinds = [type(rule) for rule in acting]
    if not COUNTERPARTS.keys() >= set(kinds) or not _ends_well(kinds):
        return None
    entries = [
        (kind, COUNTERPARTS[kind].shape(rule, vocab_size))
        for kind, rule in zip(kinds, acting, strict=True)
    ]
    numbers = [
        COUNTERPARTS[kind].numbers(rule, vocab_size)
        for kind, rule in zip(kinds, acting, strict=True)
    ]
    return RulePlan(tuple(entries), tuple(numbers))


def choose(
    key: Key, numbers: Sequence[Numbers], logits: Any, past: Past, uniforms: Any
) -> Any:
    """Return the next token of every row, int32 (batch,); see ``sampling.choose``.

    Args:
        key: Of a plan.
        numbers: Of the same plan, as tensors.
        logits: float32 (batch, vocabulary).
        past: What the rows have seen.
        uniforms: float32 (batch,), from 0 to 1.
    """
    given = dict(zip((kind for kind, _ in key), numbers, strict=True))
    shapes, before = dict(key), _before_tail([kind for kind, _ in key])
    for (kind, shape), own in zip(key[:before], numbers[:before], strict=True):
        counterpart = COUNTERPARTS[kind]
        if counterpart.follow is not None:
            after = counterpart.follow(logits, past, shape, *own)
            rescues = counterpart.may_forbid_all
            logits = _with_a_survivor(after, logits) if rescues else after
    if before == len(key):
        return _drawn(logits, uniforms)
    room = shapes.get(TopK, logits.shape[-1])
    if room == 1:
        return ops.cast(ops.argmax(logits, axis=-1), "int32")
    values, ids = ops.top_k(logits, room)
    if TopK in given:
        (k,) = given[TopK]
        values = ops.where(ops.arange(room)[None] < k, values, FORBIDDEN)
    if key[before][0] == Temperature:
        values = values / numbers[before][0]
    weights = ops.exp(values - values[:, :1])
    if TopP in given:
        weights = _nucleus(weights, *given[TopP])
    order = ops.argsort(ids, axis=-1)
    by_id = ops.take_along_axis(weights, order, axis=-1)
    place = _inverse(ops.cumsum(by_id, axis=-1), uniforms)[:, None]
    column = ops.take_along_axis(order, ops.cast(place, order.dtype), axis=-1)
    return ops.cast(ops.take_along_axis(ids, column, axis=-1)[:, 0], "int32")


def marked(token_ids: Iterable[int], size: int) -> npt.NDArray[np.bool_]:
    """Return bool (size,), True at the tokens."""
    mask = np.zeros(size, np.bool_)
    mask[list(token_ids)] = True
    return mask


def _is_off(rule: LogitsRule, size: int) -> bool:
    """Whether a rule leaves logits as they are."""
    if isinstance(rule, Temperature | TopP | RepetitionPenalty):
        return rule.value == 1
    return isinstance(rule, TopK) and rule.k >= size


def _ends_well(kinds: Sequence[type[LogitsRule]]) -> bool:
    """Whether nothing follows the k best but a nucleus, and nothing that."""
    return all(
        (first, second) == (TopK, TopP) or first not in (TopK, TopP)
        for first, second in pairwise(kinds)
    )


def _before_tail(kinds: Sequence[type[LogitsRule]]) -> int:
    """Return how many rules stand before an ending [temperature] k [nucleus]."""
    places = [kinds.index(kind) for kind in (TopK, TopP) if kind in kinds]
    first = min(places, default=len(kinds))
    follows_warmth = TopK in kinds[first:] and kinds[:first][-1:] == [Temperature]
    return first - 1 if follows_warmth else first


def _room(rule: TopK, size: int) -> int:
    return min(next((room for room in ROOMS if room >= rule.k), size), size)


def _with_a_survivor(after: Any, before: Any) -> Any:
    """Let the best of a row stand where a rule forbade all of it."""
    is_lost = ops.max(after, axis=-1, keepdims=True) == FORBIDDEN
    best = ops.cast(ops.argmax(before, axis=-1), "int32")[:, None]
    is_best = ops.arange(before.shape[-1], dtype="int32")[None] == best
    return ops.where(ops.logical_and(is_lost, is_best), before, after)


def _drawn(logits: Any, uniforms: Any) -> Any:
    """Draw from whole rows."""
    weights = ops.exp(logits - ops.max(logits, axis=-1, keepdims=True))
    return ops.cast(_inverse(ops.cumsum(weights, axis=-1), uniforms), "int32")


def _nucleus(weights: Any, top_p: Any) -> Any:
    """Clear what is outside the nucleus of (batch, room) weights, best first."""
    reached = ops.cumsum(weights, axis=-1)
    inside = ops.cast(reached < top_p * reached[:, -1:], "int32")
    size = 1 + ops.sum(inside, axis=-1, keepdims=True)
    rank = ops.arange(weights.shape[-1], dtype="int32")[None]
    return ops.where(rank < size, weights, 0.0)


def _inverse(cumulative: Any, uniforms: Any) -> Any:
    """Return where (batch, size) cumulative weights pass each row's number."""
    total = cumulative[:, -1:]
    passed = ops.cast(cumulative <= uniforms[:, None] * total, "int32")
    below = ops.cast(cumulative < total, "int32")
    return ops.minimum(ops.sum(passed, axis=-1), ops.sum(below, axis=-1))


def _allow_but(
    logits: Any, past: Past, shape: Hashable, mask: Any
) -> Any:  # ForbiddenTokens
    del past, shape
    return ops.where(mask[None], FORBIDDEN, logits)


def _hold_back(
    logits: Any, past: Past, shape: Hashable, minimum: Any, mask: Any
) -> Any:
    del shape
    is_short = (past.lengths - past.prompt_lengths < minimum)[:, None]
    return ops.where(ops.logical_and(is_short, mask[None]), FORBIDDEN, logits)


def _begin_with(logits: Any, past: Past, shape: Hashable, mask: Any) -> Any:
    del shape
    begins = (past.lengths == past.prompt_lengths)[:, None]
    banned = ops.logical_and(begins, ops.logical_not(mask)[None])
    return ops.where(banned, FORBIDDEN, logits)


def _penalise(
    logits: Any, past: Past, shape: Hashable, penalty: Any, exempt: Any
) -> Any:
    del shape
    seen = _occurring(past.token_ids, past.token_ids >= 0, logits.shape)
    lowered = ops.where(logits > 0, logits / penalty, logits * penalty)
    lowers = ops.logical_and(seen, ops.logical_not(exempt)[None])
    return ops.where(lowers, lowered, logits)


def _forbid_repeats(
    logits: Any, past: Past, shape: tuple[int, bool, bool], exempt: Any
) -> Any:
    """Forbid what followed a row's last ``size - 1`` tokens before."""
    size, new_only, spares_prompt = shape
    width = past.token_ids.shape[1]
    if size > width:
        return logits
    following = past.token_ids[:, size - 1 :]  # of each place where a tail may stand
    places = ops.arange(width - size + 1, dtype="int32")[None]
    ends = places + size - 1
    matches = ends < past.lengths[:, None]
    for offset in range(size - 1):
        at = ops.maximum(past.lengths - (size - 1) + offset, 0)[:, None]
        last = ops.take_along_axis(past.token_ids, at, axis=1)
        here = past.token_ids[:, offset : offset + width - size + 1]
        matches = ops.logical_and(matches, here == last)
    prompt = past.prompt_lengths[:, None]
    held = ops.logical_and(matches, places >= prompt) if new_only else matches
    repeats = _occurring(following, held, logits.shape)
    if spares_prompt:
        inside = ops.logical_and(matches, ends < prompt)
        known = _occurring(following, inside, logits.shape)
        repeats = ops.logical_and(repeats, ops.logical_not(known))
    banned = ops.logical_and(repeats, ops.logical_not(exempt)[None])
    return ops.where(banned, FORBIDDEN, logits)


def _occurring(token_ids: Any, counts: Any, shape: tuple[int, int]) -> Any:
    """Return bool (batch, vocabulary): tokens that stand where ``counts`` is True."""
    rows, size = shape
    first = ops.arange(rows, dtype="int32")[:, None] * size
    places = ops.reshape(first + ops.maximum(token_ids, 0), (-1, 1))
    ones = ops.reshape(ops.cast(counts, "int32"), (-1,))
    return ops.reshape(ops.scatter(places, ones, (rows * size,)), shape) > 0


def _warm(logits: Any, past: Past, shape: Hashable, temperature: Any) -> Any:
    del past, shape
    return logits / temperature


COUNTERPARTS: dict[type[LogitsRule], Counterpart] = {
    ForbiddenTokens: Counterpart(
        lambda rule, size: (marked(rule.token_ids, size),),
        _allow_but,
        may_forbid_all=True,
    ),
    MinNewTokens: Counterpart(
        lambda rule, size: (
            np.int32(rule.minimum),
            marked(rule.stop_token_ids, size),
        ),
        _hold_back,
        may_forbid_all=True,
    ),
    AllowedFirst: Counterpart(
        lambda rule, size: (marked(rule.token_ids, size),),
        _begin_with,
        may_forbid_all=True,
    ),
    RepetitionPenalty: Counterpart(
        lambda rule, size: (
            np.float32(rule.value),
            marked(rule.exempt_token_ids, size),
        ),
        _penalise,
    ),
    NoRepeatNgram: Counterpart(
        lambda rule, size: (marked(rule.exempt_token_ids, size),),
        _forbid_repeats,
        shape=lambda rule, _: (rule.size, rule.new_tokens_only, rule.spares_prompt),
        may_forbid_all=True,
    ),
    Temperature: Counterpart(
        lambda rule, _: (np.float32(max(rule.value, COLDEST)),), _warm
    ),
    TopK: Counterpart(lambda rule, _: (np.int32(rule.k),), shape=_room),
    TopP: Counterpart(lambda rule, _: (np.float32(rule.value),)),
}
