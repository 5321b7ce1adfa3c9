"""A training run on disk: weights, optimizer and counters, in files of bounded size.

Changes when the layout changes. Independent of the Keras backend: a run begun on one
goes on with another.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

LARGEST_FILE_BYTES = 15 * 2**20


def save_snapshot(folder: Path, arrays: dict[str, np.ndarray], facts: Any) -> None:
    """Write arrays and facts so that a stop in the middle keeps the older snapshot.

    Args:
        folder: Replaced as a whole.
        arrays: By name; each is cut along its flat axis when too large for a file.
        facts: JSON values.
    """
    fresh = folder.with_name(folder.name + ".new")
    old = folder.with_name(folder.name + ".old")
    if old.exists() and not folder.exists():  # a stop between the last two renames
        os.replace(old, folder)  # noqa: PTH105
    for leftover in (fresh, old):
        _remove(leftover)
    fresh.mkdir(parents=True)
    for number, part in enumerate(_parts(arrays)):
        np.savez(fresh / f"part-{number:03d}.npz", **part)
    shapes = {name: list(array.shape) for name, array in arrays.items()}
    text = json.dumps({"facts": facts, "shapes": shapes}, ensure_ascii=False)
    (fresh / "snapshot.json").write_text(text, encoding="utf8")
    if folder.exists():
        os.replace(folder, old)  # noqa: PTH105
    os.replace(fresh, folder)  # noqa: PTH105
    _remove(old)


def load_snapshot(folder: Path) -> tuple[dict[str, np.ndarray], Any]:
    """Read what ``save_snapshot`` wrote; the older one if a stop left only that."""
    folder, document = _found(folder)
    pieces: dict[str, list[np.ndarray]] = {name: [] for name in document["shapes"]}
    for path in sorted(folder.glob("part-*.npz")):
        with np.load(path, allow_pickle=False) as part:
            for key in part.files:
                pieces[key.rsplit("#", 1)[0]].append(part[key])
    arrays = {
        name: np.concatenate(parts).reshape(document["shapes"][name])
        for name, parts in pieces.items()
    }
    return arrays, document["facts"]


def load_facts(folder: Path) -> Any:
    """Read the facts alone, as ``load_snapshot`` does."""
    return _found(folder)[1]["facts"]


def has_snapshot(folder: Path) -> bool:
    """Tell whether there is something to go on from."""
    return any(
        (path / "snapshot.json").exists()
        for path in (folder, folder.with_name(folder.name + ".old"))
    )


def _found(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return where the snapshot lies and its document."""
    if not folder.exists():
        folder = folder.with_name(folder.name + ".old")
    document = json.loads((folder / "snapshot.json").read_text(encoding="utf8"))
    return folder, document


def _parts(arrays: dict[str, np.ndarray]) -> Any:
    part: dict[str, np.ndarray] = {}
    size = 0
    for name, array in arrays.items():
        flat = np.ascontiguousarray(array).reshape(-1)
        step = LARGEST_FILE_BYTES // max(flat.itemsize, 1)
        for number, start in enumerate(range(0, max(len(flat), 1), step)):
            piece = flat[start : start + step]
            if part and size + piece.nbytes > LARGEST_FILE_BYTES:
                yield part
                part, size = {}, 0
            part[f"{name}#{number:04d}"] = piece
            size += piece.nbytes
    if part:
        yield part


def _remove(folder: Path) -> None:
    if folder.exists():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
