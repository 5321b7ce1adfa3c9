"""Commands that look at what is there: overlap, the curve of scores.

Changes when one of them takes another option. What they find is other files' matter,
imported when it is asked for.
"""

import argparse
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from recipes.commands import CORPUS, HISTORY, OVERLAP, Add, Command

if TYPE_CHECKING:
    from recipes.curve import Release

SECONDS_PER_HOUR = 3600


def overlap(options: argparse.Namespace) -> None:
    """Look for the texts that score among those that teach; print a table.

    With --note the counts stand beside weights, for their card. With --drop the
    documents of pretraining that share text with them leave the corpus.
    """
    from datetime import UTC, datetime

    from recipes import overlap_check, overlapcard

    report = overlap_check.check(options.data, options.corpus, logging.info)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, ensure_ascii=False) + "\n"
    options.output.write_text(text, encoding="utf8")
    print(overlapcard.table(report))
    if options.note:
        today = datetime.now(UTC).date().isoformat()
        noted = overlap_check.noted(report, today)
        text = json.dumps(noted, ensure_ascii=False, indent=1) + "\n"
        (options.note / OVERLAP).write_text(text, encoding="utf8")
    if options.drop:
        for source, number in overlap_check.drop(
            options.corpus, report["remove"]
        ).items():
            print(f"- {source}: {number} dropped")


def curve(options: argparse.Namespace) -> None:
    """Print scores against tokens; with --add, note a release in the history first.

    Raises:
        SystemExit: A release without its tokens or its day.
    """
    from recipes import curve as following
    from recipes import curvecard

    if options.add:
        following.write(_with_release(options), options.history)
    print(curvecard.section(following.read(options.history)))


def _with_release(options: argparse.Namespace) -> "tuple[Release, ...]":
    """Return the history with one release more, told or as its config tells."""
    from recipes import curve as following
    from recipes import releasing

    told = options.tokens or (options.add.parent / "config.json").is_file()
    if not told or not options.released:
        raise SystemExit(
            "--add FILE needs --released DAY, and --tokens N where no config.json "
            "stands beside the file"
        )
    scores = json.loads(options.add.read_text(encoding="utf8"))
    if not options.tokens:
        folder = options.add.parent
        return releasing.followed(options.history, scores, folder, options.released)
    seen = following.Seen(options.tokens, options.hours * SECONDS_PER_HOUR)
    (row,) = following.releases_of(scores, options.released, seen)
    return following.joined(following.read(options.history), row)


def _overlap_options(add: Add) -> None:
    add("--data", type=Path, required=True, help="folder of the tasks' files")
    add("--corpus", type=Path, default=CORPUS, help="encoded, as training reads it")
    add("--output", type=Path, default=Path("runs/overlap.json"), help="all of it")
    add("--note", type=Path, metavar="FOLDER", help="weights whose card tells of it")
    add("--drop", action="store_true", help="take them out of the corpus")


def _curve_options(add: Add) -> None:
    add("--history", type=Path, default=HISTORY)
    add("--add", type=Path, metavar="FILE", help="scores.json of a release")
    add("--tokens", type=int, default=0, help="that its weights saw, else by config")
    add("--hours", type=float, default=0.0, help="of its training steps")
    add("--released", default="", metavar="DAY", help="e.g. 2026-11-21")


COMMANDS: dict[str, Command] = {
    "overlap": Command(overlap, _overlap_options),
    "curve": Command(curve, _curve_options),
}
