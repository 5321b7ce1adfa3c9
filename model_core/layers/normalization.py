"""Layer normalisation, in float32 whatever the policy. Knows no position in a block."""

from typing import Any

import keras
from keras import ops


class LayerNorm(keras.layers.Layer):
    """Normalise the last axis, then scale and shift (arXiv 1607.06450).

    Statistics and the affine map are computed in float32; the result has the policy's
    compute dtype.

    Args:
        epsilon: Added to the variance.
    """

    def __init__(self, epsilon: float = 1e-12, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create ``gamma`` and ``beta`` of the last axis' size."""
        width = input_shape[-1]
        self.gamma = self.add_weight(
            shape=(width,), initializer="ones", name="gamma", autocast=False
        )
        self.beta = self.add_weight(
            shape=(width,), initializer="zeros", name="beta", autocast=False
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Normalise (..., width)."""
        x = ops.cast(inputs, "float32")
        centred = x - ops.mean(x, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        gamma, beta = ops.cast(self.gamma, "float32"), ops.cast(self.beta, "float32")
        normed = centred * ops.rsqrt(variance + self.epsilon) * gamma + beta
        return ops.cast(normed, self.compute_dtype)
