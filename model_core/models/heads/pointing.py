"""Heads that point at subjects and objects. Change when another decoder comes."""

from typing import Any

import keras
from keras import ops

from model_core.config import TransformerConfig
from model_core.layers.normalization import LayerNorm
from model_core.layers.rotary import rotary_angles, rotate
from model_core.models.heads.base import Head, HiddenStates, TokenTable

POINTER_SIZE = 64


class HalfPointerHead(Head):
    """Subjects first, then each one's objects (kexue.fm/archives/7161).

    A subject's start and end states, taken from the residual stream before the last
    norm and laid side by side, condition a norm over that same stream; objects are
    read off its result, a start and an end per relation.
    """

    def build(self, input_shape: Any = None) -> None:
        """Create the subject's and the objects' projections and the norm."""
        del input_shape
        width = (None, None, self.config.hidden_size)
        self.subjects = self.dense(2, "subjects")
        self.norm = LayerNorm(
            self.config.layer_norm_eps,
            condition_size=2 * self.config.hidden_size,
            dtype=self.dtype_policy,
            name="norm",
        )
        self.objects = self.dense(2 * self.config.num_relations, "objects")
        for part in (self.subjects, self.norm, self.objects):
            part.build(width)
        self.built = True

    def call(self, states: HiddenStates, embeddings: TokenTable) -> dict[str, Any]:
        """Return ``subject_logits`` (batch, length, 2) and ``residual``, float32."""
        del embeddings
        return {
            "subject_logits": ops.cast(self.subjects(states.hidden), "float32"),
            "residual": ops.cast(states.residual, "float32"),
        }

    def apply(self, residual: Any, starts: Any, ends: Any) -> dict[str, Any]:
        """Return the objects of one subject per row.

        Args:
            residual: (batch, length, width).
            starts: int (batch,), the subject's first token.
            ends: int (batch,), its last token.

        Returns:
            ``object_logits`` float32 (batch, length, relations, 2).
        """
        residual = ops.cast(residual, self.compute_dtype)
        edges = ops.concatenate(
            [
                ops.take_along_axis(residual, place[:, None, None], axis=1)
                for place in (starts, ends)
            ],
            axis=-1,
        )
        scores = ops.cast(self.objects(self.norm(residual, edges)), "float32")
        batch, length = ops.shape(scores)[:2]
        shape = (batch, length, self.config.num_relations, 2)
        return {"object_logits": ops.reshape(scores, shape)}


class GlobalPointer(keras.layers.Layer):
    """Scores every (first, second) pair of positions for several kinds at once.

    The efficient form (kexue.fm/archives/8877): one scaled product for all kinds, plus
    what each position says alone about each kind.

    Args:
        kinds: Number of kinds.
        rotary: Turn queries and keys by their positions, for spans.
    """

    def __init__(self, kinds: int, *, rotary: bool, head: Head, **kwargs: Any) -> None:
        super().__init__(dtype=head.dtype_policy, **kwargs)
        self.rotary = rotary
        self.sides = head.dense(2 * POINTER_SIZE, "sides")
        self.alone = head.dense(2 * kinds, "alone")
        self.kinds = kinds

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create both projections."""
        self.sides.build(input_shape)
        self.alone.build((None, None, 2 * POINTER_SIZE))
        self.built = True

    def call(self, hidden: Any) -> tuple[Any, Any]:
        """Return what a pair's score is made of, float32.

        ``score[k, i, j] = shared[i, j] + alone[i, 0, k] + alone[j, 1, k]``

        Args:
            hidden: (batch, length, width).

        Returns:
            ``shared`` (batch, length, length) and ``alone`` (batch, length, 2, kinds).
        """
        sides = self.sides(hidden)
        first, second = ops.split(sides, 2, axis=-1)
        if self.rotary:
            positions = ops.arange(ops.shape(hidden)[1])[None, :]
            angles = rotary_angles(positions, POINTER_SIZE, 10_000.0)
            first = rotate(first[:, None], angles)[:, 0]
            second = rotate(second[:, None], angles)[:, 0]
        shared = ops.einsum("bid,bjd->bij", first, second) / POINTER_SIZE**0.5
        alone = self.alone(sides) / 2
        batch, length = ops.shape(alone)[:2]
        alone = ops.reshape(alone, (batch, length, 2, self.kinds))
        return ops.cast(shared, "float32"), ops.cast(alone, "float32")


class GPLinkerHead(Head):
    """Entities, and which of them are joined, head to head and tail to tail (8888)."""

    def __init__(self, config: TransformerConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        relations = config.num_relations
        self.pointers = {
            "entity": GlobalPointer(2, rotary=True, head=self, name="entity"),
            "heads": GlobalPointer(relations, rotary=False, head=self, name="heads"),
            "tails": GlobalPointer(relations, rotary=False, head=self, name="tails"),
        }

    def build(self, input_shape: Any = None) -> None:
        """Create the three pointers."""
        del input_shape
        for pointer in self.pointers.values():
            pointer.build((None, None, self.config.hidden_size))
        self.built = True

    def call(self, states: HiddenStates, embeddings: TokenTable) -> dict[str, Any]:
        """Return each pointer's parts as ``entity_shared``, ``entity_alone`` etc."""
        del embeddings
        outputs: dict[str, Any] = {}
        for name, pointer in self.pointers.items():
            shared, alone = pointer(states.hidden)
            outputs |= {f"{name}_shared": shared, f"{name}_alone": alone}
        return outputs
