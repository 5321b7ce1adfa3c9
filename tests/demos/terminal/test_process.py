"""The command line as a process: what it imports, pipes and signals."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HEAVY = ("keras", "tensorflow", "gradio", "huggingface_hub", "numpy")

FAKE = """
import sys
import demos.__main__ as program
from tests.fakes import FakeGenerator, FakeShelf
program.open_shelf = lambda weights: FakeShelf(FakeGenerator(step_seconds=0.02))
sys.exit(program.main())
"""


def python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *(a if isinstance(a, bytes) else str(a) for a in arguments)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        **options,
    )


@pytest.mark.parametrize("arguments", [("--help",), ("generation", "--help")])
def test_help_names_everything_and_imports_nothing_heavy(arguments):
    code = (
        "import runpy, sys\n"
        f"sys.argv[1:] = {list(arguments)!r}\n"
        "try:\n    runpy.run_module('demos', run_name='__main__')\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("[]\n")
    assert "generation" in done.stdout


def test_every_option_of_the_contract_has_help():
    shown = python("-m", "demos", "generation", "--help").stdout
    for option in (
        *("--input", "--output", "--json", "--resume", "--overwrite"),
        *("--weights", "--engine", "--offline", "--max-new-tokens", "--style"),
    ):
        assert option in shown


def test_output_is_utf_8_in_a_pipe():
    done = python("-c", FAKE, "generation", "--max-new-tokens", 2, "春")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("春")


@pytest.mark.parametrize("option", ["--json", "--offline"])
def test_a_closed_pipe_is_quiet(option):
    line = '"$0" -c "$1" generation "$2" 春 | true; exit "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", line, sys.executable, FAKE, option],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_text_that_is_no_utf_8_is_refused_with_a_sentence():
    done = python("-c", FAKE, "generation", b"\xe6\x98")
    assert done.returncode == 2
    assert "残缺的代理字符" in done.stderr


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_an_interrupt_leaves_a_file_of_whole_lines(tmp_path, suffix):
    source, target = tmp_path / "in.txt", tmp_path / f"out{suffix}"
    source.write_text("春天来了\n" * 500)
    command = [
        *(sys.executable, "-c", FAKE, "generation", "--max-new-tokens", "2"),
        *("--input", str(source), "--output", str(target)),
    ]
    running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not (target.exists() and target.stat().st_size > 300):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "--resume 可接着做" in said.decode()
    assert "Traceback" not in said.decode()
    assert target.read_bytes().endswith(b"\n")
    if suffix == ".jsonl":
        assert all(
            json.loads(line)["texts"] for line in target.read_text().split("\n")[:-1]
        )
