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
    "silu": ops.silu,
    "tanh": ops.tanh,
    "linear": lambda x: x,
}


class FeedForward(keras.layers.Layer):
    """Widen, activate, narrow.

    Args:
        units: Width inside.
        output_units: Width outside.
        activation: A key of ``ACTIVATIONS``.
        gated: Whether a second projection, without activation, multiplies the first
            (arXiv 2002.05202).
        use_bias: Whether the projections have biases.
        initializer_range: Standard deviation of fresh kernels.
    """

    def __init__(
        self,
        units: int,
        output_units: int,
        *,
        activation: str,
        gated: bool = False,
        use_bias: bool = True,
        initializer_range: float = 0.02,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        init = kernel_initializer(initializer_range)

        def dense(name: str, width: int) -> keras.layers.Dense:
            return keras.layers.Dense(
                width,
                use_bias=use_bias,
                kernel_initializer=init,
                dtype=self.dtype_policy,
                name=name,
            )

        self.inner, self.outer = dense("inner", units), dense("outer", output_units)
        self.gate = dense("gate", units) if gated else None
        self.activation = ACTIVATIONS[activation]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the projections."""
        self.inner.build(input_shape)
        if self.gate is not None:
            self.gate.build(input_shape)
        self.outer.build((*input_shape[:-1], self.inner.units))
        self.built = True

    def call(self, hidden: Any) -> Any:
        """Map (batch, length, width) to the same shape."""
        wide = self.activation(self.inner(hidden))
        if self.gate is not None:
            wide = wide * self.gate(hidden)
        return self.outer(wide)
