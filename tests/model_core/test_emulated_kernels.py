"""Kernels for processors that are not here, over what their instructions compute.

An instruction's operation, as its manual gives it, stands in for the instruction; speed
and the processor itself stay untested.
"""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from model_core.engines.base import TokenBatch
from model_core.engines.keras_engine import KerasEngine
from model_core.engines.native import calls, library, proof
from model_core.engines.native.compiler import FLAGS, SOURCES, found_compiler
from model_core.engines.native.engine import NativeEngine
from model_core.engines.native.panels import (
    ROUNDINGS,
    PackedLinear,
    quantised,
)
from model_core.engines.native.structs import ACTIVATIONS
from tests.model_core.tiny import RICH, build_network, random_ids

pytestmark = pytest.mark.kernels


EMULATED = Path(__file__).parent / "emulated"
X86 = ("-include", str(EMULATED / "x86.h"), "-Wno-psabi")
WITHOUT_X86 = ("-U__SSE__", "-U__SSE2__", "-U__AVX__", "-U__AVX2__", "-U__FMA__")
ARM = (*WITHOUT_X86, "-D__aarch64__", "-D__ARM_NEON", "-I", str(EMULATED))
PROCESSORS = {
    "avx512": X86,
    "vnni": (*X86, "-DEMULATED_VNNI"),
    "amx": (*X86, "-DEMULATED_VNNI", "-DEMULATED_AMX"),
    "neon": ARM,
    "dotprod": (*ARM, "-D__ARM_FEATURE_DOTPROD"),
}


@pytest.fixture(scope="module", params=PROCESSORS)
def kernels(request, tmp_path_factory):
    """Kernels as that processor would run them."""
    folder = tmp_path_factory.mktemp(request.param)
    cc = found_compiler()
    emulated, made = folder / "kernels.o", folder / "kernels.so"
    told = [*PROCESSORS[request.param], f'-DMP_NAME="{request.param}"']
    flags = [*FLAGS, "-O1"]  # emulation takes a compiler long to optimise
    one = [cc, *flags, *told, "-c", str(SOURCES / "kernels.c"), "-o", str(emulated)]
    rest = [str(SOURCES / "body.c"), str(SOURCES / "pool.c"), str(emulated)]
    all_of_it = [cc, *flags, "-shared", *rest, "-o", str(made), "-pthread", "-lm"]
    for command in (one, all_of_it):
        subprocess.run(command, check=True, capture_output=True)
    return library.open_kernels(made)


@pytest.fixture
def calling(kernels, monkeypatch):
    monkeypatch.setattr(calls, "load_kernels", lambda: kernels)
    return calls.Kernels()


def test_the_proof_accepts_them(kernels):
    proof.check(kernels)


@pytest.mark.parametrize("precision", ROUNDINGS)
@pytest.mark.parametrize(
    ("width", "outputs"), [(4, 16), (61, 17), (64, 64), (130, 70), (192, 33)]
)
def test_sums_of_integers_are_exact(calling, precision, width, outputs):
    draw = np.random.default_rng(width)
    largest = ROUNDINGS[precision].largest
    kernel = draw.integers(-largest, largest + 1, (width, outputs)).astype("float32")
    kernel[0] = largest  # so that the scales are one
    packed = PackedLinear.of(kernel, None, precision)
    np.testing.assert_array_equal(quantised(kernel, largest)[1], 1)
    most = largest_input(precision, width)
    for rows in (1, 2, 3, 7, 13, 16, 17, 31, 48, 61):
        inputs = draw.integers(-most, most + 1, (rows, width)).astype("float32")
        inputs[:, -1] = most  # so that rows are rounded to what they are
        wanted = inputs.astype(float) @ kernel
        made = calling.linear(packed, inputs)
        np.testing.assert_allclose(made, wanted, rtol=2e-7, atol=0.4)


def largest_input(precision, width):
    """Return what a row's largest number is rounded to; see ``products.h``."""
    if precision == "dynamic":
        return 127
    return min(int((2**31 - 1) / (127 * width) * 0.999), 32767)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_is_no_number_stays_none(calling, name):
    packed = PackedLinear.of(np.ones((1, 21), "float32"))
    odd = np.array([np.nan, -np.nan, 1], "float32")[:, None]
    found = calling.linear(packed, odd, name)
    assert np.isnan(found).all(axis=1).tolist() == [True, True, False]


def test_a_network_reads_as_the_reference_does(calling):
    network = build_network(RICH, ("language_model",))
    batch = TokenBatch.from_rows([random_ids(1, 20, seed=n)[0] for n in (1, 2)])
    wanted = KerasEngine(network).read(batch, "causal", ("language_model",))
    made = NativeEngine(network, "dynamic").read(batch, "causal", ("language_model",))
    for name, numbers in wanted.items():
        np.testing.assert_allclose(made[name], numbers, atol=0.2)
