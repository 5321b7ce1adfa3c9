"""``python -m benchmarks``: speed and memory, as a table and as JSON."""

import argparse
import json
from pathlib import Path

from benchmarks import start


def build_parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", choices=("start",), help="start: the first minute")
    parser.add_argument("--runs", type=int, default=3, help="fresh processes")
    parser.add_argument("--output", type=Path, help="JSON file")
    return parser


def main() -> None:
    """Measure and print."""
    options = build_parser().parse_args()
    figures = start.measure(options.runs)
    print(f"{'':24}{'min':>10}{'median':>10}{'max':>10}")
    for name, row in figures.items():
        cells = "".join(f"{row[column]:10.2f}" for column in ("min", "median", "max"))
        print(f"{name:24}{cells}")
    if options.output:
        text = json.dumps(figures, indent=1) + "\n"
        options.output.write_text(text, encoding="utf8")


if __name__ == "__main__":
    main()
