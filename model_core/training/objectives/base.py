"""What every objective is: a model whose output is its own loss, item by item.

Changes when the trainer needs more of an objective.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from model_core.models.network import Network
from model_core.training.gradients import gradient_at

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one step learns from.

    Attributes:
        task: What is learned, for the report.
        objective: Key of ``OBJECTIVES``.
        inputs: What the objective reads, by name.
        weights: float32 (num_items,), one per loss; 0 where an item only fills up.
        num_tokens: Tokens read, fillers included.
    """

    task: str
    objective: str
    inputs: Arrays
    weights: npt.NDArray[np.float32]
    num_tokens: int

    @property
    def weighted_inputs(self) -> Arrays:
        """The inputs and, as ``weights``, what an adversarial step weighs losses by."""
        return {**self.inputs, "weights": self.weights}


@dataclass(frozen=True, slots=True)
class Tricks:
    """What may be done to any objective.

    Attributes:
        adversarial: Length of the step that every text's embeddings take against the
            loss before it is computed once more (FGM, kexue.fm/archives/7234); 0 for
            none. Doubles the cost.
        sparse_top_k: Only so many tokens share the probability in the loss of a
            target (sparse softmax, kexue.fm/archives/8046); 0 for all.
    """

    adversarial: float = 0.0
    sparse_top_k: int = 0


class Objective(keras.Model):
    """A network and one way to learn: ``call`` returns losses (num_items,).

    Args:
        network: With the heads that the objective reads.
        tricks: What is done besides.
    """

    def __init__(
        self, network: Network, tricks: Tricks | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.network = network
        self.tricks = tricks or Tricks()
        self.built = True

    def call(self, inputs: dict[str, Any], training: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Return the losses, float32 (num_items,), clean plus adversarial ones.

        Args:
            inputs: What the objective reads, by name; with an adversarial step also
                ``weights``, see ``Batch.weighted_inputs``.
            training: Whether dropout acts.
        """
        if not self.tricks.adversarial:
            return self.learn(inputs, None, training=training)
        noise = self._against_the_loss(inputs, training=training)
        clean = self.learn(inputs, None, training=training)
        return clean + self.learn(inputs, noise, training=training)

    def learn(self, inputs: dict[str, Any], noise: Any, *, training: bool) -> Any:
        """Return the loss of every item, float32 (num_items,).

        Args:
            inputs: What the objective reads, by name.
            noise: Added to the embeddings; None for none.
            training: Whether dropout acts.
        """
        del inputs, noise, training
        raise TypeError(f"{type(self).__name__} does not say what it learns")

    def _against_the_loss(self, inputs: dict[str, Any], *, training: bool) -> Any:
        shape = (*ops.shape(inputs["token_ids"]), self.network.config.input_width)
        weights = ops.cast(inputs["weights"], "float32")

        def loss(noise: Any) -> Any:
            return ops.sum(weights * self.learn(inputs, noise, training=training))

        gradient = gradient_at(loss, ops.zeros(shape, "float32"))
        norm = ops.sqrt(ops.sum(ops.square(gradient), axis=(1, 2), keepdims=True))
        step = self.tricks.adversarial * gradient / (norm + 1e-12)
        return ops.stop_gradient(step)


def weighted_mean(weights: Any, losses: Any) -> Any:
    """Return the mean loss; the signature is that of a Keras loss."""
    weights = ops.cast(weights, "float32")
    return ops.sum(weights * losses) / ops.maximum(ops.sum(weights), 1e-6)


def cross_entropy(targets: Any, logits: Any) -> Any:
    """Return the negative log-likelihood (num_items,) in nats."""
    return keras.losses.sparse_categorical_crossentropy(
        targets, logits, from_logits=True
    )
