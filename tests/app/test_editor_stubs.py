"""Gradio is imported without writing files for editors, and is otherwise the same."""

import importlib.machinery
import json
import subprocess
import sys
from pathlib import Path

import pytest

from app import editor_stubs

REPORT = """
import json, sys
import gradio.component_meta as meta
import gradio as gr
events = sorted(str(one) for one in gr.Textbox.EVENTS)
takes_clicks = callable(gr.Button().click)
finders = [type(one).__name__ for one in sys.meta_path]
print(json.dumps([meta.create_or_modify_pyi.__name__, events, takes_clicks, finders]))
"""


def report(*before):
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*before, REPORT])],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_components_are_the_same_without_stubs():
    usual, ours = report(), report("import app")
    assert usual[0] == editor_stubs.WRITER
    assert ours[0] == "_write_nothing"
    assert ours[1:] == usual[1:]
    assert ours[1]


@pytest.fixture(name="package")
def fixture_package(monkeypatch, tmp_path):
    """Return what writes a module ``drawn.meta`` and imports it."""
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(editor_stubs, "WRITER_MODULE", "drawn.meta")
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])

    def imported(text):
        (tmp_path / "drawn" / "meta.py").write_text(text, "utf8")
        editor_stubs.leave_editor_stubs()
        importlib.machinery.PathFinder.invalidate_caches()
        return importlib.import_module("drawn.meta")

    yield imported
    for name in ("drawn", "drawn.meta"):
        sys.modules.pop(name, None)


def test_only_the_writer_is_replaced(package):
    module = package("def create_or_modify_pyi(): raise OSError\nkept = 5\n")
    assert module.create_or_modify_pyi(1, 2, 3) is None
    assert module.kept == 5
    assert editor_stubs._Finder not in map(type, sys.meta_path)


def test_a_gradio_without_a_writer_is_left_alone(package):
    module = package("kept = 5\n")
    assert module.kept == 5
    assert not hasattr(module, editor_stubs.WRITER)


def test_too_late_is_no_fault():
    finders = [*sys.meta_path]
    if editor_stubs.WRITER_MODULE not in sys.modules:
        pytest.importorskip("gradio")
    editor_stubs.leave_editor_stubs()
    assert sys.meta_path == finders
