"""How much memory this process may use, how much weights need, what is given back.

Changes when systems tell their memory otherwise. Knows no framework and no hub.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

SHARE_FOR_MODELS = 0.5
"""Of the machine's memory: the rest is for activations, caches, the framework, and for
the other programs."""
ASSUMED_BYTES = 8 * 1024**3
"""Where a system does not tell its memory."""
HALF_OR_WHOLE = {"bfloat16": 2, "float16": 2}
LIMIT_FILES = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""What a container may use: of cgroup version 2, then of version 1."""


def machine_bytes(limit_files: Iterable[Path] = LIMIT_FILES) -> int:
    """Return the memory of the machine, or of the container where it has less."""
    limits = [_physical_bytes(), *map(_limit_of, limit_files)]
    return min(limit for limit in limits if limit)


def budget_bytes(machine: int | None = None) -> int:
    """Return how much memory loaded models may take together.

    Args:
        machine: Memory of the machine in bytes; asked where None.
    """
    return int(SHARE_FOR_MODELS * (machine or machine_bytes()))


def weights_bytes(num_parameters: int, dtype: str = "float32") -> int:
    """Return the memory of loaded weights.

    Args:
        num_parameters: Scalars.
        dtype: Keras dtype policy; a mixed one keeps its weights in float32.
    """
    return num_parameters * HALF_OR_WHOLE.get(dtype, 4)


def give_back() -> None:
    """Return freed memory to the system, where the C library keeps it otherwise.

    Loading and packing weights frees as much as it keeps; glibc holds on to it. Other
    libraries have no such call and are left alone.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _physical_bytes() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # no such question on Windows
        return ASSUMED_BYTES


def _limit_of(path: Path) -> int:
    """Return the limit that a file tells; 0 for none."""
    try:
        text = path.read_text("ascii").strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0
