"""Which backend serves: by what the machine has, said before Keras is imported."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from model_core.engines import framework
from model_core.engines.framework import Machine, choose_backend
from model_core.engines.native import compiler, library
from model_core.engines.registry import ENGINES


def machine(*, told=None, card=False, kernels=True, light=True):
    return Machine(
        {} if told is None else {"KERAS_BACKEND": told},
        lambda: card,
        lambda: kernels,
        lambda: light,
    )


@pytest.mark.parametrize(
    ("engine", "dtype", "asked", "expected"),
    [
        ("auto", "float32", {}, "numpy"),
        ("native", "float32", {}, "numpy"),
        ("native-int8", "float32", {}, "numpy"),
        ("keras", "float32", {}, "tensorflow"),
        ("auto", "bfloat16", {}, "tensorflow"),
        ("auto", "float32", {"card": True}, "tensorflow"),
        ("auto", "float32", {"kernels": False}, "tensorflow"),
        ("native", "float32", {"kernels": False}, "tensorflow"),
        ("auto", "float32", {"light": False}, "tensorflow"),
        ("auto", "float32", {"told": ""}, "numpy"),
        ("auto", "auto", {}, "numpy"),
        ("auto", "auto", {"card": True}, "tensorflow"),
        ("auto", "float32", {"told": "jax", "card": True}, "jax"),
        ("keras", "float32", {"told": "numpy"}, "numpy"),
        ("auto", "float32", {"told": "torch", "kernels": False}, "torch"),
    ],
)
def test_the_choice(engine, dtype, asked, expected):
    assert choose_backend(engine, dtype, machine(**asked)) == expected


def test_every_engine_but_keras_itself_is_served_without_a_framework():
    light = {
        name
        for name in ENGINES
        if choose_backend(name, "float32", machine()) != "numpy"
    }
    assert light == {"keras"}


def test_nothing_is_asked_of_the_machine_where_it_does_not_matter():
    def never():
        raise AssertionError

    asked = Machine({"KERAS_BACKEND": "torch"}, never, never, never)
    assert choose_backend("auto", "float32", asked) == "torch"
    asked = Machine({}, never, never, never)
    assert choose_backend("keras", "float32", asked) == "tensorflow"
    asked = Machine({}, lambda: True, never, never)
    assert choose_backend("auto", "float32", asked) == "tensorflow"


@pytest.mark.parametrize("is_imported", [True, False])
def test_the_environment_is_told_unless_it_is_too_late(monkeypatch, is_imported):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(framework, "this_machine", lambda: machine(told="jax"))
    modules = {"keras": None} if is_imported else {}
    monkeypatch.setattr(framework.sys, "modules", modules)
    framework.prepare_backend("auto")
    assert os.environ.get("KERAS_BACKEND") == (None if is_imported else "jax")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, {"TF_FORCE_GPU_ALLOW_GROWTH", "XLA_PYTHON_CLIENT_PREALLOCATE"}),
        ({"TF_FORCE_GPU_ALLOW_GROWTH": "false"}, {"XLA_PYTHON_CLIENT_PREALLOCATE"}),
        ({"XLA_PYTHON_CLIENT_PREALLOCATE": "true"}, {"TF_FORCE_GPU_ALLOW_GROWTH"}),
        ({"XLA_PYTHON_CLIENT_MEM_FRACTION": ".5"}, {"TF_FORCE_GPU_ALLOW_GROWTH"}),
        ({"XLA_PYTHON_CLIENT_ALLOCATOR": "platform"}, {"TF_FORCE_GPU_ALLOW_GROWTH"}),
    ],
)
def test_a_cards_memory_is_taken_bit_by_bit_unless_a_person_says_otherwise(
    told, expected
):
    assert framework.growing(told).keys() == expected


@pytest.mark.parametrize("is_imported", [True, False])
def test_how_memory_is_taken_is_said_to_the_frameworks(monkeypatch, is_imported):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "true")
    monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH", raising=False)
    monkeypatch.setattr(
        framework.sys, "modules", {"keras": None} if is_imported else {}
    )
    framework.prepare_backend("auto")
    assert os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] == "true"
    assert os.environ.pop("TF_FORCE_GPU_ALLOW_GROWTH") == "true"


@pytest.mark.parametrize(
    ("dtype", "engine", "card", "expected"),
    [
        ("auto", "auto", "", "float32"),
        ("auto", "auto", "gpu:0", "bfloat16"),
        ("auto", "keras", "gpu:0", "bfloat16"),
        ("auto", "native", "gpu:0", "float32"),
        ("float32", "auto", "gpu:0", "float32"),
        ("bfloat16", "auto", "", "bfloat16"),
    ],
)
def test_half_precision_is_for_cards_unless_a_person_says_otherwise(
    monkeypatch, dtype, engine, card, expected
):
    from model_core.engines import automatic

    fake = SimpleNamespace(accelerator=lambda: card)
    monkeypatch.setattr(automatic, "active_backend", lambda: fake)
    assert automatic.playing_dtype(dtype, engine) == expected


def answering(folder, text, status=0):
    """A program ``nvidia-smi`` that says a text."""
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\necho '{text}'\nexit {status}\n", "utf8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in")
@pytest.mark.parametrize(
    ("text", "status", "visible", "expected"),
    [
        ("GPU 0: NVIDIA H200 (UUID: GPU-1)", 0, None, True),
        ("GPU 0: NVIDIA H200 (UUID: GPU-1)", 0, "1", True),
        ("GPU 0: NVIDIA H200 (UUID: GPU-1)", 0, "-1", False),
        ("GPU 0: NVIDIA H200 (UUID: GPU-1)", 0, "", False),
        ("No devices found", 6, None, False),
        ("", 0, None, False),
    ],
)
def test_a_card_is_what_the_driver_lists(
    monkeypatch, tmp_path, text, status, visible, expected
):
    asked = answering(tmp_path, text, status)
    monkeypatch.setattr(framework.shutil, "which", lambda _: asked)
    monkeypatch.setattr(framework, "Path", lambda _: tmp_path / "no-such-device")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert framework.has_graphics_card() is expected


def test_without_a_driver_there_is_no_card(monkeypatch, tmp_path):
    monkeypatch.setattr(framework.shutil, "which", lambda _: None)
    monkeypatch.setattr(framework, "Path", lambda _: tmp_path / "no-such-device")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert not framework.has_graphics_card()
    (tmp_path / "no-such-device").touch()
    assert framework.has_graphics_card()


def test_kernels_are_had_by_a_compiler_or_as_they_were_built(monkeypatch, tmp_path):
    monkeypatch.delenv("MASKPLAY_INSTRUCTIONS", raising=False)
    monkeypatch.setattr(compiler, "BESIDE", tmp_path / "beside")
    monkeypatch.setattr(compiler.shutil, "which", lambda _: None)
    assert not library.is_obtainable(tmp_path)
    (tmp_path / compiler.library_name(compiler.PLAIN)).touch()
    assert library.is_obtainable(tmp_path)
    monkeypatch.setenv("MASKPLAY_INSTRUCTIONS", "none")
    assert not library.is_obtainable(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in")
@pytest.mark.parametrize(
    ("does", "counts"), [('exec cc "$@"', True), ("exit 1", False), ("exit 0", False)]
)
def test_a_compiler_counts_where_it_compiles(monkeypatch, tmp_path, does, counts):
    monkeypatch.delenv("MASKPLAY_INSTRUCTIONS", raising=False)
    monkeypatch.setattr(compiler, "BESIDE", tmp_path / "beside")
    command = tmp_path / "compiling"
    command.write_text(f"#!/bin/sh\n{does}\n")
    command.chmod(0o755)
    monkeypatch.setenv("CC", str(command))
    assert library.is_obtainable(tmp_path) is counts


def test_choosing_imports_no_framework():
    code = (
        "import sys; from model_core.engines.framework import prepare_backend; "
        "prepare_backend('auto'); "
        "print({'keras', 'tensorflow', 'jax', 'torch'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "set()"
