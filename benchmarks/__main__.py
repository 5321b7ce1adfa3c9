"""``python -m benchmarks``: speed and memory, as a table and as JSON."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import gpu, start
from benchmarks.alone import SECTIONS, Figures
from benchmarks.contenders import ALL_PARTS, PEERS, STREAMS, engine_row
from benchmarks.gpu_shapes import BYTES, SHAPES
from benchmarks.speed import Race, measure, merged, prepare
from benchmarks.table import page
from model_core.engines.registry import ENGINES

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "docs" / "speed.json"
PAGE = ROOT / "docs" / "speed.md"
ALONE = {name: RECORD.with_stem(f"speed_{name}") for name in SECTIONS}
PARTS = (*ALL_PARTS, STREAMS)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what",
        choices=("start", "plays", "load", "speed", "table", "gpu"),
        help="start: the first minute; plays: every tab on the embedded core; load: a "
        "400 MB checkpoint beside reading its bytes and beside transformers; speed: "
        "our engines beside the peers; table: docs/speed.md from what these recorded; "
        "gpu: decoding on a graphics card, into docs/speed_gpu.json and .md",
    )
    parser.add_argument(
        "--runs", "--rounds", type=int, default=3, help="times each is measured"
    )
    parser.add_argument("--weights", type=Path, default=Path("assets/embedded"))
    parser.add_argument(
        "--formats",
        nargs="+",
        choices=("safetensors", "bin", "h5"),
        default=("safetensors",),
        help="of the checkpoint that load measures",
    )
    parser.add_argument("--output", type=Path, help="JSON file")
    add_race(parser.add_argument_group("speed"))
    add_gpu(parser.add_argument_group("gpu"))
    return parser


def add_race(group: "argparse._ArgumentGroup") -> None:
    """Add what only ``speed`` reads."""
    group.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    group.add_argument(
        "--engines",
        nargs="*",
        default=tuple(ENGINES),
        help="of the registry; NAME:int8 where the name does not say that it is",
    )
    group.add_argument(
        "--peers", nargs="*", choices=PEERS, default=tuple(PEERS), metavar="PEER"
    )
    group.add_argument("--python", default=sys.executable, help="with the peers")
    group.add_argument("--room", type=Path, help="keeps weights and exports")
    group.add_argument("--scale", choices=("base", "tiny"), default="base")
    group.add_argument("--prepare-only", action="store_true")


def add_gpu(group: "argparse._ArgumentGroup") -> None:
    """Add what only ``gpu`` reads."""
    group.add_argument(
        "--shape", nargs="+", choices=SHAPES, default=("base", "large"), dest="shapes"
    )
    group.add_argument("--dtype", choices=BYTES, default="bfloat16")
    group.add_argument("--texts", type=int, default=5, help="of each in a process")


def main() -> None:
    """Measure and print."""
    options = build_parser().parse_args()
    if options.what == "table":
        record = json.loads((options.output or RECORD).read_text(encoding="utf8"))
        PAGE.write_text(page(record, measured_alone()), encoding="utf8")
    elif options.what == "speed":
        race_once(options)
    elif options.what == "gpu":
        race = gpu.GpuRace(
            tuple(options.shapes), options.runs, options.texts, options.dtype
        )
        gpu.measure(race, options.output or gpu.RECORD)
    else:
        show(options)


def measured_alone() -> dict[str, Figures]:
    """Read what ``start`` and ``load`` recorded."""
    return {
        name: json.loads(path.read_text(encoding="utf8"))
        for name, path in ALONE.items()
        if path.exists()
    }


def race_once(options: argparse.Namespace) -> None:
    """Prepare, measure, and join the record."""
    rows = (*map(engine_row, options.engines), *(PEERS[name] for name in options.peers))
    with tempfile.TemporaryDirectory() as passing:
        race = Race(
            rows=rows,
            parts=tuple(options.parts),
            rounds=options.runs,
            room=(options.room or Path(passing)).resolve(),
            scale=options.scale,
            peers_python=options.python,
            embedded=options.weights.resolve(),
        )
        for failure in prepare(race):
            print(failure, file=sys.stderr)
        if options.prepare_only:
            return
        path = options.output or RECORD
        old = json.loads(path.read_text(encoding="utf8")) if path.exists() else {}
        for new in measure(race):
            record = merged(old, new)
            text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
            path.write_text(text, encoding="utf8")


def show(options: argparse.Namespace) -> None:
    """Measure ourselves alone, and print."""
    if options.what == "start":
        figures = start.measure(options.runs)
    elif options.what == "load":
        from benchmarks import load  # noqa: PLC0415 - loads the framework

        figures = load.measure(options.runs, tuple(options.formats))
    else:
        from benchmarks import plays  # noqa: PLC0415 - loads the framework

        figures = plays.measure(options.weights, options.runs)
    print(f"{'':44}{'min':>10}{'median':>10}{'max':>10}")
    for name, row in figures.items():
        cells = "".join(f"{row[column]:10.2f}" for column in ("min", "median", "max"))
        print(f"{name:44}{cells}")
    if path := options.output or ALONE.get(options.what):
        text = json.dumps(figures, indent=1) + "\n"
        path.write_text(text, encoding="utf8")


if __name__ == "__main__":
    main()
