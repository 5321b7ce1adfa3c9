"""How soon a fresh ``python app.py`` answers: page, model, first text, speed, memory.

Changes when another moment of the first minute is measured. Fresh process per run,
offline, over HTTP as a visitor would.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.05
QUESTION = {
    "prompt": "春风",
    "style": "散文",
    "max_new_tokens": 200,
    "min_new_tokens": 200,
    "seed": 1,
}


def measure(runs: int) -> dict[str, dict[str, float]]:
    """Return minimum, median and maximum of every figure over fresh starts.

    One start before them is not counted: it compiles the sources and the kernels, as
    the first one after an installation does.
    """
    measure_once()
    figures = [measure_once() for _ in range(runs)]
    return {
        name: {
            "min": min(one[name] for one in figures),
            "median": statistics.median(one[name] for one in figures),
            "max": max(one[name] for one in figures),
        }
        for name in figures[0]
    }


def measure_once() -> dict[str, float]:
    """Start the application, ask it once, stop it.

    Returns:
        Seconds from the start to the page and to the ready model; seconds from the
        question to the first text, tokens per second of the whole answer, resident
        megabytes after it, seconds from SIGTERM to the end.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    started = time.monotonic()
    with running(port) as process:
        wait_for(f"{address}/")
        page = time.monotonic() - started
        wait_for(f"{address}/readyz")
        ready = time.monotonic() - started
        asked = time.monotonic()
        first = speed = 0.0
        for frame in ask(address, QUESTION):
            first = first or (time.monotonic() - asked if frame["texts"] else 0.0)
            speed = frame.get("tokens_per_second", 0.0)
        memory = resident_megabytes(process.pid)
        ended = time.monotonic()
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        end = time.monotonic() - ended
    return {
        "page_seconds": page,
        "ready_seconds": ready,
        "first_text_seconds": first,
        "tokens_per_second": speed,
        "resident_megabytes": memory,
        "end_seconds": end,
    }


@contextmanager
def running(port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the application, offline, while the block runs."""
    command = [sys.executable, "app.py", "--port", str(port), "--offline"]
    environment = os.environ | {"MASKPLAY_WEIGHTS": "embedded"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # people keep compiled sources
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(address: str) -> None:
    """Return when an address answers with status 200.

    Raises:
        TimeoutError: It did not within the patience.
    """
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(POLL_SECONDS)
    raise TimeoutError(f"{address} did not answer within {PATIENCE_SECONDS} s")


def ask(address: str, question: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the frames of one question, as they arrive."""
    call = f"{address}/gradio_api/call/v2/generate"
    request = urllib.request.Request(  # noqa: S310 - loopback
        call,
        json.dumps(question).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        event = json.load(answer)["event_id"]
    stream = f"{address}/gradio_api/call/generate/{event}"
    with urllib.request.urlopen(stream) as lines:  # noqa: S310
        for line in lines:
            if line.startswith(b"data: [{"):
                yield json.loads(line[6:])[0]


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def resident_megabytes(pid: int) -> float:
    """Return the resident memory of a process (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf8")
    (line,) = (row for row in status.splitlines() if row.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
