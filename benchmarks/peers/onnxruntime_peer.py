"""ONNX Runtime: what ``onnxruntime_export`` made, with past keys and values.

Changes when its way of asking changes.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
import onnxruntime

from benchmarks.contract import BeamWriter, Decoder, Floats, GreedySteps, Setup
from benchmarks.shapes import Ints

CPU = ["CPUExecutionProvider"]


def prepare(setup: Setup, part: str) -> None:
    """Export and quantise; nothing of that is loaded where it is measured."""
    import_module("benchmarks.peers.onnxruntime_export").prepare(setup, part)


def versions() -> dict[str, str]:
    """See ``Contender.versions``."""
    names = ("onnxruntime", "optimum-onnx")
    return {name: version(name) for name in names}


def decoder(setup: Setup) -> Decoder:
    """See ``Contender.decoder``."""
    return GreedySteps(Steps(session(setup)))


def reader(setup: Setup) -> "Reading":
    """See ``Contender.reader``."""
    return Reading(session(setup))


def beam_writer(setup: Setup) -> BeamWriter:
    """See ``Contender.beam_writer``: the search is transformers', through optimum."""
    kind = import_module("optimum.onnxruntime").ORTModelForSeq2SeqLM
    network = kind.from_pretrained(setup.made, session_options=options(setup))
    generating = import_module("benchmarks.peers.transformers_peer").Generating
    writer: BeamWriter = generating(network)
    return writer


def options(setup: Setup) -> Any:
    """Return how sessions run."""
    made = onnxruntime.SessionOptions()
    made.intra_op_num_threads = setup.threads
    made.log_severity_level = 3
    return made


def session(setup: Setup) -> Any:
    """Return the exported network, ready to run."""
    path = setup.made / "model.onnx"
    return onnxruntime.InferenceSession(path, options(setup), providers=CPU)


class Steps:
    """Steps of a graph with past keys and values, which stay in its own memory.

    Args:
        network: The exported decoder.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._outputs = [one.name for one in network.get_outputs()]
        inputs = network.get_inputs()
        self._inputs = {one.name for one in inputs}
        self._pasts = {
            one.name: one.shape for one in inputs if one.name.startswith("past_")
        }

    def read(self, prompts: Ints, num_new: int) -> tuple[Floats, Any]:
        """See ``Steps.read``."""
        del num_new
        batch, length = prompts.shape
        positions = np.broadcast_to(np.arange(length), prompts.shape)
        empty = {
            name: value(np.zeros((batch, shape[1], 0, shape[3]), "float32"))
            for name, shape in self._pasts.items()
        }
        return self._run(prompts, positions, empty)

    def step(self, token_ids: Ints, positions: Ints, cache: Any) -> tuple[Floats, Any]:
        """See ``Steps.step``."""
        return self._run(token_ids[:, None], positions[:, None], cache)

    def _run(self, ids: Ints, positions: Any, cache: Any) -> tuple[Floats, Any]:
        seen = int(positions[0, -1]) + 1
        given = {
            "input_ids": ids.astype("int64"),
            "attention_mask": np.ones((len(ids), seen), "int64"),
            "position_ids": np.ascontiguousarray(positions, "int64"),
        }
        feeds = {name: value(given[name]) for name in given if name in self._inputs}
        made = self._network.run_with_ort_values(self._outputs, feeds | cache)
        named = dict(zip(self._outputs, made, strict=True))
        cache = {
            name: named[name.replace("past_key_values", "present")]
            for name in self._pasts
        }
        return named["logits"].numpy()[:, -1], cache


class Reading:
    """A ``Reader``.

    Args:
        network: The exported encoder.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._inputs = {one.name for one in network.get_inputs()}

    def read(self, token_ids: Ints) -> Floats:
        """See ``Reader.read``."""
        ids = token_ids.astype("int64")
        given = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        feeds = {name: given[name] for name in given if name in self._inputs}
        states: Floats = self._network.run(["last_hidden_state"], feeds)[0]
        return states


def value(array: Any) -> Any:
    """Return an array as the runtime keeps it."""
    return onnxruntime.OrtValue.ortvalue_from_numpy(array)
