"""One way of loading, measured in this process; ``benchmarks.load`` starts it.

Changes when a way is measured otherwise. Peaks are of resident memory, mapped pages of
the file included, above what there was when the framework had been imported (Linux).
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

STATUS = Path("/proc/self/status")
CHUNK_BYTES = 2**22
Load = Callable[[], Any]


def main() -> None:
    """Measure what the command line names and print it as JSON."""
    way, path, dtype = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    load = WAYS[way](path, dtype)
    warm_page_cache(path)
    reset_peak()
    before = resident_mb("VmRSS")
    began, began_cpu = time.perf_counter(), time.process_time()
    loaded = load()
    seconds = time.perf_counter() - began
    cpu_seconds = time.process_time() - began_cpu
    row = {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_mb": resident_mb("VmHWM") - before,
        "kept_mb": resident_mb("VmRSS") - before,
    }
    print(json.dumps(row))
    del loaded


def prepare_bytes(path: Path, _: str) -> Load:
    """Read the file's bytes, and copy them once."""
    start_framework()

    def load() -> Any:
        return np.frombuffer(path.read_bytes(), np.uint8).copy()

    return load


def prepare_ours(path: Path, dtype: str) -> Load:
    """Load the network with every head that the file has."""
    from model_core.checkpoints.load import load_network  # noqa: PLC0415

    start_framework()
    return lambda: load_network(path.parent, dtype=dtype)


def prepare_transformers(path: Path, _: str) -> Load:
    """Load transformers' own class."""
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    transformers.utils.logging.disable_progress_bar()
    kind = transformers.BertForMaskedLM
    torch.ones(3).sum()
    return lambda: kind.from_pretrained(path.parent)


def start_framework() -> None:
    """Let the framework do what it does before its first tensor."""
    import keras  # noqa: PLC0415

    keras.ops.convert_to_tensor(np.ones(3)) + 1


def warm_page_cache(path: Path) -> None:
    """Read the file through a small buffer: it is then in memory, and nothing else."""
    buffer = bytearray(CHUNK_BYTES)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def reset_peak() -> None:
    """Let the system count the peak of resident memory from now on."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def resident_mb(field: str) -> float:
    """Return a figure of this process's memory."""
    lines = STATUS.read_text(encoding="ascii").splitlines()
    (line,) = (row for row in lines if row.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


WAYS: dict[str, Callable[[Path, str], Load]] = {
    "bytes": prepare_bytes,
    "ours": prepare_ours,
    "transformers": prepare_transformers,
}

if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
