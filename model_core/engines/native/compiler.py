"""From C sources to a library in the cache, with the machine's own compiler.

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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

INSTRUCTIONS_VARIABLE = "MASKPLAY_INSTRUCTIONS"
SOURCES = Path(__file__).parent / "kernels"
BESIDE = Path(__file__).parent / "built"
COMPILERS = ("cc", "gcc", "clang")
PLAIN = "plain"
# name of an instruction set -> what the compiler must be told
WIDE = ("-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mfma")
VARIANTS: dict[str, dict[str, tuple[str, ...]]] = {
    "x86_64": {
        PLAIN: (),
        "avx2": ("-mavx2", "-mfma"),
        "avx512": WIDE,
        "vnni": (*WIDE, "-mavx512vnni"),
    },
}
FLAGS = ("-O3", "-std=gnu11", "-fPIC", "-fno-math-errno")
LIMIT_SECONDS = 120
TRIAL = "#include <math.h>\n#include <pthread.h>\nint one(void) { return 1; }\n"


class NativeUnavailableError(ValueError):
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
    return VARIANTS.get({"amd64": "x86_64"}.get(name, name), {PLAIN: ()})


def compiled_library(cache: Path | None = None) -> Path:
    """Return the kernels' library, built on first use.

    One that was built before needs no compiler: it may lie in the cache, or beside the
    sources where whoever installed the project put it.

    Args:
        cache: Folder for it; the person's own cache where None. Where nothing can be
            written there, a temporary folder serves this process.

    Raises:
        NativeUnavailableError: No compiler, or it failed.
    """
    name = f"kernels-{_digest()}.so"
    folder = cache or default_cache()
    for known in (BESIDE, folder):
        if (known / name).is_file():
            return known / name
    compiler = _compiler()
    for place in _folders(folder):
        built = place / name
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=place) as made:
                fresh = Path(made) / name
                _build(compiler, fresh)
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
    name = f"kernels-{_digest()}.so"
    if any((folder / name).is_file() for folder in (BESIDE, cache or default_cache())):
        return True
    try:
        _try(_compiler())
    except NativeUnavailableError:
        return False
    return True


def _folders(cache: Path) -> Iterator[Path]:
    yield cache
    yield Path(tempfile.mkdtemp(prefix="maskplay-kernels-"))


def _compiler() -> str:
    told = os.environ.get("CC", "")
    for name in (told, *COMPILERS):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise NativeUnavailableError(
        f"no C compiler (looked for {', '.join(filter(None, (told, *COMPILERS)))})"
    )


def _try(compiler: str) -> None:
    """Build a library of one function: some compilers lack headers or a linker.

    Raises:
        NativeUnavailableError: It cannot even do that.
    """
    with tempfile.TemporaryDirectory() as made:
        source = Path(made) / "trial.c"
        source.write_text(TRIAL, "utf8")
        command = [compiler, *FLAGS, "-shared", str(source), "-pthread", "-lm"]
        _run([*command, "-o", str(source.with_suffix(".so"))])


def _digest() -> str:
    """Return a name for what these sources become on this kind of machine."""
    told = "".join((platform.machine(), platform.system(), str(FLAGS), str(variants())))
    digest = hashlib.sha256(told.encode())
    for path in sorted(SOURCES.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _build(compiler: str, library: Path) -> None:
    source = str(SOURCES / "kernels.c")
    objects, commands = [], []
    for name, flags in variants().items():
        defined = (f"-DMP_KERNELS=mp_kernels_{name}", f'-DMP_NAME="{name}"')
        made = str(library.with_name(f"{name}.o"))
        commands.append([compiler, *FLAGS, *flags, *defined, "-c", source, "-o", made])
        objects.append(made)
    with ThreadPoolExecutor() as together:
        list(together.map(_run, commands))
    parts = [str(SOURCES / name) for name in ("body.c", "pool.c")]
    command = [compiler, *FLAGS, "-shared", *parts, *objects, "-o", str(library)]
    _run([*command, "-pthread", "-lm"])


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the person's compiler
            command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True
        )
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().split("\n")[-1]
        raise NativeUnavailableError(f"the C compiler failed: {last[:200]}") from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise NativeUnavailableError(f"the C compiler did not run: {error}") from error
    return done.stdout


if __name__ == "__main__":  # for whoever installs it for others
    sys.stdout.write(f"{compiled_library(BESIDE)}\n")
