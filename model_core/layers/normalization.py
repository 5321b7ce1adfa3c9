"""Normalisation, in float32 whatever the policy. Knows no position in a block."""

from typing import Any

import keras
from keras import ops

from model_core.config import TransformerConfig


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


class RmsNorm(keras.layers.Layer):
    """Divide by the root of the mean square; no mean, no shift (arXiv 1910.07467).

    Args:
        epsilon: Added to the mean square.
        weighted: Whether a learned ``gamma`` scales the result (T5).
    """

    def __init__(
        self, epsilon: float = 1e-6, *, weighted: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.weighted = weighted

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create ``gamma`` of the last axis' size, where there is one."""
        if self.weighted:
            self.gamma = self.add_weight(
                shape=(input_shape[-1],),
                initializer="ones",
                name="gamma",
                autocast=False,
            )
        self.built = True

    def call(self, inputs: Any, condition: Any = None) -> Any:
        """Normalise (..., width); takes no condition.

        Raises:
            ValueError: A condition is given.
        """
        if condition is not None:
            raise ValueError("RmsNorm takes no condition, received one")
        x = ops.cast(inputs, "float32")
        mean = ops.mean(ops.square(x), axis=-1, keepdims=True)
        normed = x * ops.rsqrt(mean + self.epsilon)
        if self.weighted:
            normed = normed * ops.cast(self.gamma, "float32")
        return ops.cast(normed, self.compute_dtype)


def norm_of(config: TransformerConfig, **options: Any) -> keras.layers.Layer:
    """Return a fresh norm of the kind that a config asks for."""
    if config.norm_kind != "layer":
        weighted = config.norm_kind == "rms"
        return RmsNorm(config.layer_norm_eps, weighted=weighted, **options)
    size = config.condition_size if config.num_conditions else 0
    return LayerNorm(config.layer_norm_eps, condition_size=size, **options)
