"""A run of one part alone becomes that part's own weights beside the shared ones.

Changes when a part is given weights of its own in another way. Parts that were taught
together, and nothing else with them, share such a file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from model_core.checkpoints.own_weights import changes
from model_core.checkpoints.reader import open_checkpoint
from model_core.roles.parts import FILE_NAME, OWN_SUFFIX, load_parts
from model_core.training.lineage import Run, lineage
from model_core.training.snapshot import load_snapshot

PREFIX = "weights/"
AND, JOINED = "+", "-"  # between parts in a command, and in a file's name
NEEDED = (
    "expected safetensors, which writes a part's own weights, received none: "
    "pip install -r requirements-recipes.txt"
)


def check_writer() -> None:
    """Ask for safetensors before anything long begins.

    Raises:
        ImportError: It is not installed; says how to install it.
    """
    try:
        import safetensors.numpy  # noqa: F401
    except ImportError as error:
        raise ImportError(NEEDED) from error


def write(run: Path, folder: Path, told: str, left: Sequence[str] = ()) -> Path:
    """Write a part's own weights into a checkpoint folder, and say so in its parts.

    Args:
        run: The snapshot. It need not have begun with the folder's weights.
        folder: Holds the shared checkpoint.
        told: One of its parts, or several that share the run: ``title+summary``.
        left: How names of weights begin that stay the shared ones, such as heads which
            the part never reads; ``*`` stands for anything.

    Returns:
        The file.

    Raises:
        SystemExit: The checkpoint was not trained for that part, or has no weight of a
            name in ``left``.
        ValueError: The run is of another network.
        ImportError: See ``check_writer``.
    """
    check_writer()
    from safetensors.numpy import save_file

    parts, asked = load_parts(folder), told.split(AND)
    for part in asked:
        if part not in parts.names:
            raise SystemExit(f"{folder} plays {', '.join(parts.names)}, not {part}")
    arrays, facts = load_snapshot(run)
    own = {
        name.removeprefix(PREFIX): array
        for name, array in arrays.items()
        if name.startswith(PREFIX)
    }
    with open_checkpoint(folder) as reader:
        shared = {name: np.asarray(reader.read(name)) for name in reader.keys()}  # noqa: SIM118 - not a mapping
    for start in left:
        names = [name for name in shared if fnmatchcase(name, f"{start}*")]
        if not names:
            raise SystemExit(f"{folder} has no weight whose name begins with {start}")
        own |= {name: shared[name] for name in names}
    path = folder / f"{JOINED.join(asked)}{OWN_SUFFIX}"
    save_file(changes(shared, own), path)
    named = {**parts.own_weights, **dict.fromkeys(asked, path.name)}
    replace(parts, own_weights=named).save(folder / FILE_NAME)
    _note_runs(folder / "config.json", asked, lineage(facts))
    return path


def by_file(own_weights: Mapping[str, str]) -> dict[str, list[str]]:
    """Return which parts share each file of ``Parts.own_weights``."""
    files = dict.fromkeys(own_weights.values())
    return {
        file: [part for part, named in own_weights.items() if named == file]
        for file in files
    }


def _note_runs(path: Path, parts: list[str], runs: list[Run]) -> None:
    """Write down the runs that the parts' own weights went through besides.

    Where they did not begin with the shared ones, all of their runs, and that they
    stand ``apart``.
    """
    values = json.loads(path.read_text(encoding="utf8"))
    training = values["training"]
    shared = training["runs"]
    continues = runs[: len(shared)] == shared
    own = runs[len(shared) :] if continues else runs
    training.setdefault("own_weights", {}).update(dict.fromkeys(parts, own))
    apart = set(training.get("apart", ())) - set(parts)
    training["apart"] = sorted(apart if continues else apart | set(parts))
    text = json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    path.write_text(text, encoding="utf8")
