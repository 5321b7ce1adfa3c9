"""What every head is given and what it returns. Knows no head."""

from typing import Any, NamedTuple

import keras

from model_core.config import TransformerConfig
from model_core.layers.initialization import kernel_initializer


class HiddenStates(NamedTuple):
    """What the body hands to its heads, each (batch, length, width).

    Attributes:
        hidden: After the last norm.
        residual: The residual stream before it.
    """

    hidden: Any
    residual: Any


class Head(keras.layers.Layer):
    """Reads named outputs off hidden states."""

    def __init__(self, config: TransformerConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.init = kernel_initializer(config.initializer_range)

    def build(self, input_shape: Any = None) -> None:
        """Create the head's weights, if it has any."""
        del input_shape
        self.built = True

    def call(self, states: HiddenStates, embeddings: Any) -> dict[str, Any]:
        """Map hidden states (batch, length, width) to named outputs.

        Args:
            states: Hidden states and residual.
            embeddings: The token embedding (vocabulary, width).

        Returns:
            Outputs by name.
        """
        del states, embeddings
        raise TypeError(f"{type(self).__name__} does not say what it reads")

    def apply(self, *arrays: Any) -> dict[str, Any]:
        """Answer about what was read already; heads that can say more override it."""
        raise TypeError(
            f"{type(self).__name__} is not asked twice, received {len(arrays)} arrays"
        )

    def dense(self, units: int, name: str) -> keras.layers.Dense:
        """Return a projection with this head's policy and initialiser."""
        return keras.layers.Dense(
            units, kernel_initializer=self.init, dtype=self.dtype_policy, name=name
        )
