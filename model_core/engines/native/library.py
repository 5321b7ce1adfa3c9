"""The compiled kernels, loaded once, checked against numpy before anyone uses them.

Changes when choosing or checking the kernels takes another step.
"""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from model_core.engines.native import compiler
from model_core.engines.native.compiler import (
    INSTRUCTIONS_VARIABLE,
    PROBE,
    NativeUnavailableError,
    built_library,
    compiled_library,
    default_cache,
    found_compiler,
    variants,
)
from model_core.engines.native.structs import declare
from model_core.engines.native.verdicts import (
    PROVEN,
    REFUSED,
    keep_verdict,
    kept_verdict,
    reason_in,
)

LOGGER = logging.getLogger(__name__)
THREADS_VARIABLE = "MASKPLAY_THREADS"
MOST_THREADS = 16
CHECK_SECONDS = 60
WRONG = 3
"""Exit status of a check that found a wrong number, or a library that is none."""
CRASHES = frozenset(
    -getattr(signal, name)
    for name in ("SIGILL", "SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE")
    if hasattr(signal, name)
)
"""How a check ends whose kernels crash; other signals come from outside."""
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
_probes: dict[Path, ctypes.CDLL] = {}
_probing = threading.Lock()


class RefusedError(NativeUnavailableError):
    """Kernels crashed, hung or computed something else when they were checked."""


def load_kernels(cache: Path | None = None) -> ctypes.CDLL:
    """Return the kernels for this processor, built once; a failure is remembered.

    The first time a library is met, another process checks it against numpy: whatever
    may crash crashes there. What it found is kept for later starts.

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
            compiler.remove_temporary()
        found = _loaded[folder]
    if isinstance(found, str):
        raise NativeUnavailableError(found)
    return found


def is_ready(cache: Path | None = None) -> bool:
    """Return whether asking for the kernels would not wait for a compiler."""
    return (cache or default_cache()) in _loaded


def is_obtainable(cache: Path | None = None) -> bool:
    """Return whether kernels are built, or a compiler that works can build them.

    Those that failed their check, at an earlier start or at this one, are none: where
    that happened, what the others do is waited for.

    Args:
        cache: Folder for them; the person's own cache where None.
    """
    folder = cache or default_cache()
    told = os.environ.get(INSTRUCTIONS_VARIABLE, "")
    if told and told not in variants():
        return False
    names = [told] if told else list(variants())
    built = [path for name in names if (path := built_library(name, folder))]
    try:
        if folder in _loaded or any(_refusal(path, folder) for path in built):
            load_kernels(folder)
        elif not built:
            found_compiler()
            compiled_library(PROBE, folder)
    except NativeUnavailableError:
        return False
    return True


def build_in_background() -> None:
    """Build the kernels while something else is imported."""
    if not is_ready():
        threading.Thread(target=_build_quietly, name="compiler", daemon=True).start()


def _build_quietly() -> None:
    with suppress(NativeUnavailableError):  # remembered: whoever needs them says it
        load_kernels()


def _built_and_proven(folder: Path) -> ctypes.CDLL:
    """Return the kernels of the widest instruction set that runs here.

    An older compiler may not know the widest, or a processor may promise more than it
    keeps: then the next.

    Raises:
        NativeUnavailableError: None can be built, or none is right.
    """
    failed = []
    for name in instruction_sets(folder):
        try:
            found = _proven(compiled_library(name, folder), folder)
        except NativeUnavailableError as error:
            failed.append(error)
        else:
            _say_who_failed(failed, name)
            return found
    raise next((one for one in failed if isinstance(one, RefusedError)), failed[0])


def _say_who_failed(failed: Sequence[NativeUnavailableError], serving: str) -> None:
    for one in failed:  # that a compiler is old is no news to anyone
        level = logging.WARNING if isinstance(one, RefusedError) else logging.INFO
        LOGGER.log(level, "%s; the kernels for %s serve instead", one, serving)


def _proven(path: Path, folder: Path) -> ctypes.CDLL:
    """Open a library that passed its check, now or at an earlier start.

    Raises:
        RefusedError: It failed, now or at an earlier start.
        NativeUnavailableError: It cannot be checked or opened.
    """
    refusal = _refusal(path, folder)
    if refusal is not None:
        reason = reason_in(refusal) or "the kernels failed their check"
        raise RefusedError(_told(reason, refusal))
    places = _verdict_folders(path, folder)
    if kept_verdict(path, PROVEN, places) is None:
        try:
            _prove(path)
        except RefusedError as error:
            kept = keep_verdict(path, REFUSED, places, str(error))
            raise RefusedError(_told(str(error), kept)) from None
        if keep_verdict(path, PROVEN, places) is None:
            LOGGER.info("the check of %s will be repeated", path.name)
    return open_kernels(path)


def _refusal(path: Path, folder: Path) -> Path | None:
    """Return the file that says that a library failed its check."""
    return kept_verdict(path, REFUSED, _verdict_folders(path, folder))


def _verdict_folders(path: Path, folder: Path) -> list[Path]:
    """Return where verdicts may be kept: none goes into a temporary folder."""
    return [folder, path.parent] if path.parent == compiler.BESIDE else [folder]


def _told(reason: str, kept: Path | None) -> str:
    """Return a refusal with what a person can do about it."""
    if kept is None:
        return f"{reason}; every start checks them again, as no verdict can be kept"
    return f"{reason}; delete {kept} to have them checked again"


def instruction_sets(cache: Path | None = None) -> list[str]:
    """Return those that run on this processor, the widest first, or the one asked for.

    Args:
        cache: Where libraries are built; the person's own cache where None.

    Raises:
        NativeUnavailableError: Nothing can be built here, or the instructions asked for
            in ``MASKPLAY_INSTRUCTIONS`` do not run here.
    """
    probe = _probe(cache or default_cache())
    told = os.environ.get(INSTRUCTIONS_VARIABLE, "")
    wanted = [told] if told else list(variants())[::-1]
    known = [name for name in wanted if probe.mp_runs(name.encode())]
    if not known:
        raise NativeUnavailableError(
            f"{INSTRUCTIONS_VARIABLE} must be one of {list(variants())} and run on "
            f"this processor, received {told!r}"
        )
    return known


def _probe(folder: Path) -> ctypes.CDLL:
    """Return what says which instruction sets run here, opened once."""
    with _probing:
        if folder not in _probes:
            _probes[folder] = _opened(compiled_library(PROBE, folder))
        return _probes[folder]


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
        RefusedError: It crashed, hung or computed something else.
        NativeUnavailableError: The check itself could not be done, this time.
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
    except subprocess.TimeoutExpired:
        raise RefusedError(
            f"the kernels' check did not end within {CHECK_SECONDS} s"
        ) from None
    except OSError as error:
        raise NativeUnavailableError(
            f"the kernels' check did not run: {error}"
        ) from None
    if done.returncode:
        last = (done.stderr or "").strip().split("\n")[-1]
        is_theirs = done.returncode in CRASHES | {WRONG}
        raise (RefusedError if is_theirs else NativeUnavailableError)(
            f"the kernels failed their check ({done.returncode}): {last[:200]}"
        )
