"""SentencePiece's compiled table of character replacements: is it safe to walk?

Changes with that format [1]: four bytes of size, a double-array trie [2], and strings
that end in a zero byte. The libraries walk it without looking where they step.

References:
    [1] https://github.com/google/sentencepiece/blob/master/src/normalizer.cc
    [2] https://github.com/s-yata/darts-clone
"""

import numpy as np
import numpy.typing as npt

SIZE_BYTES = 4
UNIT_BYTES = 4
LAST_BYTE = 0xFF
CONTINUATION_BYTES = range(0x80, 0xC0)

Units = npt.NDArray[np.uint32]


def check_charsmap(charsmap: bytes) -> None:
    """Check that every way through the trie ends at a string of the table.

    Args:
        charsmap: The whole table; an empty one replaces nothing.

    Raises:
        ValueError: It is cut off, a step leads outside, or the strings are not UTF-8.
    """
    if not charsmap:
        return
    size = int.from_bytes(charsmap[:SIZE_BYTES], "little")
    past = SIZE_BYTES + size
    if len(charsmap) < SIZE_BYTES or past > len(charsmap) or not size:
        raise ValueError(
            f"expected a table of replacements with {size} bytes of trie; "
            f"received {len(charsmap)} bytes in all"
        )
    if size % UNIT_BYTES:
        raise ValueError(f"expected a trie of whole units; received {size} bytes")
    units = np.frombuffer(charsmap, "<u4", size // UNIT_BYTES, SIZE_BYTES)
    _check_ends(_ends_of_ways(units), charsmap[past:])


def _ends_of_ways(units: Units) -> Units:
    """Return the places of the strings that the trie leads to.

    A unit is a step from the place that its own label leads away from.

    Raises:
        ValueError: A step leads outside of the trie.
    """
    index = np.arange(len(units), dtype=np.uint32)
    labels = units & np.uint32(0x800000FF)
    is_step = (labels > 0) & (labels <= LAST_BYTE) & (index ^ labels < len(units))
    origins = np.where(is_step, index ^ labels, 0)
    targets = index ^ _offsets(units)
    is_leaf = (units >> np.uint32(8)) & np.uint32(1) == 1
    reached = np.zeros(len(units), bool)
    places = targets[:1]
    ends: list[Units] = []
    while len(places):
        farthest = int(places.max()) | LAST_BYTE
        if farthest >= len(units):
            raise ValueError(
                f"expected a trie that stays within its {len(units)} units; "
                f"received a step to unit {farthest}"
            )
        reached[places] = True
        taken = np.flatnonzero(is_step & reached[origins])
        is_step[taken] = False
        places = targets[taken]
        leaves = places[is_leaf[taken] & (places < len(units))]
        ends.append(units[leaves] & np.uint32(0x7FFFFFFF))
    return np.concatenate(ends) if ends else np.zeros(0, np.uint32)


def _offsets(units: Units) -> Units:
    """Return how far the children of each unit lie away, as darts-clone packs it."""
    shifts = (units & np.uint32(1 << 9)) >> np.uint32(6)
    return (units >> np.uint32(10)) << shifts


def _check_ends(ends: Units, strings: bytes) -> None:
    try:
        strings.decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            "expected replacements in UTF-8; received byte "
            f"0x{strings[error.start]:02x} at offset {error.start}"
        ) from error
    if len(ends) and (
        ends.max() >= len(strings)
        or any(strings[end] in CONTINUATION_BYTES for end in np.unique(ends).tolist())
    ):
        raise ValueError(
            f"expected replacements within {len(strings)} bytes of strings; "
            f"received one at {ends.max()}"
        )
