"""What can be wrong with a checkpoint: one tree, all of it ``ValueError``.

    CheckpointError
      CheckpointFormatError     a file is truncated, corrupt, hostile or unknown
      CheckpointMismatchError   the file is sound, its tensors are not the network's
        MissingHeadError        it lacks the head that the caller needs
        NumberTooLargeError     an element type cannot hold what is to be written

Changes when a caller must tell a new kind of failure apart.
"""


class CheckpointError(ValueError):
    """A checkpoint that cannot be used."""


class CheckpointFormatError(CheckpointError):
    """A file that is truncated, corrupt, hostile or of an unknown format."""


class CheckpointMismatchError(CheckpointError):
    """The checkpoint and the network do not hold the same weights."""


class MissingHeadError(CheckpointMismatchError):
    """The checkpoint lacks a head that the caller needs.

    Attributes:
        head: Name of the head, a key of ``model_core.models.heads.HEADS``.
        missing: Names of the tensors that would have made it, sorted.
    """

    def __init__(self, head: str, missing: tuple[str, ...], available: str) -> None:
        names = ", ".join(missing) if missing else "(this family has no such head)"
        super().__init__(
            f"the checkpoint has no {head} head; missing tensors: {names}; "
            f"heads it has: {available}. Choose weights that were trained with this "
            "head: a head is never filled with random numbers"
        )
        self.head = head
        self.missing = missing


class NumberTooLargeError(CheckpointMismatchError):
    """A tensor holds numbers that the element type asked for cannot hold.

    Attributes:
        name: The tensor's.
        dtype: The element type.
    """

    def __init__(self, name: str, dtype: str) -> None:
        super().__init__(f"{name}: holds numbers that {dtype} cannot hold")
        self.name = name
        self.dtype = dtype
