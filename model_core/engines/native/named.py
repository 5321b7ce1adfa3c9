"""A network's weights by name, each made an array when it is asked for.

Changes when weights are handed over in another way. A big network's matrices are packed
one by one: never all of them twice.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from model_core.models.network import Network, weights_by_name

Floats = npt.NDArray[np.float32]


class NamedWeights(Mapping[str, Floats]):
    """Float32 arrays by the names that the checkpoint tables use.

    Args:
        variables: Whose values are asked for.
    """

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = variables

    @classmethod
    def of(cls, network: Network) -> "NamedWeights":
        """Return those of a whole network."""
        return cls(weights_by_name(network))

    def under(self, prefix: str) -> "NamedWeights":
        """Return those whose names begin so, without that beginning."""
        return NamedWeights(
            {
                name.removeprefix(prefix): variable
                for name, variable in self._variables.items()
                if name.startswith(prefix)
            }
        )

    def __getitem__(self, name: str) -> Floats:
        """Return a weight's present value."""
        return array_of(self._variables[name])

    def __iter__(self) -> Iterator[str]:
        """Yield every name."""
        return iter(self._variables)

    def __len__(self) -> int:
        """Return how many weights there are."""
        return len(self._variables)


def array_of(variable: Any) -> Floats:
    """Return a variable's or a tensor's numbers as float32."""
    values = variable.numpy() if hasattr(variable, "numpy") else np.asarray(variable)
    return np.asarray(values, "float32")
