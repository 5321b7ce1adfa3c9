"""A list in a file: its lines, or its column ``text``; for the page and the terminal.

Changes when a list may be kept in another form. Knows no task.
"""

from pathlib import Path

from demos.errors import FileError
from demos.files.reading import open_input

COLUMN = "text"


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file: its text, or its column ``text``.

    A line that holds none is blank, so that the others keep their numbers; so is the
    one above a table that names its columns.

    Raises:
        FileError: The file is of no known kind, or a line cannot be read.
    """
    source = open_input(path, COLUMN)
    texts = [""] * (source.first_number - 1)
    for number, line in enumerate(source.lines(), source.first_number):
        if line.fault is not None and not line.is_empty:
            raise FileError(
                f"第 {number} 行：{line.fault.zh}", f"Line {number}: {line.fault.en}"
            )
        found = line.fields.get(COLUMN, "")
        texts.append(found if isinstance(found, str) else str(found))
    return texts
