"""Seconds of a call and memory of this process.

Changes when either is measured otherwise. Knows no framework.
"""

import time
from collections.abc import Callable
from pathlib import Path

STATUS = Path("/proc/self/status")
BUDGET_SECONDS = 2.0
MOST_RUNS = 20


def seconds_of(
    call: Callable[[], object], budget_seconds: float = BUDGET_SECONDS
) -> list[float]:
    """Return the seconds of runs that fill a budget, at least one.

    The first of several is left out: it met cold caches. A call that fills the budget
    alone is run once, for there the caches hardly matter.

    Args:
        call: Warmed up by the caller where something is compiled.
        budget_seconds: After this much no run begins.
    """
    seconds: list[float] = []
    while sum(seconds) < budget_seconds and len(seconds) < MOST_RUNS:
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds[1:] or seconds


def resident_mb(field: str = "VmRSS") -> float:
    """Return the resident memory of this process in megabytes (Linux).

    Args:
        field: ``VmRSS`` for now, ``VmHWM`` for the most there was.
    """
    lines = STATUS.read_text(encoding="ascii").splitlines()
    (line,) = (row for row in lines if row.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024
