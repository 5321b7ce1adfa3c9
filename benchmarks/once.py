"""One contender and one part in this process; ``benchmarks.speed`` starts it.

Changes when a process is told otherwise what to do. Prints one line of JSON.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.contract import Setup
from benchmarks.shapes import SCALES

PREPARED = "prepared"


def main() -> None:
    """Do what the command line's JSON says."""
    print(json.dumps(answer(json.loads(sys.argv[1]))))


def answer(told: dict[str, Any]) -> dict[str, Any]:
    """Prepare or measure.

    Args:
        told: ``deed`` prepare or measure; ``part``; ``module``, ``precision`` and
            ``engine`` of the contender; ``scale``; folders ``source`` and ``made``;
            ``threads``; ``most_rows``; streams are told ``folder`` and ``tokens``.
    """
    if told["part"] == "streams":
        streams = import_module("benchmarks.streams")
        measured: dict[str, Any] = streams.report(
            Path(told["folder"]), told["engine"], told["tokens"]
        )
        return measured
    contender: Any = import_module(told["module"])
    setup = Setup(
        Path(told["source"]),
        Path(told["made"]),
        told["precision"],
        told["threads"],
        told["engine"],
    )
    if told["deed"] == "prepare":
        setup.made.mkdir(parents=True, exist_ok=True)
        contender.prepare(setup, told["part"])
        (setup.made / PREPARED).touch()
        return {}
    parts = import_module("benchmarks.parts")
    reported: dict[str, Any] = parts.report(
        told["part"], contender, setup, SCALES[told["scale"]], told["most_rows"]
    )
    return reported


if __name__ == "__main__":
    main()
