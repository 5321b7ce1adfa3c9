"""The gradient of a scalar within a step, for the backends. The only branch on them.

Changes when a backend wants it differently. Keras has no function of this kind.
"""

from collections.abc import Callable
from typing import Any

import keras

Scalar = Callable[[Any], Any]


def _tensorflow(function: Scalar, point: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415 - only where it is the backend

    with tf.GradientTape() as tape:
        tape.watch(point)
        value = function(point)
    return tape.gradient(value, point)


def _jax(function: Scalar, point: Any) -> Any:
    import jax  # noqa: PLC0415

    return jax.grad(function)(point)


def _torch(function: Scalar, point: Any) -> Any:
    import torch  # noqa: PLC0415

    with torch.enable_grad():
        leaf = point.detach().requires_grad_()
        return torch.autograd.grad(function(leaf), leaf)[0]


BACKENDS: dict[str, Callable[[Scalar, Any], Any]] = {
    "tensorflow": _tensorflow,
    "jax": _jax,
    "torch": _torch,
}


def gradient_at(function: Scalar, point: Any) -> Any:
    """Return the gradient of a scalar function, of the point's shape.

    Args:
        function: From a tensor to a scalar tensor.
        point: Where.
    """
    return BACKENDS[keras.backend.backend()](function, point)
