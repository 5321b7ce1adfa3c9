"""OpenVINO: what ``openvino_export`` made, keys and values inside.

Changes when its way of asking changes.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
import openvino

from benchmarks.contract import BeamWriter, Decoder, Floats, GreedySteps, Setup
from benchmarks.shapes import Ints

EXACT = {
    "KV_CACHE_PRECISION": "f32",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
    "INFERENCE_PRECISION_HINT": "f32",
}
"""Its usual settings round keys, values and activations; float32 is to be float32."""


def prepare(setup: Setup, part: str) -> None:
    """Export and compress; nothing of that is loaded where it is measured."""
    import_module("benchmarks.peers.openvino_export").prepare(setup, part)


def versions() -> dict[str, str]:
    """See ``Contender.versions``."""
    names = ("openvino", "optimum-intel", "nncf")
    return {name: version(name) for name in names}


def decoder(setup: Setup) -> Decoder:
    """See ``Contender.decoder``."""
    return GreedySteps(Steps(compiled(setup)))


def reader(setup: Setup) -> "Reading":
    """See ``Contender.reader``."""
    return Reading(compiled(setup))


def beam_writer(setup: Setup) -> BeamWriter:
    """See ``Contender.beam_writer``: the search is transformers', through optimum."""
    kind = import_module("optimum.intel").OVModelForSeq2SeqLM
    network = kind.from_pretrained(setup.made, ov_config=settings(setup))
    generating = import_module("benchmarks.peers.transformers_peer").Generating
    writer: BeamWriter = generating(network)
    return writer


def settings(setup: Setup) -> dict[str, str]:
    """Return how networks run."""
    exact = EXACT if setup.precision == "float32" else {}
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": str(setup.threads),
        **exact,
    }


def compiled(setup: Setup) -> Any:
    """Return the exported network, ready to run."""
    core = openvino.Core()
    path = setup.made / "openvino_model.xml"
    return core.compile_model(path, "CPU", settings(setup))


class Steps:
    """Steps of a graph that keeps its keys and values inside.

    Args:
        network: The compiled decoder.
    """

    def __init__(self, network: Any) -> None:
        self._request = network.create_infer_request()
        self._inputs = {name for port in network.inputs for name in port.get_names()}

    def read(self, prompts: Ints, num_new: int) -> tuple[Floats, Any]:
        """See ``Steps.read``."""
        del num_new
        self._request.reset_state()
        positions = np.broadcast_to(np.arange(prompts.shape[1]), prompts.shape)
        return self._run(prompts, positions)

    def step(self, token_ids: Ints, positions: Ints, cache: Any) -> tuple[Floats, Any]:
        """See ``Steps.step``."""
        del cache
        return self._run(token_ids[:, None], positions[:, None])

    def _run(self, ids: Ints, positions: Any) -> tuple[Floats, Any]:
        seen = int(positions[0, -1]) + 1
        given = {
            "input_ids": ids.astype("int64"),
            "attention_mask": np.ones((len(ids), seen), "int64"),
            "position_ids": np.ascontiguousarray(positions, "int64"),
            "beam_idx": np.arange(len(ids), dtype="int32"),
        }
        self._request.infer(
            {name: given[name] for name in given if name in self._inputs}
        )
        return self._request.get_tensor("logits").data[:, -1], None


class Reading:
    """A ``Reader``.

    Args:
        network: The compiled encoder.
    """

    def __init__(self, network: Any) -> None:
        self._request = network.create_infer_request()
        self._inputs = {name for port in network.inputs for name in port.get_names()}

    def read(self, token_ids: Ints) -> Floats:
        """See ``Reader.read``."""
        ids = token_ids.astype("int64")
        given = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        self._request.infer(
            {name: given[name] for name in given if name in self._inputs}
        )
        states: Floats = self._request.get_tensor("last_hidden_state").data.copy()
        return states
