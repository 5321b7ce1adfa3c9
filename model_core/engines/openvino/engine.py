"""The engine of OpenVINO: it reads whole texts; steps are other engines'.

Changes when a question is answered in another way. Knows no family and no task.
"""

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from model_core import masks
from model_core.engines.base import Floats, Ints, RichStepper, TokenBatch, Writing
from model_core.engines.improving import ImprovingEngine, say_once
from model_core.engines.keras_engine import KerasEngine
from model_core.engines.native import library
from model_core.engines.native.compiler import NativeUnavailableError
from model_core.engines.openvino import graphs
from model_core.engines.openvino.chip import chip_flags, has_bfloat16
from model_core.engines.openvino.compiled import CompiledGraph, Precision, unsupported
from model_core.engines.openvino.export import SILENT, Order, inputs_of
from model_core.engines.openvino.failures import OpenVinoUnavailableError
from model_core.engines.openvino.proof import proven
from model_core.masks import MaskKind
from model_core.models.network import Network, weights_by_name

if TYPE_CHECKING:
    from model_core.engines.base import Engine


class OpenVinoEngine:
    """Reads with OpenVINO on the processor, heads included.

    Args:
        network: With its weights; later changes of them are not seen.
        steps: Writes; None for the kernels with the weights as they are where these
            are built, else the reference engine.
        precision: What products are computed in; None for bfloat16 where the chip
            multiplies it, else float32.
        cache: Keeps graphs; the person's own cache where None.

    Raises:
        OpenVinoUnavailableError: It cannot run this network here.
    """

    device = "cpu"

    def __init__(
        self,
        network: Network,
        *,
        steps: "Engine | None" = None,
        precision: Precision | None = None,
        cache: Path | None = None,
    ) -> None:
        reason = unsupported(network.config)
        if reason:
            raise OpenVinoUnavailableError(f"OpenVINO is not asked for {reason}")
        chosen = precision or best_precision()
        self.network = network
        self._reference = KerasEngine(network)
        self.heads = self._reference.heads
        self._body, self._readers = _compiled(network, chosen, cache)
        self._steps = steps
        self._beside = steps
        self._lock = Lock()
        self._reader_name = f"openvino-{chosen}"

    @property
    def name(self) -> str:
        """Name of what reads, and of the engine beside it that was given."""
        beside = self._beside
        return f"{self._reader_name}+{beside.name}" if beside else self._reader_name

    def read(
        self,
        batch: TokenBatch,
        attention: MaskKind,
        heads: tuple[str, ...] | None = None,
        places: Ints | None = None,
    ) -> dict[str, Floats]:
        """See ``Engine.read``."""
        wanted = self.heads if heads is None else heads
        try:
            return self._read(batch, attention, wanted, places)
        except OpenVinoUnavailableError as error:
            others = self._beside or self._reference
            say_once(error, f"{others.name} answers instead")
            return others.read(batch, attention, heads, places)

    def apply(self, head: str, *arrays: Any) -> dict[str, Floats]:
        """See ``Engine.apply``."""
        return self._reference.apply(head, *arrays)

    def stepper(self, writing: Writing) -> RichStepper:
        """See ``Engine.stepper``."""
        return self._writer().stepper(writing)

    def _read(
        self,
        batch: TokenBatch,
        attention: MaskKind,
        heads: tuple[str, ...],
        places: Ints | None,
    ) -> dict[str, Floats]:
        states = self._body(_inputs(batch, attention))
        last = _last_places(batch)
        if places is not None:
            last = np.full(len(places), places.shape[1] - 1, "int32")
            states = {
                name: np.take_along_axis(values, places[..., None], axis=1)
                for name, values in states.items()
            }
        outputs = {"hidden": states["hidden"]}
        for name in heads:
            if name in self._readers:
                outputs |= self._readers[name](states | {"last": last})
        return outputs

    def _writer(self) -> "Engine":
        """Return who writes; kernels are packed when the first one wants to."""
        with self._lock:
            if self._steps is None and library.is_ready():
                try:
                    self._steps = _kernels(self.network)
                except NativeUnavailableError:
                    self._steps = self._reference
            return self._steps or self._reference


def gradual_engine(network: Network) -> ImprovingEngine:
    """Return an engine that answers at once, and by OpenVINO as soon as it can.

    Keras answers first, then the kernels: an export takes longer than packing weights,
    and not every backend of Keras answers soon. Where a network writes, who answered
    before goes on writing; else it gives its memory back.
    """

    def improved(before: "Engine") -> "Engine":
        steps = before if "language_model" in network.heads else None
        return proven(OpenVinoEngine(network, steps=steps), before, network.config)

    return ImprovingEngine(
        KerasEngine(network), (lambda _: _kernels(network), improved)
    )


def _compiled(
    network: Network, precision: Precision, cache: Path | None
) -> tuple[CompiledGraph, dict[str, CompiledGraph]]:
    """Return a network's body, and those of its heads that say something of states."""
    weights = weights_by_name(network)
    heads = [head for head in network.heads if head not in SILENT]
    orders = [Order(network.config, head) for head in ("", *heads)]
    body, *readers = (
        CompiledGraph(
            graph,
            inputs_of(order),
            weights,
            "float32" if order.head else precision,  # the last step is cheap: exact
        )
        for order, graph in zip(orders, graphs.obtain(orders, cache), strict=True)
    )
    return body, dict(zip(heads, readers, strict=True))


def best_precision() -> Precision:
    """Return what products are best computed in on this processor."""
    return "bfloat16" if has_bfloat16(chip_flags()) else "float32"


def _kernels(network: Network) -> "Engine":
    from model_core.engines.native.engine import NativeEngine  # noqa: PLC0415

    return NativeEngine(network)


def _inputs(batch: TokenBatch, attention: MaskKind) -> dict[str, Any]:
    """Return what a graph may be given, marks of 0 where there are none."""
    seen = masks.combine(
        masks.MASKS[attention](batch.token_ids, batch.segment_ids),
        masks.padding(batch.padding_mask),
    )
    marks = batch.mark_ids
    arrays = {
        "token_ids": batch.token_ids,
        "segment_ids": batch.segment_ids,
        "mark_ids": np.zeros_like(batch.token_ids) if marks is None else marks,
    }
    whole = {name: np.ascontiguousarray(ids, "int32") for name, ids in arrays.items()}
    return whole | {"mask": np.ascontiguousarray(ops.convert_to_numpy(seen), "bool")}


def _last_places(batch: TokenBatch) -> Ints:
    """Return each row's last real place; see ``HiddenStates.last``."""
    real = batch.padding_mask
    places: Ints = np.where(real, np.arange(real.shape[1]), 0).max(axis=1)
    return places.astype("int32")
