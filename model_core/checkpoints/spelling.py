"""A table's renamings undone: from the rules' names to those that files are written in.

Changes when names are undone in another way. Every name is tried: read again, it must
mean the same.
"""

import re
from collections.abc import Collection

from model_core.checkpoints.errors import CheckpointMismatchError
from model_core.checkpoints.weight_map import (
    Array,
    Renaming,
    WeightTable,
    renamed,
)

LAYOUT = "pytorch"
# a group that keeps what it matches, with no other inside
_GROUP = re.compile(r"\((?!\?)([^()]*)\)")
_PLACE = re.compile(r"\\(\d)")


class Spelling:
    """How a family's tensors are called in the files that are published.

    A prefix that reading takes away is put before the names of the body and of the
    pooler alone, which transformers keeps in its base model.

    Args:
        table: The family's rows.
        names: All names, of the rules, that will stand in one file.
    """

    def __init__(self, table: WeightTable, names: Collection[str]) -> None:
        self._rows = table.renamings[LAYOUT]
        undoable = [row for row in self._rows if _is_undone(row, names)]
        self._undone = tuple(map(_Undone, reversed(undoable)))
        self._base = frozenset(
            re.sub(r"\{\w+\}|\d+", "#", rule.source)
            for rule in (*table.body, *table.heads.get("pooler", ()))
        )

    def of(self, name: str, *, is_base: bool = False) -> str:
        """Return the name in a file.

        Args:
            name: The rules'.
            is_base: Whether it stands in the base model though no rule reads it.

        Raises:
            CheckpointMismatchError: It would not be read again as what it is.
        """
        spelled = name
        of_base = is_base or re.sub(r"\d+", "#", name) in self._base
        for row in self._undone:
            if of_base or not row.is_prefix:
                spelled = row.undo(spelled)
        if self._read(spelled) != name:
            raise CheckpointMismatchError(
                f"{name}: no name of a file means this tensor; {spelled} does not"
            )
        return spelled

    def laid_out(self, name: str, array: Array) -> Array:
        """Return the array of a file as the rules expect it: a view where it can be."""
        return renamed(name, array.shape, self._rows)[1].laid_out(array)

    def _read(self, name: str) -> str:
        return renamed(name, (), self._rows)[0]


class _Undone:
    """One renaming, backwards."""

    def __init__(self, row: Renaming) -> None:
        self.is_prefix = row.replacement == "" and row.pattern.startswith("^")
        inside = row.pattern.removeprefix("^").removesuffix("$")
        groups = [match[1] for match in _GROUP.finditer(inside)]
        kept = [int(place) for place in _PLACE.findall(row.replacement)]
        self._pattern = _anchored(row.pattern, _with_groups(row.replacement, groups))
        # a group that the replacement forgets is written as its first alternative
        numbers = {group: place for place, group in enumerate(kept, start=1)}
        texts = iter(range(1, len(groups) + 1))
        self._template = _unescaped(
            _GROUP.sub(lambda match: _part(match[1], numbers.get(next(texts))), inside)
        )

    def undo(self, name: str) -> str:
        """Return the name before the renaming."""
        return re.sub(self._pattern, self._template, name, count=1)


def _is_undone(row: Renaming, names: Collection[str]) -> bool:
    """Leave out what is only read, and what renames nothing but lays out."""
    if row.replacement == r"\1" and row.pattern.startswith("^("):
        return False
    return row.unless is None or not any(re.search(row.unless, name) for name in names)


def _anchored(pattern: str, inside: str) -> str:
    start = "^" if pattern.startswith("^") else ""
    return start + inside + ("$" if pattern.endswith("$") else "")


def _with_groups(replacement: str, groups: list[str]) -> str:
    """Return a replacement as a pattern: its places match what the groups did."""
    parts = _PLACE.split(replacement)
    return "".join(
        f"({groups[int(part) - 1]})" if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    )


def _part(group: str, place: int | None) -> str:
    return group.split("|", maxsplit=1)[0] if place is None else f"\\g<{place}>"


def _unescaped(pattern: str) -> str:
    return pattern.replace(r"\.", ".")
