"""From C sources to libraries in the cache, with the machine's own compiler.

One library per instruction set, so that a first start builds what its processor runs
and nothing else, and a small one that says which those are.

Changes when building takes another step. Every failure is a ``NativeUnavailableError``
whose text says why; the caller goes on with another engine.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from model_core.engines.failures import EngineUnavailableError

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


class NativeUnavailableError(EngineUnavailableError):
    """The kernels cannot be used on this machine; says why."""


def default_cache() -> Path:
    """Return the folder for what is compiled: the person's own cache."""
    told = os.environ.get("MASKPLAY_CACHE", "")
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
            written there, a temporary folder serves this process.

    Raises:
        NativeUnavailableError: No compiler, or it failed.
    """
    file_name = library_name(name)
    folder = cache or default_cache()
    for known in (BESIDE, folder):
        if (known / file_name).is_file():
            return known / file_name
    compiler = found_compiler()
    for place in _folders(folder):
        built = place / file_name
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=place) as made:
                fresh = Path(made) / file_name
                _run(_command(compiler, name, fresh))
                fresh.replace(built)
        except OSError:
            continue  # a read-only cache, a full disk: the next folder
        else:
            return built
    raise NativeUnavailableError("no folder to build the kernels in")


def is_obtainable(cache: Path | None = None) -> bool:
    """Return whether the kernels are built, or a compiler that works can build them.

    Args:
        cache: Folder for them; the person's own cache where None.
    """
    told = os.environ.get(INSTRUCTIONS_VARIABLE, "")
    if told and told not in variants():
        return False
    names = [library_name(name) for name in ([told] if told else variants())]
    folders = (BESIDE, cache or default_cache())
    if any((folder / name).is_file() for folder in folders for name in names):
        return True
    try:
        found_compiler()
        compiled_library(PROBE, cache)
    except NativeUnavailableError:
        return False
    return True


def library_name(name: str) -> str:
    """Return the file of an instruction set's kernels, or of the probe."""
    return f"kernels-{name}-{_digest()}.so"


def _folders(cache: Path) -> Iterator[Path]:
    yield cache
    yield Path(tempfile.mkdtemp(prefix="maskplay-kernels-"))


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
        sys.stdout.write(f"{compiled_library(each, BESIDE)}\n")
