"""What every head is given and what it returns. Knows no head."""

from typing import Any, NamedTuple

import keras

from model_core.config import TransformerConfig
from model_core.layers.initialization import kernel_initializer


class HiddenStates(NamedTuple):
    """What the body hands to its heads.

    Attributes:
        hidden: (batch, length, width), after the last norm.
        residual: (batch, length, width), the residual stream before it.
        last: int (batch,), the place of each row's last real token; None where that
            is the last of the length.
    """

    hidden: Any
    residual: Any
    last: Any = None


class TokenTable(NamedTuple):
    """What tokens were looked up in, and may be scored by.

    Attributes:
        rows: (vocabulary, embedding_width).
        projection: (embedding_width, width) where states are of the width that rows
            are projected to before anything is added to them; None where they are not.
    """

    rows: Any
    projection: Any = None


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

    def call(self, states: HiddenStates, embeddings: TokenTable) -> dict[str, Any]:
        """Map hidden states (batch, length, width) to named outputs.

        Args:
            states: Hidden states and residual.
            embeddings: The token embedding.

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
