"""What a command of ``python -m recipes`` is, and the places that several know.

Changes when commands are made in another way.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Add = Callable[..., argparse.Action]

CORPUS = Path("runs/corpus")
RUN = Path("runs/core")
WEIGHTS = Path("assets/embedded")
HISTORY = WEIGHTS / "history.json"
OVERLAP = "overlap.json"  # beside weights: what their card tells of the check
STAGES = ("core", "plays")


def named_value(text: str) -> tuple[str, str]:
    """Return what stands before and behind the first ``=``.

    Raises:
        ArgumentTypeError: One of them is missing.
    """
    name, _, value = text.partition("=")
    if not name or not value:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, received {text!r}")
    return name, value


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        run: Does it; the first line of its docstring is the command's help.
        add_options: Says what it takes.
    """

    run: Callable[[argparse.Namespace], None]
    add_options: Callable[[Add], None]
