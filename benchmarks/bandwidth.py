"""How fast this machine reads memory and multiplies, measured when the others are.

Changes when the limits are measured otherwise. A process of its own: ``python -m
benchmarks.bandwidth THREADS``, numpy alone.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

BYTES = 400 * 2**20
SIDE = 1536
REPEATS = 9
Row = dict[str, float]


def main() -> None:
    """Print both limits as JSON."""
    print(json.dumps(measure(int(sys.argv[1]))))


def measure(threads: int) -> Row:
    """Return bytes per second of reading and operations per second of multiplying.

    Args:
        threads: Cores that read at once, each a part of its own; the product uses as
            many as numpy's library was told to.
    """
    return {
        "bytes_per_second": BYTES / fastest(reading(threads)),
        "flops_per_second": 2 * SIDE**3 / fastest(multiplying()),
    }


def reading(threads: int) -> Callable[[], object]:
    """Return the reading of 400 MB once, shared between threads."""
    numbers = np.ones(BYTES // 8, "int64")
    parts = np.array_split(numbers, threads)
    pool = ThreadPoolExecutor(threads)
    # a maximum keeps nothing waiting but memory; numpy lets the other threads run
    return lambda: list(pool.map(np.max, parts))


def multiplying() -> Callable[[], object]:
    """Return one float32 product of square matrices."""
    left = np.ones((SIDE, SIDE), "float32")
    return lambda: left @ left


def fastest(call: Callable[[], object]) -> float:
    """Return the least seconds of several calls: a limit, so what disturbs is out."""
    call()
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


if __name__ == "__main__":
    main()
