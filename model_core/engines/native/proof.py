"""Checks a compiled library against numpy: ``python -m … proof LIBRARY``.

Runs in a process of its own, so that kernels which crash take nobody with them.
Changes when the kernels can do something that ought to be proven first.
"""

import ctypes
import sys
from pathlib import Path

import numpy as np

from model_core.engines.native.compiler import NativeUnavailableError
from model_core.engines.native.library import WRONG, open_kernels
from model_core.engines.native.panels import (
    EVERY_PRECISION,
    ROUNDINGS,
    Floats,
    PackedLinear,
    PackedNorm,
    Precision,
    address,
    quantised,
)

TOLERANCE = 1e-3
THREADS = 2


def check(library: ctypes.CDLL) -> None:
    """Compare products and norms of awkward sizes with numpy's.

    Raises:
        ArithmeticError: A number is wrong.
    """
    draw = np.random.default_rng(7)
    for rows, width, outputs in ((1, 64, 70), (3, 40, 16), (5, 33, 100), (29, 48, 81)):
        inputs = draw.standard_normal((rows, width)).astype("float32")
        kernel = draw.standard_normal((width, outputs)).astype("float32")
        bias = draw.standard_normal(outputs).astype("float32")
        for precision in EVERY_PRECISION:
            packed = PackedLinear.of(kernel, bias, precision)
            made = np.zeros((rows, outputs), "float32")
            needed = library.mp_linear_room(ctypes.byref(packed.struct), rows)
            room = np.zeros(needed, "float32")
            library.mp_linear_rows(
                ctypes.byref(packed.struct),
                address(inputs),
                address(made),
                rows,
                0,
                address(room),
                THREADS,
            )
            wanted = _product(inputs, kernel, precision) + bias
            _compare(f"{precision} product", made, wanted, TOLERANCE)
        norm = PackedNorm.of(1, 1e-5, inputs[0], inputs[-1])
        normed = np.zeros_like(inputs)
        library.mp_norm_rows(
            ctypes.byref(norm.struct),
            address(inputs),
            address(normed),
            rows,
            width,
            THREADS,
        )
        centred = inputs - inputs.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
        _compare("norm", normed, centred / spread * inputs[0] + inputs[-1], TOLERANCE)


def _product(inputs: Floats, kernel: Floats, precision: Precision) -> Floats:
    """Return what the kernels ought to say, rounding as they do."""
    rounding = ROUNDINGS.get(precision)
    if rounding is None:
        return inputs @ kernel
    numbers, scales = quantised(kernel, rounding.largest)
    if precision == "dynamic":
        scale = np.float32(127) / np.abs(inputs).max(axis=1, keepdims=True)
        sums = np.rint(inputs * scale) @ numbers.astype("float32")
        return np.asarray(sums * scales / scale)
    return np.asarray(inputs @ (numbers * scales))


def _compare(what: str, made: Floats, wanted: Floats, allowed: float) -> None:
    worst = float(np.abs(made - wanted).max())
    if not worst <= allowed:
        raise ArithmeticError(f"a {what} is off by {worst}")


if __name__ == "__main__":
    try:
        check(open_kernels(Path(sys.argv[1])))
    except (ArithmeticError, NativeUnavailableError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(WRONG)
