"""``python -m benchmarks gpu``: decoding on a graphics card, as JSON and as a page.

Changes when the processes are arranged otherwise. Each contender and shape is a fresh
process, round after round; a card is there for one of them at a time.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.gpu_page import page
from model_core.engines.framework import growing

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "docs" / "speed_gpu.json"
CONTENDERS = ("ours", "peer")
PATIENCE_SECONDS = 1800.0
MOST_CHARS = 300
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GpuRace:
    """What is to be measured.

    Attributes:
        shapes: Keys of ``gpu_shapes.SHAPES``.
        rounds: Fresh processes of each.
        texts: Of each way and batch in a process.
        dtype: Of the weights.
    """

    shapes: tuple[str, ...]
    rounds: int = 3
    texts: int = 5
    dtype: str = "bfloat16"


def measure(race: GpuRace, path: Path) -> Record:
    """Measure, and write the record after every process and the page at the end.

    What an earlier record says of other shapes, or of this one in another type of
    numbers, is kept.

    Args:
        race: What.
        path: The JSON file; the page stands beside it.
    """
    record: Record = {"runs": []}
    if path.exists():
        record = json.loads(path.read_text(encoding="utf8"))
    replaced = {(shape, race.dtype) for shape in race.shapes}
    record["runs"] = [
        run for run in record["runs"] if (run["shape"], run["dtype"]) not in replaced
    ]
    for index in range(race.rounds):
        for shape in race.shapes:
            for who in CONTENDERS[:: -1 if index % 2 else 1]:
                report = asked((who, shape, race.dtype, str(race.texts)))
                run = {"who": who, "shape": shape, "dtype": race.dtype, "round": index}
                record["runs"].append(run | {"report": report})
                written = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
                path.write_text(written, encoding="utf8")
                told = report.get("failure", "done")
                print(f"{index + 1}: {shape}, {who}: {told}", file=sys.stderr)
    path.with_suffix(".md").write_text(page(record), encoding="utf8")
    return record


def asked(told: Sequence[str]) -> Record:
    """Return what a process of its own answers, or under ``failure`` why it did not."""
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "benchmarks.gpu_once", *told],
            cwd=ROOT,
            env=environment(),
            check=True,
            timeout=PATIENCE_SECONDS,
            capture_output=True,
            text=True,
        )
        report: Record = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or "").strip().splitlines() or ["no word"]
        return {"failure": lines[-1][:MOST_CHARS], "cases": {}}
    except subprocess.TimeoutExpired:
        return {"failure": "too slow", "cases": {}}
    return report


def environment() -> dict[str, str]:
    """Return what every process is started with: JAX unless another is told."""
    own = dict(os.environ)
    return {
        "KERAS_BACKEND": "jax",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "HF_HUB_OFFLINE": "1",
        **growing(own),
        **own,
    }
