"""A graph compiled by OpenVINO: a network's weights in it, and its answers.

Changes when graphs are filled, compiled or asked in another way.
"""

from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from model_core.config import TransformerConfig
from model_core.engines.base import Floats
from model_core.engines.native.library import num_threads
from model_core.engines.native.named import array_of
from model_core.engines.openvino import graphs
from model_core.engines.openvino.export import SAYS
from model_core.engines.openvino.failures import OpenVinoUnavailableError

Weights = Mapping[str, Any]
Precision = Literal["float32", "bfloat16"]
HINTS: Mapping[Precision, str] = {"float32": "f32", "bfloat16": "bf16"}
DEVICE = "CPU"


def unsupported(config: TransformerConfig) -> str:
    """Return why a config is left to other engines, "" where it is not."""
    if config.num_decoder_layers:
        return f"num_decoder_layers {config.num_decoder_layers}: it reads to write"
    return ""


class CompiledGraph:
    """Runs one graph.

    Args:
        graph: Of a body or a head.
        known: Names of the inputs that it may ask for.
        weights: Keras variables by the names that the checkpoint tables use; later
            changes of them are not seen.
        precision: What products are computed in.

    Raises:
        OpenVinoUnavailableError: It is not installed, or its compiler failed.
    """

    def __init__(
        self,
        graph: graphs.Graph,
        known: Iterable[str],
        weights: Weights,
        precision: Precision,
    ) -> None:
        try:
            import openvino  # noqa: PLC0415 - optional, and slow to import
        except (ImportError, OSError) as error:
            raise OpenVinoUnavailableError(_failed("be imported", error)) from None
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": num_threads(),
            "INFERENCE_PRECISION_HINT": HINTS[precision],
        }
        try:
            core = openvino.Core()
            model = core.read_model(graph.xml, graph.constants)
            _fill(model, weights)
            self._inputs = _names(model.get_parameters())
            said = _names(model.get_results())
            self._outputs = tuple(name.removeprefix(SAYS) for name in said)
            _check_inputs(self._inputs, known)
            compiled = core.compile_model(model, DEVICE, settings)
            self._request = compiled.create_infer_request()
        except RuntimeError as error:
            raise OpenVinoUnavailableError(_failed("compile", error)) from None
        self._lock = Lock()

    def __call__(self, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, Floats]:
        """Return the outputs by name, float32.

        Args:
            inputs: Arrays by name; at least those that the graph asks for.

        Raises:
            OpenVinoUnavailableError: OpenVINO failed.
        """
        given = {place: inputs[name] for place, name in enumerate(self._inputs)}
        with self._lock:  # a request answers one at a time, with all threads
            try:
                self._request.infer(given)  # copies: an output may be an input
            except RuntimeError as error:
                raise OpenVinoUnavailableError(_failed("run", error)) from None
            return {
                name: self._request.get_output_tensor(place).data.copy()
                for place, name in enumerate(self._outputs)
            }


def _fill(model: Any, weights: Weights) -> None:
    """Put the weights where the graph asks for them; it keeps no copy of its own."""
    from openvino import opset16  # noqa: PLC0415

    for parameter in model.get_parameters():
        name = parameter.get_friendly_name()
        if name in weights:
            weight = opset16.constant(_array(weights[name]), shared_memory=True)
            weight.set_friendly_name(name)
            for reader in parameter.output(0).get_target_inputs():
                reader.replace_source_output(weight.output(0))
            model.remove_parameter(parameter)


def _array(variable: Any) -> Floats:
    """Return a variable's numbers, the variable's own where they lie in an array."""
    value = variable.value
    array = value if isinstance(value, np.ndarray) else array_of(variable)
    whole: Floats = np.ascontiguousarray(array, "float32")
    return whole


def _names(nodes: Iterable[Any]) -> tuple[str, ...]:
    return tuple(node.get_friendly_name() for node in nodes)


def _check_inputs(asked: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a graph with gaps: OpenVINO would compute with whatever lies there."""
    strange = sorted(set(asked) - set(known))
    if strange:
        raise OpenVinoUnavailableError(
            f"OpenVINO's graph asks for {strange}, which nobody has"
        )


def _failed(what: str, error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"OpenVINO could not {what}: {(lines or ['?'])[-1][:200]}"
