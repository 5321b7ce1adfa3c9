"""How long a checkpoint loads, beside reading its bytes and beside transformers.

Changes when another way of loading, or another format, is measured. Every figure comes
from a fresh process that has imported its framework before the clock starts; the ways
take turns, so that what else the machine does meets all of them alike. The process that
only reads bytes imports the framework too: what memory costs to touch depends on what
the machine did just before.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.load_files import WRITERS, write_checkpoint

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 600.0
WAYS = ("bytes", "ours", "transformers")
TITLES = {
    "bytes": "bytes + one copy",
    "ours": "load_network",
    "transformers": "from_pretrained",
}
Row = dict[str, float]


def measure(
    runs: int,
    formats: tuple[str, ...] = ("safetensors",),
    *,
    num_layers: int = 12,
    dtype: str = "float32",
) -> dict[str, Row]:
    """Return seconds, megabytes of peak memory, and their ratios, by format.

    Args:
        runs: Times that each way is measured.
        formats: Keys of ``load_files.WRITERS``.
        num_layers: Of a network as wide as BERT's base; 12 make 400 MB.
        dtype: A Keras dtype policy for the loaded network.
    """
    figures: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as room:
        for name in formats:
            folder = Path(room) / name
            path = write_checkpoint(folder, name, num_layers)
            figures |= measure_format(name, path, runs, dtype)
            path.unlink()
    return figures


def measure_format(name: str, path: Path, runs: int, dtype: str) -> dict[str, Row]:
    """Measure one file in every way that reads its format."""
    size = path.stat().st_size / 2**20
    ways = WAYS if WRITERS[name].is_read_by_transformers else WAYS[:2]
    taken: dict[str, list[Row]] = {way: [] for way in ways}
    for _ in range(runs):
        for way in ways:
            taken[way].append(ask(way, path, dtype))
    figures: dict[str, Row] = {f"{name}: file, MB": spread([size])}
    for way in ways:
        seconds = [row["seconds"] for row in taken[way]]
        peaks = [row["peak_mb"] for row in taken[way]]
        figures[f"{name}: {TITLES[way]}, s"] = spread(seconds)
        figures[f"{name}: {TITLES[way]}, CPU s"] = spread(
            [row["cpu_seconds"] for row in taken[way]]
        )
        figures[f"{name}: {TITLES[way]}, peak MB"] = spread(peaks)
    figures[f"{name}: ours / bytes, time"] = ratios(taken, "ours", "bytes")
    figures[f"{name}: ours / file, peak"] = spread(
        [row["peak_mb"] / size for row in taken["ours"]]
    )
    if "transformers" in taken:
        figures[f"{name}: ours / from_pretrained, time"] = ratios(
            taken, "ours", "transformers"
        )
    return figures


def ratios(taken: dict[str, list[Row]], one: str, other: str) -> Row:
    """Return the spread of the ratios of neighbours, which met the same machine."""
    pairs = zip(taken[one], taken[other], strict=True)
    return spread([a["seconds"] / b["seconds"] for a, b in pairs])


def spread(values: list[float]) -> Row:
    """Return minimum, median and maximum."""
    return {
        "min": min(values),
        "median": statistics.median(values),
        "max": max(values),
    }


def ask(way: str, path: Path, dtype: str) -> Row:
    """Measure one way in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load_once", way, str(path), dtype]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(  # noqa: S603 - our own command
        command,
        cwd=ROOT,
        env=environment,
        check=True,
        timeout=PATIENCE_SECONDS,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row
