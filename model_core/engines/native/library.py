"""The compiled kernels, loaded once, checked against numpy before anyone uses them.

Changes when choosing or checking the kernels takes another step.
"""

import ctypes
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from model_core.engines.native.compiler import (
    INSTRUCTIONS_VARIABLE,
    PROBE,
    NativeUnavailableError,
    compiled_library,
    default_cache,
    variants,
)
from model_core.engines.native.structs import declare

LOGGER = logging.getLogger(__name__)
THREADS_VARIABLE = "MASKPLAY_THREADS"
MOST_THREADS = 16
CHECK_SECONDS = 60
QUOTA_FILES = (
    (Path("/sys/fs/cgroup/cpu.max"),),
    (
        Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
        Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
    ),
)
"""Of a container's time, how much in which: of cgroup version 2, then of version 1."""

_lock = threading.Lock()
_loaded: dict[Path, ctypes.CDLL | str] = {}


def load_kernels(cache: Path | None = None) -> ctypes.CDLL:
    """Return the kernels for this processor, built once; a failure is remembered.

    The first time a library is met, another process checks it against numpy: whatever
    may crash crashes there.

    Args:
        cache: Where libraries are built; the person's own cache where None.

    Raises:
        NativeUnavailableError: Nothing can be built here, or what was built is wrong.
    """
    folder = cache or default_cache()
    with _lock:
        if folder not in _loaded:
            try:
                _loaded[folder] = _built_and_proven(folder)
            except NativeUnavailableError as error:
                _loaded[folder] = str(error)
        found = _loaded[folder]
    if isinstance(found, str):
        raise NativeUnavailableError(found)
    return found


def is_ready(cache: Path | None = None) -> bool:
    """Return whether asking for the kernels would not wait for a compiler."""
    return (cache or default_cache()) in _loaded


def build_in_background() -> None:
    """Build the kernels while something else is imported."""
    if not is_ready():
        threading.Thread(target=_build_quietly, name="compiler", daemon=True).start()


def _build_quietly() -> None:
    try:
        load_kernels()
    except NativeUnavailableError as error:
        LOGGER.info("no kernels: %s", error)


def _built_and_proven(folder: Path) -> ctypes.CDLL:
    path = _widest(folder)
    proven = path.with_suffix(".proven")
    if not proven.is_file():
        _prove(path)
        try:
            proven.touch()
        except OSError as error:
            LOGGER.info("the check of %s will be repeated: %s", path.name, error)
    return open_kernels(path)


def _widest(folder: Path) -> Path:
    """Return the library of the widest instruction set that runs here.

    An older compiler may not know the widest: then the next.

    Raises:
        NativeUnavailableError: None can be built.
    """
    failed = []
    for name in instruction_sets(folder):
        try:
            return compiled_library(name, folder)
        except NativeUnavailableError as error:
            failed.append(error)
    raise failed[0]


def instruction_sets(cache: Path | None = None) -> list[str]:
    """Return those that run on this processor, the widest first, or the one asked for.

    Args:
        cache: Where libraries are built; the person's own cache where None.

    Raises:
        NativeUnavailableError: Nothing can be built here, or the instructions asked for
            in ``MASKPLAY_INSTRUCTIONS`` do not run here.
    """
    probe = _opened(compiled_library(PROBE, cache))
    told = os.environ.get(INSTRUCTIONS_VARIABLE, "")
    wanted = [told] if told else list(variants())[::-1]
    known = [name for name in wanted if probe.mp_runs(name.encode())]
    if not known:
        raise NativeUnavailableError(
            f"{INSTRUCTIONS_VARIABLE} must be one of {list(variants())} and run on "
            f"this processor, received {told!r}"
        )
    return known


def open_kernels(path: Path) -> ctypes.CDLL:
    """Open a library of kernels.

    Raises:
        NativeUnavailableError: It cannot be opened.
    """
    return declare(_opened(path))


def _opened(path: Path) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise NativeUnavailableError(f"the kernels cannot be opened: {error}") from None


def num_threads(quota_files: Iterable[Sequence[Path]] = QUOTA_FILES) -> int:
    """Return how many threads a pass takes: the processors this process may use."""
    told = os.environ.get(THREADS_VARIABLE, "")
    if told.isdigit() and int(told) > 0:
        return min(int(told), MOST_THREADS)
    quotas = [quota for quota in map(_quota_of, quota_files) if quota]
    return min(_num_processors(), MOST_THREADS, *quotas)


def _num_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota_of(files: Sequence[Path]) -> int:
    """Return how many processors a quota and its period are worth; 0 for no quota."""
    try:
        told = " ".join(path.read_text("ascii") for path in files)
        quota, period = map(int, told.split())
    except (OSError, ValueError):  # no such file, or "max"
        return 0
    return -(-quota // period)  # a quota of -1 is none


def _prove(path: Path) -> None:
    """Check a library in a process of its own.

    Raises:
        NativeUnavailableError: It crashed, hung or computed something else.
    """
    command = [sys.executable, "-m", "model_core.engines.native.proof", str(path)]
    root = Path(__file__).resolve().parents[3]
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            cwd=root,
            capture_output=True,
            text=True,
            timeout=CHECK_SECONDS,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise NativeUnavailableError(
            f"the kernels' check did not end: {error}"
        ) from None
    if done.returncode:
        last = (done.stderr or "").strip().split("\n")[-1]
        raise NativeUnavailableError(
            f"the kernels failed their check ({done.returncode}): {last[:200]}"
        )
