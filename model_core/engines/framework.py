"""Which Keras backend a serving process starts with; said once, before Keras is there.

Changes when another backend serves some machine better. Imports no framework. Where
kernels run the networks, numpy is enough for what they leave to Keras: TensorFlow, its
seconds and its memory, stays out of the process. Training never asks here.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from model_core.engines.native.library import is_obtainable
from model_core.engines.registry import AUTO

VARIABLE = "KERAS_BACKEND"
DEFAULT, LIGHT = "tensorflow", "numpy"
NEEDED_BY_LIGHT = "jax"
"""Keras' numpy backend imports it; without it there is no such backend."""
PLAIN_DTYPE = "float32"
"""Numpy multiplies other types without the processor's vectors."""
GROWING: Mapping[str, str] = {
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}
"""Take of a card's memory what is needed, when it is: others may be on it."""
SAYS_IT_TOO: Mapping[str, tuple[str, ...]] = {
    "XLA_PYTHON_CLIENT_PREALLOCATE": (
        "XLA_PYTHON_CLIENT_MEM_FRACTION",
        "XLA_CLIENT_MEM_FRACTION",
        "XLA_PYTHON_CLIENT_ALLOCATOR",
    )
}
"""Who sets one of these has decided how memory is taken."""
ANSWER_SECONDS = 5.0
HIDES_CARDS = ("", "-1")
"""Values of ``CUDA_VISIBLE_DEVICES`` that leave no card."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What is asked of the machine, each only when it matters.

    Attributes:
        environment: Of the process.
        has_accelerator: Whether a graphics card is there.
        has_kernels: Whether the kernels are built or can be, and did not fail.
        has_light: Whether Keras' numpy backend can be imported.
    """

    environment: Mapping[str, str]
    has_accelerator: Callable[[], bool]
    has_kernels: Callable[[], bool]
    has_light: Callable[[], bool]


def choose_backend(engine: str, dtype: str, machine: Machine) -> str:
    """Return the name of the backend to serve with.

    What the environment says is kept. TensorFlow serves where Keras itself runs the
    networks: on a graphics card, where the person wants that engine or another type of
    numbers, where there can be no kernels, where they failed their check.

    Args:
        engine: ``auto`` or a name in the engines' registry.
        dtype: ``auto`` or a Keras dtype policy.
        machine: What to ask.
    """
    told = machine.environment.get(VARIABLE, "")
    if told:
        return told
    is_plain = dtype in (AUTO, PLAIN_DTYPE)
    if engine == "keras" or not is_plain or machine.has_accelerator():
        return DEFAULT
    return LIGHT if machine.has_kernels() and machine.has_light() else DEFAULT


def growing(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that let a card's memory be taken bit by bit.

    What the environment says is kept.

    Args:
        environment: Of the process.
    """
    return {
        name: value
        for name, value in GROWING.items()
        if not environment.keys() & {name, *SAYS_IT_TOO.get(name, ())}
    }


def prepare_backend(engine: str, dtype: str = AUTO) -> None:
    """Choose for this process; nothing where Keras is imported already.

    How memory of a card is taken is said in any case: the frameworks ask when they
    first need some.

    Args:
        engine: ``auto`` or a name in the engines' registry.
        dtype: ``auto`` or a Keras dtype policy.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # its chatter is for nobody here
    os.environ.update(growing(os.environ))
    if "keras" not in sys.modules:
        os.environ[VARIABLE] = choose_backend(engine, dtype, this_machine())


def this_machine() -> Machine:
    """Return the machine of this process."""
    return Machine(os.environ, has_graphics_card, is_obtainable, _has_light)


def has_graphics_card() -> bool:
    """Return whether an NVIDIA card is there and not hidden from this process."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in HIDES_CARDS:
        return False
    if Path("/dev/nvidia0").exists():
        return True
    asked = shutil.which("nvidia-smi")
    return asked is not None and _answers(asked)


def _answers(command: str) -> bool:
    """Return whether ``nvidia-smi -L`` lists a card."""
    try:
        done = subprocess.run(  # noqa: S603 - the driver's own command
            [command, "-L"], capture_output=True, timeout=ANSWER_SECONDS, check=False
        )
    except (subprocess.TimeoutExpired, OSError):
        return False
    return done.returncode == 0 and b"GPU" in done.stdout


def _has_light() -> bool:
    return importlib.util.find_spec(NEEDED_BY_LIGHT) is not None
