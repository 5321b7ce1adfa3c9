"""Matrices as the kernels read them: sixteen outputs side by side.

Integers stand in groups of inputs, as the instructions that add pairs, or fours, of
products want them.

Changes with the layout that ``kernels/maskplay.h`` describes.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from model_core.engines.native.structs import PANEL, PRECISIONS, Linear, Norm

Floats = npt.NDArray[np.float32]
Precision = Literal["float32", "int8", "dynamic"]
"""How a matrix is multiplied: as it is; int8 by rows of shorts, which costs what
rounding the weights costs; seven bits by rows of int8, half as many instructions."""


EVERY_PRECISION: tuple[Precision, ...] = ("float32", "int8", "dynamic")


@dataclass(frozen=True, slots=True)
class Rounding:
    """How integers stand for the weights of one output.

    Attributes:
        largest: What the largest weight becomes.
        group: Inputs that stand together.
        offset: What is added, so that none is negative.
    """

    largest: int
    group: int
    offset: int = 0


ROUNDINGS: dict[Precision, Rounding] = {
    "int8": Rounding(127, 2),
    "dynamic": Rounding(63, 4, offset=64),
}


def address(array: npt.NDArray[Any] | None) -> int | None:
    """Return where an array's numbers begin, None for no array."""
    return None if array is None else array.ctypes.data


def padded_to_panels(numbers: Floats) -> Floats:
    """Return (size,) numbers filled up with zeros to whole panels."""
    room = -len(numbers) % PANEL
    return np.ascontiguousarray(np.pad(numbers, (0, room)), "float32")


def in_panels(kernel: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return (in, out) as panels (ceil(out / 16), in, 16), filled up with zeros."""
    width, outputs = kernel.shape
    num_panels = -(-outputs // PANEL)
    panels = np.zeros((num_panels, width, PANEL), kernel.dtype)
    whole = outputs // PANEL
    panels[:whole] = (
        kernel[:, : whole * PANEL].reshape(width, whole, PANEL).transpose(1, 0, 2)
    )
    if whole < num_panels:
        panels[whole, :, : outputs - whole * PANEL] = kernel[:, whole * PANEL :]
    return panels


def in_groups(panels: npt.NDArray[Any], group: int) -> npt.NDArray[Any]:
    """Return panels (count, in, 16) as (count, ceil(in / group), 16, group)."""
    room = -panels.shape[1] % group
    whole = np.pad(panels, ((0, 0), (0, room), (0, 0)))
    groups = whole.reshape(len(panels), -1, group, PANEL).swapaxes(2, 3)
    return np.ascontiguousarray(groups)


def quantised(
    kernel: Floats, largest: int = ROUNDINGS["int8"].largest
) -> tuple[npt.NDArray[np.int8], Floats]:
    """Return (in, out) as int8 and one scale per output, which multiplies it.

    Symmetric: an output's largest weight becomes ``largest`` or its negative.
    """
    sizes = np.abs(kernel).max(axis=0)
    scales = np.where(sizes > 0, sizes / largest, 1.0).astype("float32")
    return np.rint(kernel / scales).astype(np.int8), scales


@dataclass(frozen=True, slots=True, eq=False)
class PackedLinear:
    """A projection in panels, and the struct that tells the kernels of it.

    Attributes:
        struct: Points into the arrays kept here.
        size_bytes: Of the panels.
    """

    struct: Linear
    size_bytes: int
    _kept: tuple[Any, ...] = field(repr=False)

    @classmethod
    def of(
        cls,
        kernel: Floats,
        bias: Floats | None = None,
        precision: Precision = "float32",
    ) -> "PackedLinear":
        """Pack (in, out) with its (out,) bias."""
        scales = None
        numbers: npt.NDArray[Any] = np.asarray(kernel, "float32")
        rounding = ROUNDINGS.get(precision)
        if rounding:
            numbers, scale = quantised(numbers, rounding.largest)
            numbers += np.int8(rounding.offset)
            scales = padded_to_panels(scale)
        panels = in_panels(numbers)
        if rounding:
            panels = in_groups(panels, rounding.group)
        shift = None if bias is None else padded_to_panels(np.asarray(bias, "float32"))
        struct = Linear(
            num_inputs=kernel.shape[0],
            num_outputs=kernel.shape[1],
            precision=PRECISIONS[precision],
            panels=address(panels),
            scales=address(scales),
            bias=address(shift),
        )
        return cls(struct, panels.nbytes, (panels, scales, shift))


@dataclass(frozen=True, slots=True, eq=False)
class PackedNorm:
    """A norm's numbers and the struct that tells of them."""

    struct: Norm
    _kept: tuple[Any, ...] = field(repr=False)

    @classmethod
    def of(
        cls, kind: int, epsilon: float, gamma: Floats | None, beta: Floats | None
    ) -> "PackedNorm":
        """Keep float32 copies of (width,) numbers; None where a norm has none."""
        kept = tuple(
            None if numbers is None else np.array(numbers, "float32")
            for numbers in (gamma, beta)
        )
        struct = Norm(kind, epsilon, address(kept[0]), address(kept[1]))
        return cls(struct, kept)
