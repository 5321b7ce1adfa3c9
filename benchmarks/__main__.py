"""``python -m benchmarks``: speed and memory, as a table and as JSON."""

import argparse
import json
from pathlib import Path

from benchmarks import start


def build_parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what",
        choices=("start", "plays", "load"),
        help="start: the first minute; plays: every tab on the embedded core; load: a "
        "400 MB checkpoint beside reading its bytes and beside transformers",
    )
    parser.add_argument("--runs", type=int, default=3, help="times each is measured")
    parser.add_argument("--weights", type=Path, default=Path("assets/embedded"))
    parser.add_argument(
        "--formats",
        nargs="+",
        choices=("safetensors", "bin", "h5"),
        default=("safetensors",),
        help="of the checkpoint that load measures",
    )
    parser.add_argument("--output", type=Path, help="JSON file")
    return parser


def main() -> None:
    """Measure and print."""
    options = build_parser().parse_args()
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
    if options.output:
        text = json.dumps(figures, indent=1) + "\n"
        options.output.write_text(text, encoding="utf8")


if __name__ == "__main__":
    main()
