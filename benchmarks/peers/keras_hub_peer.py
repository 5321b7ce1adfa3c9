"""keras-hub: its own networks, fed from the folder by its own converter.

Changes when its way of loading or writing changes.
"""

import os
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import keras_hub
import numpy as np

from benchmarks.contract import Floats, Setup
from benchmarks.shapes import Ints


def prepare(setup: Setup, part: str) -> None:
    """Convert nothing: it reads what transformers wrote."""
    del setup, part


def versions() -> dict[str, str]:
    """See ``Contender.versions``."""
    return {
        "keras-hub": keras_hub.__version__,
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
    }


def decoder(setup: Setup) -> "Generating":
    """See ``Contender.decoder``."""
    backbone = keras_hub.models.GPT2Backbone.from_preset(str(setup.source))
    network = keras_hub.models.GPT2CausalLM(backbone=backbone, preprocessor=None)
    network.compile(sampler="greedy")
    return Generating(network)


def reader(setup: Setup) -> "Reading":
    """See ``Contender.reader``."""
    return Reading(keras_hub.models.BertBackbone.from_preset(str(setup.source)))


class Generating:
    """A ``Decoder`` by ``generate``.

    Args:
        network: Takes padded ids and a mask of the prompt.
    """

    def __init__(self, network: Any) -> None:
        self._network = network

    def greedy(self, prompts: Ints, num_new: int) -> Ints:
        """See ``Decoder.greedy``."""
        length = prompts.shape[1]
        ids = np.pad(prompts, [(0, 0), (0, num_new)])
        real = np.broadcast_to(np.arange(length + num_new) < length, ids.shape)
        made = self._network.generate(
            {"token_ids": ids, "padding_mask": real}, stop_token_ids=None
        )
        return np.asarray(made["token_ids"], "int32")[:, length:]


class Reading:
    """A ``Reader``.

    Args:
        network: An encoder.
    """

    def __init__(self, network: Any) -> None:
        self._network = network

    def read(self, token_ids: Ints) -> Floats:
        """See ``Reader.read``."""
        given = {
            "token_ids": token_ids,
            "segment_ids": np.zeros_like(token_ids),
            "padding_mask": np.ones_like(token_ids),
        }
        made = self._network.predict_on_batch(given)
        return np.asarray(made["sequence_output"], "float32")
