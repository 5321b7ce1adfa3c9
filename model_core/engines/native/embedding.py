"""Token ids become vectors: the few rows of big tables that a pass needs, in numpy.

Changes when a config adds something else to a token's embedding.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from model_core.config import TransformerConfig
from model_core.engines.native.calls import Kernels
from model_core.engines.native.named import Floats, NamedWeights
from model_core.engines.native.norms import packed_norm
from model_core.engines.native.panels import PackedLinear, PackedNorm
from model_core.engines.native.weights import waves_of

Ints = npt.NDArray[Any]
TABLES = ("position", "segment", "task", "mark")
NORM = "embedding_norm"
PROJECTION = "embedding_projection"


class NativeEmbedding:
    """What one Transformer adds up for every token; see ``Transformer.embed``.

    Args:
        config: Its sizes.
        named: Its weights, without prefix.
        tokens: The token embedding (vocabulary, embedding_width).
        kernels: Run norm and projection.
    """

    def __init__(
        self,
        config: TransformerConfig,
        named: NamedWeights,
        tokens: Floats,
        kernels: Kernels,
    ) -> None:
        self._config = config
        self._tokens = tokens
        self._named = named
        self._kernels = kernels
        self._tables = {
            name: named[f"{name}_embedding/embeddings"]
            for name in TABLES
            if f"{name}_embedding/embeddings" in named
        }
        self._norm = self.norm()
        self._projection = None
        if f"{PROJECTION}/kernel" in named:
            self._projection = PackedLinear.of(
                named[f"{PROJECTION}/kernel"], named.get(f"{PROJECTION}/bias")
            )

    def norm(self, condition: Floats | None = None) -> PackedNorm | None:
        """Return the norm after the sum, shifted by a condition; None without one."""
        if not self._config.embedding_norm:
            return None
        return packed_norm(self._config, self._named, NORM, condition)

    def __call__(
        self,
        token_ids: Ints,
        positions: Ints,
        segment_ids: Ints | None = None,
        mark_ids: Ints | None = None,
        norm: PackedNorm | None = None,
    ) -> Floats:
        """Return (num_rows, hidden_size) of (num_rows,) ids.

        Args:
            token_ids: int (num_rows,).
            positions: int (num_rows,).
            segment_ids: int (num_rows,); zeros where None.
            mark_ids: int (num_rows,); 0 says nothing.
            norm: In place of the plain one; see ``norm``.
        """
        hidden = self._tokens[token_ids]
        if self._config.projected_first:
            hidden = self._projected(hidden)
        if self._config.embedding_scale != 1:
            hidden = hidden * np.float32(self._config.embedding_scale)
        for says in (
            *self._of_places(positions),
            *self._of_types(token_ids, segment_ids),
            *self._of_marks(mark_ids),
        ):
            hidden = hidden + says
        chosen = norm or self._norm
        if chosen is not None:
            hidden = self._kernels.norm(chosen, hidden)
        if not self._config.projected_first:
            hidden = self._projected(hidden)
        return np.ascontiguousarray(hidden, "float32")

    def _of_places(self, positions: Ints) -> Iterator[Floats]:
        """Yield what is added for where a token stands."""
        if "position" in self._tables:
            yield self._tables["position"][positions]
        if self._config.position_kind == "sinusoidal":
            yield waves_of(positions, self._config.input_width, interleaved=False)

    def _of_types(self, token_ids: Ints, segment_ids: Ints | None) -> Iterator[Floats]:
        """Yield what is added for the segment and the task that a token is of."""
        if self._config.segments_are_tokens and segment_ids is not None:
            yield self._tokens[segment_ids]
        if "segment" in self._tables:
            known = np.zeros_like(token_ids) if segment_ids is None else segment_ids
            yield self._tables["segment"][known]
        if "task" in self._tables:
            yield self._tables["task"][:1]

    def _of_marks(self, mark_ids: Ints | None) -> Iterator[Floats]:
        """Yield what a mark says, nothing for mark 0."""
        if "mark" in self._tables and mark_ids is not None:
            is_marked = (mark_ids > 0).astype("float32")[:, None]
            yield self._tables["mark"][mark_ids] * is_marked

    def _projected(self, hidden: Floats) -> Floats:
        """Widen factorised embeddings; leave the others alone."""
        if self._projection is None:
            return hidden
        return self._kernels.linear(self._projection, hidden)
