"""What the check of a library found, kept in files for later starts.

Changes when a verdict is kept in another way. One that is older than the library of
its name is about another one, built before: it counts for nothing.
"""

from collections.abc import Sequence
from pathlib import Path

PROVEN, REFUSED = "proven", "refused"


def kept_verdict(library: Path, verdict: str, folders: Sequence[Path]) -> Path | None:
    """Return the file that says a verdict of a library; None where none does.

    Args:
        library: The file that was checked.
        verdict: ``PROVEN`` or ``REFUSED``.
        folders: Where it may be kept.
    """
    for path in _files(library, verdict, folders):
        try:
            if path.stat().st_mtime_ns >= library.stat().st_mtime_ns:
                return path
        except OSError:
            continue  # the next folder, where one of both is missing here
    return None


def keep_verdict(
    library: Path, verdict: str, folders: Sequence[Path], reason: str = ""
) -> Path | None:
    """Keep a verdict in the first folder that can be written; None where none can.

    Args:
        library: The file that was checked.
        verdict: ``PROVEN`` or ``REFUSED``.
        folders: Where it may be kept.
        reason: What a person is told about it.
    """
    for path in _files(library, verdict, folders):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(reason, "utf8")
        except OSError:
            continue
        return path
    return None


def reason_in(verdict: Path) -> str:
    """Return what a kept verdict tells a person; nothing where it cannot be read."""
    try:
        return verdict.read_text("utf8", "replace")
    except OSError:
        return ""


def _files(library: Path, verdict: str, folders: Sequence[Path]) -> list[Path]:
    return [folder / f"{library.stem}.{verdict}" for folder in folders]
