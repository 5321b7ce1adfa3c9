"""The command line as a process: what it imports, pipes and signals."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HEAVY = ("keras", "tensorflow", "gradio", "huggingface_hub")

FAKE = """
import sys
import demos.__main__ as program
from tests.fake_text_rewriter import FakeRewriter
from tests.fakes import FakeGenerator, FakeShelf
players = {"text_rewriter": FakeRewriter(step_seconds=0.001)}
shelf = FakeShelf(FakeGenerator(step_seconds=0.02), players)
program.open_shelf = lambda weights: shelf
sys.exit(program.main())
"""

# a shell in the background has its children ignore an interrupt; a terminal does not
HEARD = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
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
        *(sys.executable, "-c", HEARD + FAKE, "generation", "--max-new-tokens", "2"),
        *("--input", str(source), "--output", str(target)),
    ]
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
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


def title_batch(source, target, *more):
    files = ("--input", source, "--output", target, "--num-beams", "1")
    return ["-c", FAKE, "title", *map(str, files), *more]


def test_a_batch_in_portions_goes_on_exactly_after_kill_9(tmp_path):
    source, target = tmp_path / "in.txt", tmp_path / "out.jsonl"
    lines = [f"第{number}号，港口复航。" for number in range(150)]
    source.write_text("\n".join(lines))
    whole = tmp_path / "whole.jsonl"
    assert python(*title_batch(source, whole)).returncode == 0
    kills = 0
    for _ in range(3):
        more = ("--resume",) if target.exists() else ()
        before = target.stat().st_size if target.exists() else 0
        command = [sys.executable, *title_batch(source, target, *more)]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as running:
            await_growth(target, before, running)
            running.kill()
            kills += running.wait() == -signal.SIGKILL
    assert kills
    assert target.read_bytes() != whole.read_bytes()
    assert python(*title_batch(source, target, "--resume")).returncode == 0
    assert target.read_bytes() == whole.read_bytes()


def await_growth(path, before, running):
    deadline = time.monotonic() + 30
    while running.poll() is None and time.monotonic() < deadline:
        if path.exists() and path.stat().st_size > before:
            return
        time.sleep(0.005)
