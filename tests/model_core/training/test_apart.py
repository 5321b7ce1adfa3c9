"""A lesson in another process: it learns the same, and its end is always clean."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import keras
import numpy as np
import pytest

from model_core.interfaces import ModelError
from model_core.models.network import arrays_by_name
from model_core.training import apart
from model_core.training.apart import (
    Command,
    Patience,
    command_of,
    learn_apart,
    learn_on_copy,
)
from model_core.training.cloze_learner import (
    ClozeExample,
    ClozeLearning,
    learn_here,
)
from tests.model_core.tiny import ROTARY, build_network

HOW = ClozeLearning(1e-2, 4, 6, 0.15, mask_id=4, seed=3)


@pytest.fixture(scope="module", name="network")
def fixture_network():
    return build_network(replace(ROTARY, num_hidden_layers=1))


@pytest.fixture(scope="module", name="examples")
def fixture_examples():
    rng = np.random.default_rng(0)
    return [
        ClozeExample(
            np.array([2, 4, *rng.integers(12, 20, 6), 3], "int32"),
            np.array([1], "int32"),
            np.array([20 + number % 2], "int32"),
            np.arange(2, 8, dtype="int32"),
        )
        for number in range(8)
    ]


def playing(script):
    """A process that does what a script says; ``me`` is its folder."""
    preface = (
        "import sys, time, json, pathlib, os, signal\n"
        "me = pathlib.Path(sys.argv[1])\n"
        "def tell(**message): print(json.dumps(message), flush=True)\n"
        "(me.parent / (me.name + '.pid')).write_text(str(os.getpid()))\n"
    )
    return Command((sys.executable, "-c", preface + script), "tensorflow")


@pytest.fixture(name="folders")
def fixture_folders(monkeypatch, tmp_path):
    """Where lessons are held; empty again at the end of each."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def alone(folder):
    """Whether no lesson's process lives, not even as a zombie, and no folder stays."""
    left = [path for path in folder.iterdir() if path.is_dir()]
    pids = [int(path.read_text()) for path in folder.glob("*.pid")]
    assert pids
    return not left and not any(map(exists, pids))


def exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def begun(folder):
    """Wait until the process has written its number."""
    end = time.monotonic() + 30
    while not list(folder.glob("*.pid")):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_another_process_learns_what_this_one_would(network, examples):
    here = [*learn_here(network, examples, HOW, 60.0)][-1]
    before = arrays_by_name(network)
    backend = keras.backend.backend()
    looks = [*learn_apart(network, examples, HOW, 60.0, command_of(backend))]
    assert [look.network for look in looks[:-1]] == [None] * (len(looks) - 1)
    sizes = [len(look.losses) for look in looks]
    assert sizes == sorted(sizes)
    assert set(sizes) == set(range(HOW.num_steps + 1))
    np.testing.assert_allclose(looks[-1].losses, here.losses, rtol=1e-4)
    ours, theirs = arrays_by_name(here.network), arrays_by_name(looks[-1].network)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_allclose(theirs[name], array, atol=1e-4)
    for name, array in arrays_by_name(network).items():
        np.testing.assert_array_equal(array, before[name])


def test_leaving_ends_the_process_within_a_second(network, examples, folders):
    script = "tell(ready=True); tell(loss=1.0); time.sleep(60)"
    looks = learn_apart(network, examples, HOW, 60.0, playing(script))
    while not next(looks).losses:
        pass
    started = time.monotonic()
    looks.close()
    assert time.monotonic() - started < 1
    assert alone(folders)


def test_who_waits_for_a_silent_process_is_looked_after(network, examples, folders):
    looks = learn_apart(network, examples, HOW, 60.0, playing("time.sleep(60)"))
    assert next(looks).losses == ()
    started = time.monotonic()
    assert next(looks).losses == ()
    assert time.monotonic() - started < 1
    begun(folders)
    looks.close()
    assert alone(folders)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("sys.exit(3)", "exit status 3"),
        ("tell(ready=True); tell(loss=2.0); raise MemoryError", "exit status 1"),
        (
            "tell(ready=True); os.kill(os.getpid(), signal.SIGKILL)",
            f"exit status {-signal.SIGKILL}",
        ),
        ("tell(ready=True); sys.exit(0)", "exit status 0"),
    ],
)
def test_a_process_that_ends_early_is_told(
    network, examples, folders, script, reason, caplog
):
    with pytest.raises(ModelError, match="提前结束") as error:
        list(learn_apart(network, examples, HOW, 60.0, playing(script)))
    assert error.value.kind == "internal"
    assert reason in error.value.zh
    assert reason in error.value.en
    assert "nothing was learned" in error.value.en
    assert alone(folders)
    if "MemoryError" in script:
        assert "MemoryError" in caplog.text
        assert "MemoryError" not in str(error.value)


@pytest.mark.parametrize(
    ("script", "patience"),
    [
        ("time.sleep(60)", Patience(start=0.3)),
        ("tell(ready=True); time.sleep(60)", Patience(step=0.3)),
        (
            "tell(ready=True)\nwhile True: tell(loss=1.0); time.sleep(.05)",
            Patience(step=0.3),
        ),
    ],
)
def test_a_process_that_does_not_come_to_an_end_is_ended(
    network, examples, folders, script, patience
):
    looks = learn_apart(network, examples, HOW, 0.0, playing(script), patience)
    next(looks)
    begun(folders)
    with pytest.raises(ModelError, match="too slow"):
        list(looks)
    assert alone(folders)


def test_the_process_ends_with_the_one_who_asked(tmp_path):
    """Its standard input closes, whatever ended the other end."""
    code = (
        "import threading, time; from model_core.training import lesson; "
        "threading.Thread(target=lesson._leave_when_nobody_listens).start(); "
        "time.sleep(60)"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, cwd=apart.ROOT
    )
    assert started.poll() is None
    started.stdin.close()
    assert started.wait(30) == 1


def test_where_the_backend_has_no_gradients_another_process_teaches(
    network, examples, monkeypatch, folders
):
    asked = []

    def fake(name):
        asked.append(name)
        return playing("sys.exit(5)")

    monkeypatch.setattr(apart, "command_of", fake)
    monkeypatch.setattr(apart.keras.backend, "backend", lambda: "numpy")
    with pytest.raises(ModelError, match="exit status 5"):
        list(learn_on_copy(network, examples, HOW, 1.0))
    assert asked == [apart.teacher()]


def test_without_any_framework_that_learns_it_says_so(monkeypatch):
    monkeypatch.setattr(apart.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match="pip install tensorflow") as error:
        apart.teacher()
    assert error.value.kind == "unsupported"
