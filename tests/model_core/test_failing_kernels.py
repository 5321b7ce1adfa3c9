"""Kernels that crash or err, and caches that cannot be written: what starts make of it.

Processes of their own start as a person's would; a compiler that stands in builds what
crashes, and counts.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from model_core.engines.native import compiler, library, verdicts
from model_core.engines.native.compiler import PLAIN, NativeUnavailableError
from model_core.engines.native.verdicts import PROVEN, REFUSED

pytestmark = pytest.mark.kernels

ROOT = Path(__file__).parents[2]
CRASHING = """
#include <stdlib.h>
__attribute__((constructor)) static void crash(void) { abort(); }
"""
STARTS = """
import os
from model_core.engines.native import library
{begun}
from model_core.engines.framework import prepare_backend
prepare_backend("auto")
library.build_in_background()
print(os.environ["KERAS_BACKEND"], flush=True)
"""
ANSWERS = """
from types import SimpleNamespace
from model_core.engines.registry import build_engine
from tests.model_core.tiny import ROTARY
network = SimpleNamespace(config=ROTARY, heads=())
for _ in range(2):  # as a part with weights of its own
    engine = build_engine("auto", network)
    getattr(engine, "wait", bool)()
print(engine.name)
"""
FAILS = """
try:
    library.load_kernels()
except library.NativeUnavailableError as error:
    print(error)
