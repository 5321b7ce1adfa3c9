"""A tokenizer's files as bytes, text and JSON; changes with what is too big or broken.

Knows no format: what the content means, its readers do.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# the largest that people publish are near 20 MB: 250,000 tokens as JSON
MAX_FILE_BYTES = 64 * 1024 * 1024
BYTES_PER_MIB = 1024 * 1024


def read_bytes(path: Path, what: str) -> bytes:
    """Return a file's content.

    Args:
        path: A regular file, or a link to one.
        what: The content's name in the sentence, with its article.

    Raises:
        ValueError: The file is absent, is no regular file or exceeds
            ``MAX_FILE_BYTES``.
    """
    if not path.exists():
        raise ValueError(f"expected {what} at {path}; received no such file")
    if not path.is_file():
        raise ValueError(f"expected {what} at {path}; received no regular file")
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(
            f"expected at most {MAX_FILE_BYTES // BYTES_PER_MIB} MiB in {path}; "
            f"received {path.stat().st_size / BYTES_PER_MIB:.0f} MiB"
        )
    return content


def read_text(path: Path, what: str) -> str:
    r"""Return a file's UTF-8 text: no byte order mark, lines end in ``\n``.

    Raises:
        ValueError: As ``read_bytes``; or the content is not UTF-8.
    """
    try:
        text = read_bytes(path, what).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"expected UTF-8 in {path}; "
            f"received byte 0x{error.object[error.start]:02x} at offset {error.start}"
        ) from error
    return text.replace("\r\n", "\n")


def read_json_object(path: Path, what: str) -> dict[str, Any]:
    """Return a file's JSON object.

    Raises:
        ValueError: As ``read_bytes``; or the content is not a JSON object.
    """
    content = read_bytes(path, what)
    try:
        value = json.loads(content)
    except ValueError as error:  # of the encoding too
        raise ValueError(f"expected JSON in {path}; received {error}") from error
    except RecursionError as error:
        raise ValueError(
            f"expected JSON in {path}; received brackets nested too deeply"
        ) from error
    if not isinstance(value, dict):
        raise ValueError(
            f"expected a JSON object in {path}; received {type(value).__name__}"
        )
    return value


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put a file's name before the sentence of what is wrong in it.

    Raises:
        ValueError: What was raised inside, named.
    """
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def read_optional_object(path: Path) -> Mapping[str, Any]:
    """Return a file's JSON object, an empty one where there is no such file.

    Raises:
        ValueError: The content is too big or no JSON object.
    """
    return read_json_object(path, "options") if path.exists() else {}
