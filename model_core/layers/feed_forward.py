"""The position-wise half of a block. Knows no residual and no norm."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from model_core.layers.initialization import kernel_initializer

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "gelu": lambda x: ops.gelu(x, approximate=False),
    "gelu_new": lambda x: ops.gelu(x, approximate=True),
    "relu": ops.relu,
}


class FeedForward(keras.layers.Layer):
    """Widen, activate, narrow.

    Args:
        units: Width inside.
        output_units: Width outside.
        activation: A key of ``ACTIVATIONS``.
        initializer_range: Standard deviation of fresh kernels.
    """

    def __init__(
        self,
        units: int,
        output_units: int,
        *,
        activation: str,
        initializer_range: float = 0.02,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        init = kernel_initializer(initializer_range)
        self.inner, self.outer = (
            keras.layers.Dense(
                width, kernel_initializer=init, dtype=self.dtype_policy, name=name
            )
            for name, width in (("inner", units), ("outer", output_units))
        )
        self.activation = ACTIVATIONS[activation]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create both projections."""
        self.inner.build(input_shape)
        self.outer.build((*input_shape[:-1], self.inner.units))
        self.built = True

    def call(self, hidden: Any) -> Any:
        """Map (batch, length, width) to the same shape."""
        return self.outer(self.activation(self.inner(hidden)))
