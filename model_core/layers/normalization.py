"""Layer normalisation, in float32 whatever the policy. Knows no position in a block."""

from typing import Any

import keras
from keras import ops


class LayerNorm(keras.layers.Layer):
    """Normalise the last axis, then scale and shift (arXiv 1607.06450).

    With a ``condition_size`` a vector may shift ``gamma`` and ``beta`` linearly. These
    maps start at zero: an untrained condition changes nothing, and without a condition
    the norm is the plain one (kexue.fm/archives/7124).

    Statistics and the affine map are computed in float32; the result has the policy's
    compute dtype.

    Args:
        epsilon: Added to the variance.
        condition_size: Width of the condition; 0 for a norm that knows none.
    """

    def __init__(
        self, epsilon: float = 1e-12, *, condition_size: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.condition_size = condition_size

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create ``gamma`` and ``beta`` of the last axis' size, and their maps."""
        width = input_shape[-1]
        self.gamma = self._weight("gamma", (width,), "ones")
        self.beta = self._weight("beta", (width,), "zeros")
        if self.condition_size:
            shape = (self.condition_size, width)
            self.gamma_kernel = self._weight("gamma_kernel", shape, "zeros")
            self.beta_kernel = self._weight("beta_kernel", shape, "zeros")
        self.built = True

    def call(self, inputs: Any, condition: Any = None) -> Any:
        """Normalise (..., width).

        Args:
            inputs: (..., width).
            condition: (..., condition_size), axes before the last broadcast to those
                of ``inputs``; None for the plain norm.
        """
        x = ops.cast(inputs, "float32")
        centred = x - ops.mean(x, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        gamma, beta = ops.cast(self.gamma, "float32"), ops.cast(self.beta, "float32")
        if condition is not None:
            condition = ops.cast(condition, "float32")
            gamma = gamma + ops.matmul(
                condition, ops.cast(self.gamma_kernel, "float32")
            )
            beta = beta + ops.matmul(condition, ops.cast(self.beta_kernel, "float32"))
        normed = centred * ops.rsqrt(variance + self.epsilon) * gamma + beta
        return ops.cast(normed, self.compute_dtype)

    def _weight(self, name: str, shape: tuple[Any, ...], initializer: str) -> Any:
        return self.add_weight(
            shape=shape, initializer=initializer, name=name, autocast=False
        )
