"""Heads that the kernels read: the vocabulary's, and plain projections.

Changes when a head is worth a kernel; every other is read by the reference engine.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from model_core.config import TransformerConfig
from model_core.engines.native.calls import Kernels
from model_core.engines.native.named import Floats, NamedWeights
from model_core.engines.native.panels import PackedLinear, PackedNorm, Precision
from model_core.engines.native.passes import Outputs
from model_core.engines.native.structs import NORM_KINDS
from model_core.models.heads.base import Head, TokenTable
from model_core.models.heads.reading import CopyHead, SpanHead
from model_core.models.heads.vocabulary import (
    LanguageModelHead,
    MaskedLanguageModelHead,
)

ReadHead = Callable[[Floats], Outputs]
"""From (num_rows, hidden_size) to outputs (num_rows, ...) by name."""


@dataclass(frozen=True, slots=True)
class HeadWeights:
    """What a head is read with.

    Attributes:
        config: The network's sizes.
        own: The head's weights, without its name.
        table: The token embedding, as arrays.
        kernels: Do the sums.
        precision: How the vocabulary's matrix is multiplied.
    """

    config: TransformerConfig
    own: NamedWeights
    table: TokenTable
    kernels: Kernels
    precision: Precision


def native_head(head: Head, weights: HeadWeights) -> ReadHead | None:
    """Return a head's reading by the kernels; None for one they do not know."""
    for kind, build in _READERS.items():
        if type(head) is kind:
            return build(weights)
    return None


class _Scores:
    """The scores of every token: (rows, width) x (vocabulary, width)."""

    def __init__(self, weights: HeadWeights, table: TokenTable) -> None:
        rows = np.asarray(table.rows, "float32")
        bias = weights.own.get("bias")
        self._packed = PackedLinear.of(rows.T, bias, weights.precision)
        self._back = None
        if table.projection is not None:
            self._back = PackedLinear.of(np.asarray(table.projection, "float32").T)
        self._kernels = weights.kernels

    def __call__(self, hidden: Floats) -> Floats:
        """Return float32 (rows, vocabulary)."""
        if self._back is not None:
            hidden = self._kernels.linear(self._back, hidden)
        return self._kernels.linear(self._packed, hidden)


def _language_model(weights: HeadWeights) -> ReadHead:
    own = weights.own.get("embeddings")
    scores = _Scores(weights, weights.table if own is None else TokenTable(own))
    scale = np.float32(weights.config.head_scale)
    if scale == 1:
        return lambda hidden: {"logits": scores(hidden)}
    return lambda hidden: {"logits": scores(hidden * scale)}


def _masked_lm(weights: HeadWeights) -> ReadHead:
    scores = _Scores(weights, weights.table)
    config, own, kernels = weights.config, weights.own, weights.kernels
    if not config.masked_lm_transform:
        return lambda hidden: {"logits": scores(hidden)}
    transform = PackedLinear.of(own["transform/kernel"], own["transform/bias"])
    norm = PackedNorm.of(
        NORM_KINDS["layer"],
        config.layer_norm_eps,
        own["norm/gamma"],
        own["norm/beta"],
    )

    def read(hidden: Floats) -> Outputs:
        mixed = kernels.linear(transform, hidden, config.hidden_act)
        return {"logits": scores(kernels.norm(norm, mixed))}

    return read


def _dense(weights: HeadWeights) -> Callable[[Floats], Floats]:
    dense = PackedLinear.of(weights.own["dense/kernel"], weights.own["dense/bias"])
    return lambda hidden: weights.kernels.linear(dense, hidden)


def _span(weights: HeadWeights) -> ReadHead:
    scores = _dense(weights)

    def read(hidden: Floats) -> Outputs:
        start, end = scores(hidden).T
        return {"start_logits": start, "end_logits": end}

    return read


def _copy(weights: HeadWeights) -> ReadHead:
    scores = _dense(weights)
    return lambda hidden: {"copy_logits": scores(hidden)}


_READERS: dict[type[Head], Callable[[HeadWeights], ReadHead]] = {
    LanguageModelHead: _language_model,
    MaskedLanguageModelHead: _masked_lm,
    SpanHead: _span,
    CopyHead: _copy,
}
