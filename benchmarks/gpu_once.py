"""One contender at one shape, in this process; ``benchmarks.gpu`` starts it.

Changes when a text is timed otherwise. ``python -m benchmarks.gpu_once WHO SHAPE DTYPE
TEXTS`` prints one line of JSON.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.gpu_shapes import SHAPES, GpuShape

Ints = npt.NDArray[np.int32]
Text = Callable[[int], Ints]
"""Writes so many tokens behind a batch's prompts, int32 (batch, new)."""
Report = dict[str, Any]
STEPWISE = 2
"""Texts that the slow ways write; their spread is small."""


def main() -> None:
    """Measure, and print."""
    who, shape, dtype, texts = sys.argv[1:]
    print(json.dumps(ASKED[who](SHAPES[shape], dtype, int(texts))))


def ours(shape: GpuShape, dtype: str, texts: int) -> Report:
    """Return the figures of our engine, and the device's bandwidth."""
    from benchmarks import gpu_ours  # noqa: PLC0415 - loads the framework

    engine = gpu_ours.engine_of(shape, dtype)
    cases: Report = {}
    for batch in shape.batches:
        prompts = shape.prompts(batch).tolist()
        found = {}
        for name, write in gpu_ours.ways(engine, prompts).items():
            often = texts if "whole" in name else min(texts, STEPWISE)
            figures, found[name] = timed(write, shape, often)
            cases.setdefault(name, {})[str(batch)] = figures
        whole, stepwise = found.values()
        for name in found:
            cases[name][str(batch)]["same_tokens"] = float((whole == stepwise).mean())
    return {
        "cases": cases,
        "device": engine.device,
        "bytes_per_second": gpu_ours.bytes_per_second(),
        "memory_mb": gpu_ours.memory_mb(),
        "versions": gpu_ours.versions(),
    }


def peer(shape: GpuShape, dtype: str, texts: int) -> Report:
    """Return the figures of transformers, or why there are none."""
    try:
        from benchmarks import gpu_peer  # noqa: PLC0415 - loads the framework
    except ImportError as error:
        return {"failure": f"transformers was not there: {error}", "cases": {}}
    network = gpu_peer.network_of(shape, dtype)
    cases: Report = {}
    failures = []
    for batch in shape.batches:
        prompts = shape.prompts(batch)
        for name, write in gpu_peer.ways(network).items():
            try:
                figures, _ = timed(partial(write, prompts), shape, texts)
            except Exception as error:  # noqa: BLE001 - a peer may break in any way
                failures.append(f"{name}, batch {batch}: {str(error)[:200]}")
            else:
                cases.setdefault(name, {})[str(batch)] = figures
    return {
        "cases": cases,
        "failures": failures,
        "device": gpu_peer.device_name(),
        "memory_mb": gpu_peer.memory_mb(),
        "versions": gpu_peer.versions(),
    }


def timed(write: Text, shape: GpuShape, texts: int) -> tuple[Report, Ints]:
    """Return the seconds of whole texts and of texts of one token, and a text.

    Args:
        write: Not warm yet: its first text is timed apart.
        shape: Says how long texts are.
        texts: How many.
    """
    began = time.perf_counter()
    text = write(shape.new_tokens)
    warming = time.perf_counter() - began
    write(1)
    figures: Report = {"warming_seconds": warming}
    for name, most in (("seconds", shape.new_tokens), ("first_token_seconds", 1)):
        figures[name] = [seconds(write, most) for _ in range(texts)]
    return figures, text


def seconds(write: Text, most: int) -> float:
    """Return the seconds of a text."""
    began = time.perf_counter()
    write(most)
    return time.perf_counter() - began


ASKED: Mapping[str, Callable[[GpuShape, str, int], Report]] = {
    "ours": ours,
    "peer": peer,
}

if __name__ == "__main__":
    main()
