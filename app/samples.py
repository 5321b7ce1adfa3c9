"""Texts written for the examples, read from assets/samples.

Changes when samples are kept elsewhere. The only file of the page that opens them.
"""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "samples"


@cache
def sample(name: str) -> str:
    """Return the text of a sample, without blank space around it.

    Args:
        name: Path under assets/samples, e.g. ``title/harbour.txt``.
    """
    return (FOLDER / name).read_text(encoding="utf8").strip()