"""
AS_A_PAGE = "library.build_in_background()"
AS_A_COMMAND = ""


def start(folder, code, *, begun=AS_A_COMMAND, cache=None, crashes=False):
    """Run a process whose compiler counts in ``folder``; return what it did."""
    (folder / "crash.c").write_text(CRASHING)
    (folder / "tmp").mkdir(exist_ok=True)
    extra = str(folder / "crash.c") if crashes else ""
    cc = folder / "cc"
    cc.write_text(
        f'#!/bin/sh\necho once >> {folder}/compiled\ncase "$*" in\n'
        f'*kernels.c*) exec cc "$@" -O0 {extra};;\nesac\nexec cc "$@"\n'
    )
    cc.chmod(0o755)
    told = {
        "CC": str(cc),
        "CUDA_VISIBLE_DEVICES": "-1",
        "MASKPLAY_CACHE": str(cache or folder / "cache"),
        "MASKPLAY_INSTRUCTIONS": PLAIN,
        "TMPDIR": str(folder / "tmp"),
    }
    kept = {name: v for name, v in os.environ.items() if name != "KERAS_BACKEND"}
    return subprocess.run(
        [sys.executable, "-c", code.replace("{begun}", begun)],
        env=kept | told,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )


def num_compiled(folder):
    path = folder / "compiled"
    return len(path.read_text().splitlines()) if path.exists() else 0


# from a start to the next


def test_kernels_that_crash_are_found_once_and_the_next_start_does_without(tmp_path):
    first = start(tmp_path, STARTS + ANSWERS, crashes=True)
    assert first.stdout.split() == ["numpy", "keras-numpy"]
    assert first.stderr.count("the kernels failed their check (-6)") == 1
    (kept,) = (tmp_path / "cache" / "kernels").glob(f"kernels-{PLAIN}-*.refused")
    assert f"delete {kept} to have them checked again" in first.stderr
    assert "KERAS_BACKEND=tensorflow answers sooner" in first.stderr
    for begun in (AS_A_PAGE, AS_A_COMMAND):
        second = start(tmp_path, STARTS + FAILS, begun=begun, crashes=True)
        backend, said = second.stdout.splitlines()
        assert backend == "tensorflow"
        assert f"check (-6): ; delete {kept}" in said
    assert num_compiled(tmp_path) == 2  # at the first start: the probe, the kernels


BUILT = """
import os
from model_core.engines.native import library
{begun}
from model_core.engines.framework import prepare_backend
prepare_backend("auto")
kernels = library.load_kernels()
assert library.is_obtainable()
print(os.environ["KERAS_BACKEND"], kernels.mp_name().decode(), flush=True)
"""


@pytest.mark.parametrize("begun", [AS_A_PAGE, AS_A_COMMAND])
@pytest.mark.parametrize("ends", ["", "os._exit(0)"])
def test_an_unwritable_cache_costs_one_folder_that_goes_and_one_sentence(
    tmp_path, begun, ends
):
    cache = tmp_path / "a file"
    cache.write_text("")
    done = start(tmp_path, BUILT + ends, begun=begun, cache=cache)
    assert done.stdout.split() == ["numpy", PLAIN]
    assert done.stderr.count("\n") == 1
    assert f"cannot be kept in {cache / 'kernels'}" in done.stderr
    assert "set MASKPLAY_CACHE to a folder that can be written" in done.stderr
    assert num_compiled(tmp_path) == 2
    assert not list((tmp_path / "tmp").iterdir())


# what is remembered of a check, and what is not


@pytest.fixture(name="sets")
def fixture_sets(monkeypatch, tmp_path):
    """Two instruction sets of libraries that hold their names; how each is judged."""
    judged = {"wide": None, "narrow": None}
    asked = []

    def built(name, folder):
        path = folder / f"kernels-{name}-1.so"
        return path if path.exists() else None

    def compiled(name, folder):
        path = folder / f"kernels-{name}-1.so"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        return path

    def prove(path):
        asked.append(path.read_text())
        if judged[path.read_text()]:
            raise judged[path.read_text()]

    monkeypatch.delenv(library.INSTRUCTIONS_VARIABLE, raising=False)
    monkeypatch.setattr(library, "variants", lambda: judged)
    monkeypatch.setattr(library, "instruction_sets", lambda _: list(judged))
    monkeypatch.setattr(library, "built_library", built)
    monkeypatch.setattr(library, "compiled_library", compiled)
    monkeypatch.setattr(library, "open_kernels", lambda path: path)
    monkeypatch.setattr(library, "_prove", prove)
    monkeypatch.setattr(library, "_loaded", {})
    return judged, asked


def serving(cache):
    """The instruction set of the kernels that serve."""
    return library.load_kernels(cache).read_text()


def restart():
    library._loaded.clear()


def refused(reason="the kernels failed their check (-4)"):
    return library.RefusedError(reason)


def test_where_the_widest_kernels_fail_the_next_serve(sets, tmp_path, caplog):
    judged, asked = sets
    judged["wide"] = refused()
    for _ in range(2):
        restart()
        assert library.is_obtainable(tmp_path)
        assert serving(tmp_path) == "narrow"
    assert asked == ["wide", "narrow"]  # at the first start alone
    assert caplog.messages == [
        f"the kernels failed their check (-4); delete {tmp_path}/kernels-wide-1.refused"
        " to have them checked again; the kernels for narrow serve instead"
    ] * len(caplog.messages)
    assert len(caplog.messages) == 2  # one a start


def test_where_all_kernels_fail_there_are_none_until_the_verdict_goes(sets, tmp_path):
    judged, asked = sets
    judged |= {"wide": refused(), "narrow": refused("the check did not end")}
    assert library.is_obtainable(tmp_path)  # nobody knows yet
    for _ in range(2):
        with pytest.raises(
            NativeUnavailableError, match=r"check \(-4\); delete .*wide"
        ):
            library.load_kernels(tmp_path)
        assert not library.is_obtainable(tmp_path)
        restart()
        assert not library.is_obtainable(tmp_path)
    assert asked == ["wide", "narrow"]
    judged["wide"] = None
    restart()
    (tmp_path / f"kernels-wide-1.{REFUSED}").unlink()
    assert serving(tmp_path) == "wide"
    assert asked == ["wide", "narrow", "wide"]


def test_at_the_start_that_finds_it_the_backend_may_know_already(sets, tmp_path):
    judged, _ = sets
    judged |= {"wide": refused(), "narrow": NativeUnavailableError("no memory")}
    with pytest.raises(NativeUnavailableError):
        library.load_kernels(tmp_path)
    assert not library.is_obtainable(tmp_path)


def test_a_check_that_could_not_be_done_is_done_again(sets, tmp_path):
    judged, asked = sets
    judged |= dict.fromkeys(judged, NativeUnavailableError("no memory"))
    with pytest.raises(NativeUnavailableError, match="no memory"):
        library.load_kernels(tmp_path)
    assert not list(tmp_path.glob(f"*.{REFUSED}"))
    judged["wide"] = None
    restart()
    assert serving(tmp_path) == "wide"
    assert asked == ["wide", "narrow", "wide"]


def test_a_verdict_that_cannot_be_kept_is_not_said_to_be(sets, tmp_path, monkeypatch):
    judged, _ = sets
    judged |= dict.fromkeys(judged, refused())
    monkeypatch.setattr(library, "keep_verdict", lambda *_: None)
    with pytest.raises(NativeUnavailableError, match=r"\(-4\); every start checks"):
        library.load_kernels(tmp_path)


@pytest.mark.parametrize(
    ("body", "seconds", "expected", "said"),
    [
        ("import os; os.abort()", 60, library.RefusedError, r"\(-6\)"),
        ("import sys; sys.exit(3)", 60, library.RefusedError, r"\(3\)"),
        ("import time; time.sleep(9)", 0.01, library.RefusedError, "within 0.01 s"),
        ("raise MemoryError('no room')", 60, NativeUnavailableError, "no room"),
        ("import os; os.kill(os.getpid(), 9)", 60, NativeUnavailableError, r"\(-9\)"),
        ("import os; os.kill(os.getpid(), 15)", 60, NativeUnavailableError, r"\(-15\)"),
    ],
)
def test_only_what_the_kernels_did_themselves_refuses_them(
    monkeypatch, tmp_path, body, seconds, expected, said
):
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{body}"\n')
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    monkeypatch.setattr(library, "CHECK_SECONDS", seconds)
    with pytest.raises(NativeUnavailableError, match=said) as error:
        library._prove(tmp_path / "kernels.so")
    assert type(error.value) is expected


def test_a_file_that_is_no_library_fails_its_check_for_good(tmp_path):
    path = tmp_path / "kernels.so"
    path.write_bytes(b"not a library")
    with pytest.raises(
        library.RefusedError, match=r"\(3\): the kernels cannot be open"
    ):
        library._prove(path)


# the files


@pytest.mark.parametrize("verdict", [PROVEN, REFUSED])
def test_a_verdict_is_about_the_library_that_was_checked(tmp_path, verdict):
    path = tmp_path / "kernels.so"
    path.write_text("")
    assert verdicts.kept_verdict(path, verdict, [tmp_path]) is None
    kept = verdicts.keep_verdict(path, verdict, [tmp_path], "why")
    assert verdicts.kept_verdict(path, verdict, [tmp_path]) == kept
    assert verdicts.reason_in(kept) == "why"
    later = kept.stat().st_mtime + 60
    os.utime(path, (later, later))  # built again
    assert verdicts.kept_verdict(path, verdict, [tmp_path]) is None
    assert verdicts.reason_in(tmp_path) == ""


def test_what_an_administrator_built_is_judged_in_a_persons_own_cache(
    sets, tmp_path, monkeypatch
):
    judged, asked = sets
    beside, cache = tmp_path / "beside", tmp_path / "cache"
    compiled = library.compiled_library
    monkeypatch.setattr(compiler, "BESIDE", beside)
    monkeypatch.setattr(library, "compiled_library", lambda n, _: compiled(n, beside))
    judged["wide"] = refused()
    for _ in range(2):
        restart()
        assert serving(cache) == "narrow"
    assert asked == ["wide", "narrow"]
    names = {f"kernels-wide-1.{REFUSED}", f"kernels-narrow-1.{PROVEN}"}
    assert {path.name for path in cache.iterdir()} == names
    for path in cache.iterdir():
        path.unlink()
    cache.rmdir()
    cache.write_text("a file")  # nothing can be kept there
    restart()
    assert serving(cache) == "narrow"
    assert names < {path.name for path in beside.iterdir()}
