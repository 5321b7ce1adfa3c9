"""Answers pointed at: spans over the windows of several passages, and "no answer".

Changes when start and end scores are read otherwise. Devlin et al. 2018
(arXiv 1810.04805, section 4.3): a span scores its start's and its end's logit, [CLS]
stands for no answer. Windows are read apart and compared by their logits: one softmax
runs over the edges of them all (Clark and Gardner, arXiv 1710.10723, "shared-norm"),
for a window that holds no answer is as sure of its best span as any other once its own
scores sum to one. "No answer" scores what the window that doubts it most gives it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Probabilities = npt.NDArray[np.float64]

BEST_EDGES = 20  # of every window; a span is made of two of them


class EdgeLogits(NamedTuple):
    """One window's scores; entry 0 of both is [CLS], the others are its tokens.

    Attributes:
        starts: (1 + length,).
        ends: (1 + length,).
    """

    starts: Floats
    ends: Floats


class PointedSpan(NamedTuple):
    """Tokens ``first`` to ``last`` of a window, both inside; probability 0..1."""

    window: int
    first: int
    last: int
    probability: float


@dataclass(frozen=True, slots=True)
class PointedReading:
    """What the windows say together, and each alone.

    Attributes:
        spans: Most probable first, among all windows.
        none: Probability that no window has an answer.
        own_spans: Per window its best span, as probable as it alone finds it; None
            where it has no token.
        own_none: Per window.
    """

    spans: tuple[PointedSpan, ...]
    none: float
    own_spans: tuple[PointedSpan | None, ...]
    own_none: tuple[float, ...]


def softmax(logits: Floats) -> Probabilities:
    """Return probabilities over the last axis, float64."""
    shifted = logits.astype("float64")
    shifted -= shifted.max(axis=-1, keepdims=True)
    weights = np.exp(shifted)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def read_spans(
    windows: Sequence[EdgeLogits], longest: int, count: int
) -> PointedReading:
    """Read spans off the edges of all windows.

    Args:
        windows: At least one.
        longest: Most tokens of a span, >= 1.
        count: Most spans of one window, >= 1.
    """
    doubted = min(windows, key=lambda window: window.starts[0] + window.ends[0])
    none, shared = _normalised(windows, doubted)
    spans = [
        PointedSpan(index, *span)
        for index, edges in enumerate(shared)
        for span in _best(edges, longest, count)
    ]
    spans.sort(key=lambda span: -span.probability)
    own_spans: list[PointedSpan | None] = []
    own_none: list[float] = []
    for index, window in enumerate(windows):
        nothing, (edges,) = _normalised([window], window)
        best = _best(edges, longest, 1)
        own_spans.append(PointedSpan(index, *best[0]) if best else None)
        own_none.append(nothing)
    return PointedReading(tuple(spans), none, tuple(own_spans), tuple(own_none))


class _Edges(NamedTuple):
    starts: Probabilities
    ends: Probabilities


def _normalised(
    windows: Sequence[EdgeLogits], doubted: EdgeLogits
) -> tuple[float, list[_Edges]]:
    """Return p(no answer) and every window's edges, of one softmax each."""
    none = 1.0
    columns: list[list[Probabilities]] = []
    cuts = np.cumsum([len(window.starts) - 1 for window in windows])[:-1]
    for side in (0, 1):
        inside = [window[side][1:] for window in windows]
        joint = softmax(np.concatenate([doubted[side][:1], *inside]))
        none *= float(joint[0])
        columns.append(np.split(joint[1:], cuts))
    return none, [_Edges(*pair) for pair in zip(*columns, strict=True)]


def _best(edges: _Edges, longest: int, count: int) -> list[tuple[int, int, float]]:
    firsts, lasts = (np.argsort(-p, kind="stable")[:BEST_EDGES] for p in edges)
    spans = [
        (int(first), int(last), float(edges.starts[first] * edges.ends[last]))
        for first in firsts
        for last in lasts
        if first <= last < first + longest
    ]
    spans.sort(key=lambda span: -span[2])
    return spans[:count]
