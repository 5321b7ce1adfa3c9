"""A small JSON object in a checkpoint's folder, read without trusting it.

Changes when a JSON file of a checkpoint needs another guard. Knows no field.
"""

import json
from pathlib import Path
from typing import Any

from model_core.checkpoints.errors import CheckpointFormatError


def parse_object(text: bytes, what: str) -> dict[str, Any]:
    """Return a JSON object whose keys are unique.

    Args:
        text: UTF-8.
        what: What is read, for messages.

    Raises:
        CheckpointFormatError: Not UTF-8, not JSON, not an object, or a key twice.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise CheckpointFormatError(f"{what}: is not sound JSON ({error})") from error
    if not isinstance(value, dict):
        raise CheckpointFormatError(
            f"{what}: expected a JSON object, received {type(value).__name__}"
        )
    return value


def load_object(path: Path, max_bytes: int) -> dict[str, Any]:
    """Return the JSON object in a file of bounded size.

    Raises:
        CheckpointFormatError: Unreadable, too large, or not a JSON object.
    """
    try:
        with path.open("rb") as file:
            text = file.read(max_bytes + 1)
    except OSError as error:
        raise CheckpointFormatError(f"{path.name}: cannot be read ({error})") from error
    if len(text) > max_bytes:
        raise CheckpointFormatError(
            f"{path.name}: larger than the accepted {max_bytes} bytes"
        )
    return parse_object(text, path.name)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return members
