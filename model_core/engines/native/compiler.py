"""From C sources to libraries in the cache, with the machine's own compiler.

One library per instruction set, so that a first start builds what its processor runs
and nothing else, and a small one that says which those are.

Changes when building takes another step. Every failure is a ``NativeUnavailableError``
whose text says why; the caller goes on with another engine. Where the cache cannot be
written, one temporary folder serves the process.
"""

import atexit
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from model_core.engines.failures import EngineUnavailableError

LOGGER = logging.getLogger(__name__)
CACHE_VARIABLE = "MASKPLAY_CACHE"
INSTRUCTIONS_VARIABLE = "MASKPLAY_INSTRUCTIONS"
SOURCES = Path(__file__).parent / "kernels"
BESIDE = Path(__file__).parent / "built"
COMPILERS = ("cc", "gcc", "clang")
PLAIN = "plain"
# name of an instruction set -> what the compiler must be told
WIDE = ("-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mfma")
VNNI = (*WIDE, "-mavx512vnni")
VARIANTS: dict[str, dict[str, tuple[str, ...]]] = {
    "x86_64": {
        PLAIN: (),
        "avx2": ("-mavx2", "-mfma"),
        "avx512": WIDE,
        "vnni": VNNI,
        "amx": (*VNNI, "-mamx-tile", "-mamx-int8"),
    },
    "aarch64": {
        PLAIN: (),  # NEON
        "dotprod": ("-march=armv8.2-a+dotprod",),
    },
}
SAME_PROCESSOR = {"amd64": "x86_64", "arm64": "aarch64"}
PROBE = "probe"  # the library that says which instruction sets run here
FLAGS = ("-O3", "-std=gnu11", "-fPIC", "-fno-math-errno")
LIMIT_SECONDS = 120

_building = threading.Lock()
_temporary: list[Path] = []  # one at most, of this process alone


class NativeUnavailableError(EngineUnavailableError):
    """The kernels cannot be used on this machine; says why."""


def default_cache() -> Path:
    """Return the folder for what is compiled: the person's own cache."""
    told = os.environ.get(CACHE_VARIABLE, "")
    if told:
        return Path(told).expanduser() / "kernels"
    told = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(told) if told else Path.home() / ".cache") / "maskplay"


def variants(machine: str | None = None) -> dict[str, tuple[str, ...]]:
    """Return the instruction sets built for a kind of processor, with their flags."""
    name = (machine or platform.machine()).lower()
    return VARIANTS.get(SAME_PROCESSOR.get(name, name), {PLAIN: ()})


def compiled_library(name: str, cache: Path | None = None) -> Path:
    """Return a library, built on first use.

    One that was built before needs no compiler: it may lie in the cache, or beside the
    sources where whoever installed the project put it.

    Args:
        name: Of an instruction set, or ``PROBE``.
        cache: Folder for it; the person's own cache where None. Where nothing can be
            written there, the temporary folder of this process; see
            ``remove_temporary``.

    Raises:
        NativeUnavailableError: No compiler, it failed, or no folder can be written.
    """
    folder = cache or default_cache()
    found = built_library(name, folder)
    if found is not None:
        return found
    with _building:  # whoever waited finds what the one before has built
        return built_library(name, folder) or _build(name, folder)


def built_library(name: str, cache: Path) -> Path | None:
    """Return a library that was built before; None for none.

    Args:
        name: Of an instruction set, or ``PROBE``.
        cache: Folder to look in, besides the one beside the sources.
    """
    file_name = library_name(name)
    for known in (BESIDE, cache, *_temporary):
        if (known / file_name).is_file():
            return known / file_name
    return None


def remove_temporary() -> None:
    """Remove the temporary folder: what was opened out of it stays open."""
    with _building:
        while _temporary:
            shutil.rmtree(_temporary.pop(), ignore_errors=True)


def library_name(name: str) -> str:
    """Return the file of an instruction set's kernels, or of the probe."""
    return f"kernels-{name}-{_digest()}.so"


def _build(name: str, folder: Path) -> Path:
    """Build a library in a folder, or else in the temporary one."""
    compiler = found_compiler()
    try:
        return _built_in(folder, name, compiler)
    except OSError as error:
        unwritable = error
    try:
        if not _temporary:
            _temporary.append(_temporary_folder(folder, unwritable))
        return _built_in(_temporary[0], name, compiler)
    except OSError as error:
        raise NativeUnavailableError(
            f"no folder can be written to build the kernels in ({error}): "
            f"set {CACHE_VARIABLE} to one"
        ) from None


def _built_in(folder: Path, name: str, compiler: str) -> Path:
    """Build a library as a whole, or leave nothing.

    Raises:
        NativeUnavailableError: The compiler failed.
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    built = folder / library_name(name)
    with tempfile.TemporaryDirectory(dir=folder) as made:
        fresh = Path(made) / built.name
        _run(_command(compiler, name, fresh))
        if not fresh.is_file():
            raise NativeUnavailableError(f"the C compiler {compiler} wrote nothing")
        fresh.replace(built)
    return built


def _temporary_folder(unwritable: Path, error: OSError) -> Path:
    """Return a folder of this process, removed at its end; say that there is one.

    Raises:
        OSError: No temporary folder can be written either.
    """
    made = Path(tempfile.mkdtemp(prefix="maskplay-kernels-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    LOGGER.warning(
        "the kernels cannot be kept in %s (%s): they are built in a temporary folder, "
        "at every start again; set %s to a folder that can be written",
        unwritable,
        error.strerror or error,
        CACHE_VARIABLE,
    )
    return made


def found_compiler() -> str:
    """Return the C compiler of this machine; one that the person names comes first.

    Raises:
        NativeUnavailableError: There is none.
    """
    told = os.environ.get("CC", "")
    for name in (told, *COMPILERS):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise NativeUnavailableError(
        f"no C compiler (looked for {', '.join(filter(None, (told, *COMPILERS)))})"
    )


def _digest() -> str:
    """Return a name for what these sources become on this kind of machine."""
    told = "".join((platform.machine(), platform.system(), str(FLAGS), str(variants())))
    digest = hashlib.sha256(told.encode())
    for path in sorted(SOURCES.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _command(compiler: str, name: str, library: Path) -> list[str]:
    """Return what builds a library."""
    parts = ["probe.c"] if name == PROBE else ["kernels.c", "body.c", "pool.c"]
    told = [] if name == PROBE else [*variants()[name], f'-DMP_NAME="{name}"']
    sources = [str(SOURCES / part) for part in parts]
    command = [compiler, *FLAGS, *told, "-shared", *sources, "-o", str(library)]
    return [*command, "-pthread", "-lm"]


def _run(command: list[str]) -> None:
    try:
        subprocess.run(  # noqa: S603 - the person's compiler
            command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True
        )
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().split("\n")[-1]
        raise NativeUnavailableError(f"the C compiler failed: {last[:200]}") from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise NativeUnavailableError(f"the C compiler did not run: {error}") from error


if __name__ == "__main__":  # for whoever installs them for others
    for each in (PROBE, *variants()):
        sys.stdout.write(f"{_built_in(BESIDE, each, found_compiler())}\n")
