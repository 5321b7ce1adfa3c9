"""Matrices in one byte a number: int8 steps, and how long a step is.

Changes when a number is said by fewer bits. A matrix ``name`` stands in a file as
``name.steps``, int8, and ``name.step``, float32: a length for every output, and for
every row of a table, whose rows are the outputs of a tied head. The native engine
rounds kernels to the same numbers: it loses nothing that it did not lose before.
"""

import numpy as np

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.tensor_file import Array, TensorFile

STEPS, STEP = ".steps", ".step"
STEPS_DTYPE = "int8"
LARGEST_STEPS = 127
MATRIX = 2
TABLE = "embeddings"  # how names of tables end


def in_steps(name: str, matrix: Array) -> dict[str, Array]:
    """Return what stands in a file for a matrix, by name.

    Args:
        name: The matrix's; tells a table.
        matrix: Float (..., in, out), or (rows, width) of a table; finite.
    """
    is_table = name.endswith(TABLE)
    axes = tuple(range(1, matrix.ndim) if is_table else range(matrix.ndim - 1))
    largest = np.abs(matrix).max(axis=axes, keepdims=is_table)
    step = np.where(largest > 0, largest / LARGEST_STEPS, 1).astype("float32")
    return {name + STEPS: np.rint(matrix / step).astype(STEPS_DTYPE), name + STEP: step}


def out_of_steps(steps: Array, step: Array) -> Array:
    """Return the matrix, float32."""
    return np.asarray(steps * step.astype("float32"), "float32")


def stepped_names(file: TensorFile) -> frozenset[str]:
    """Return the names of the matrices that stand in a file as steps.

    Raises:
        CheckpointFormatError: Steps without their length, or of another shape or type.
    """
    keys = set(file.keys())
    names = {key.removesuffix(STEPS) for key in keys if key.endswith(STEPS)}
    for name in sorted(names):
        _check(file, name, keys)
    return frozenset(names)


class SteppedFile(TensorFile):
    """A file some of whose matrices stand there as steps.

    Args:
        file: The file as it lies there.
        names: Its matrices in steps.

    Raises:
        CheckpointFormatError: One of them stands there whole as well.
    """

    def __init__(self, file: TensorFile, names: frozenset[str]) -> None:
        super().__init__(file.name)
        self._file = file
        self._names = names
        told = {name + ending for name in names for ending in (STEPS, STEP)}
        plain = [key for key in file.keys() if key not in told]  # noqa: SIM118 - not a mapping
        twice = sorted(names & set(plain))
        if twice:
            raise CheckpointFormatError(
                f"{file.name}: expected tensors whole or as {STEPS}, received both "
                f"for {twice[:5]}"
            )
        self._keys = (*plain, *sorted(names))

    def keys(self) -> tuple[str, ...]:
        """Return the tensors' names, the matrices in steps last."""
        return self._keys

    def shape(self, name: str) -> tuple[int, ...]:
        """Return one tensor's shape without reading it."""
        return self._file.shape(name + STEPS if name in self._names else name)

    def dtype(self, name: str) -> str:
        """Return one tensor's element type as it is read."""
        return "float32" if name in self._names else self._file.dtype(name)

    def read(self, name: str) -> Array:
        """Return one tensor."""
        if name not in self._names:
            return self._file.read(name)
        return out_of_steps(self._file.read(name + STEPS), self._file.read(name + STEP))

    def forget_pages(self) -> None:
        """Give back the memory that reading took."""
        self._file.forget_pages()

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def with_steps(file: TensorFile) -> TensorFile:
    """Return a file as whoever loads it wants it: matrices instead of their steps.

    Raises:
        CheckpointFormatError: See ``stepped_names`` and ``SteppedFile``.
    """
    names = stepped_names(file)
    return SteppedFile(file, names) if names else file


def _check(file: TensorFile, name: str, keys: set[str]) -> None:
    shape, dtype = file.shape(name + STEPS), file.dtype(name + STEPS)
    lengths = {shape[-1:], (*shape[:1], *(1 for _ in shape[1:]))}
    found = file.shape(name + STEP) if name + STEP in keys else None
    if dtype != STEPS_DTYPE or len(shape) < MATRIX or found not in lengths:
        raise CheckpointFormatError(
            f"{file.name}: {name}: expected {STEPS_DTYPE} steps and a length for each "
            f"output or row, received {dtype} {shape} and {found}: the file is damaged "
            "or of a later version"
        )
