"""The race: fresh processes, taking turns, round after round, into one record.

Changes when rounds are arranged otherwise. What is measured is ``parts.py``'s business,
who is measured ``contenders.py``'s. Weights are written and converted before any round.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contenders import STREAMS, Row
from benchmarks.once import PREPARED
from benchmarks.parts import PARTS
from benchmarks.shapes import SCALES

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 1200.0
MOST_CHARS = 300
CPU_FACTS = Path("/proc/cpuinfo")
WIDE_FLAGS = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "amx_int8", "amx_bf16")
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Race:
    """What is to be measured.

    Attributes:
        rows: The contenders, in the order of the first round.
        parts: Keys of ``PARTS``, and ``streams``.
        rounds: Times that every contender starts afresh.
        room: A folder for weights and what is converted; kept by the caller.
        scale: A key of ``SCALES``.
        threads: Cores that everyone uses.
        peers_python: The interpreter with the peers' libraries.
        embedded: Weights that the streams write with.
    """

    rows: tuple[Row, ...]
    parts: tuple[str, ...]
    rounds: int
    room: Path
    scale: str = "base"
    threads: int = os.cpu_count() or 1
    peers_python: str = sys.executable
    embedded: Path = ROOT / "assets" / "embedded"


def prepare(race: Race) -> list[str]:
    """Write weights and convert them; return what could not be, with its reason."""
    sources = race.room / race.scale
    told = [str(sources), race.scale, str(race.threads)]
    run(race, sys.executable, "benchmarks.random_weights", told)
    failures = []
    for part, row in turns(race, 0):
        if part == STREAMS or not row.in_peers or (made(race, row, part)).exists():
            continue
        failure = attempt(race, row, part, "prepare").get("failure")
        failures += [f"{row.name}, {part}: {failure}"] if failure else []
    return failures


def made(race: Race, row: Row, part: str) -> Path:
    """Return the file that says that a contender's conversion is done."""
    return _folder(race, row, part) / PREPARED


def measure(race: Race) -> Iterator[Record]:
    """Yield the record so far after every process: what breaks off is not lost.

    Every record holds the runs of those before it; the last is what the page is of.
    """
    facts, runs = machine(), list[Record]()
    for index in range(race.rounds):
        limits: dict[str, Record] = {}
        for part, row in turns(race, index):
            if part not in limits:
                limits[part] = measured_limits(race)
            runs.append(asked(race, row, part, index) | {"limits": limits[part]})
            yield {
                "machine": facts,
                "scale": race.scale,
                "threads": race.threads,
                "runs": list(runs),
            }


def asked(race: Race, row: Row, part: str, index: int) -> Record:
    """Return one contender's run of a part, and say on the terminal that it is done."""
    report = attempt(race, row, part, "measure")
    told = report.get("failure") or f"{report['process_seconds']:.0f} s"
    print(f"{index + 1}: {part}, {row.name}: {told}", file=sys.stderr, flush=True)
    return {
        "part": part,
        "contender": row.name,
        "precision": row.precision,
        "is_ours": row.is_ours,
        "round": index,
        "report": report,
    }


def measured_limits(race: Race) -> Record:
    """Return this machine's limits as they are now."""
    told = [str(race.threads)]
    limits: Record = json.loads(run(race, sys.executable, "benchmarks.bandwidth", told))
    return limits


def turns(race: Race, index: int) -> Iterator[tuple[str, Row]]:
    """Yield parts and contenders of a round; odd rounds go backwards.

    What the machine does besides then meets nobody always first or always last.
    """
    for part in race.parts:
        able = [
            row
            for row in race.rows
            if part in row.parts and not (index and part in row.once)
        ]
        yield from ((part, row) for row in (able[::-1] if index % 2 else able))


def attempt(race: Race, row: Row, part: str, deed: str) -> Record:
    """Return what a process of its own answers, or under ``failure`` why it did not."""
    source = race.room / race.scale
    told = {
        "deed": deed,
        "part": part,
        "module": row.module,
        "precision": row.precision,
        "engine": row.engine,
        "scale": race.scale,
        "source": str(source / PARTS[part].network) if part in PARTS else "",
        "made": str(_folder(race, row, part)),
        "threads": race.threads,
        "most_rows": row.most_rows,
        "folder": str(race.embedded),
        "tokens": SCALES[race.scale].stream_tokens,
    }
    python = race.peers_python if row.in_peers else sys.executable
    try:
        answer = run(race, python, "benchmarks.once", [json.dumps(told)])
    except subprocess.CalledProcessError as error:
        return {"failure": reason(error), "cases": {}, "versions": {}}
    except subprocess.TimeoutExpired:
        return {"failure": "too slow", "cases": {}, "versions": {}}
    report: Record = json.loads(answer)
    return report


def reason(error: subprocess.CalledProcessError) -> str:
    """Return why a process failed: the signal that ended it, or its last words."""
    if error.returncode < 0:
        return f"ended by signal {-error.returncode}"
    lines = (error.stderr or "").strip().splitlines() or ["no word"]
    return lines[-1][:MOST_CHARS]


def run(race: Race, python: str, module: str, told: Sequence[str]) -> str:
    """Return the last line that a process of its own printed.

    Raises:
        CalledProcessError: It failed.
        TimeoutExpired: It took longer than the patience.
    """
    done = subprocess.run(  # noqa: S603 - our own command
        [python, "-m", module, *told],
        cwd=ROOT,
        env=environment(race.threads),
        check=True,
        timeout=PATIENCE_SECONDS,
        capture_output=True,
        text=True,
    )
    lines = done.stdout.strip().splitlines()
    return lines[-1] if lines else ""


def environment(threads: int) -> dict[str, str]:
    """Return what every process is started with: as many threads, no network."""
    count = str(threads)
    return os.environ | {
        "OMP_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "TF_NUM_INTRAOP_THREADS": count,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "HF_HUB_OFFLINE": "1",
        "PYTHONWARNINGS": "ignore",
    }


def machine() -> dict[str, str]:
    """Return what this machine is, as far as it says so."""
    facts: dict[str, str] = {}
    if CPU_FACTS.exists():
        lines = CPU_FACTS.read_text(encoding="utf8").splitlines()
        pairs = (line.partition(":") for line in lines)
        facts = {name.strip(): told.strip() for name, _, told in pairs}
    flags = facts.get("flags", "").split()
    return {
        "processor": facts.get("model name", platform.processor()),
        "cores": str(os.cpu_count()),
        "instructions": " ".join(flag for flag in WIDE_FLAGS if flag in flags),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def merged(old: Record, new: Record) -> Record:
    """Return a record whose parts and contenders of a new one replace the old's.

    Args:
        old: May be empty.
        new: Measured on the same machine, or nothing of the old is kept.
    """
    same = all(old.get(key) == new[key] for key in ("machine", "scale", "threads"))
    replaced = {(run["part"], run["contender"]) for run in new["runs"]}
    kept = [
        run
        for run in (old.get("runs", []) if same else [])
        if (run["part"], run["contender"]) not in replaced
    ]
    return new | {"runs": [*kept, *new["runs"]]}


def _folder(race: Race, row: Row, part: str) -> Path:
    return race.room / race.scale / "made" / part / row.name
