"""Weights that one part has for itself: a checkpoint's, changed by a small file.

Changes when that file says a change in another way. Most of a network is shared by its
parts; where one of them gains by other numbers, the file holds only these. A tensor
stands there as it is, or as its difference from the shared one, in steps.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.reader import CheckpointReader, open_checkpoint
from model_core.checkpoints.safetensors_file import open_safetensors
from model_core.checkpoints.steps import (
    MATRIX,
    STEP,
    STEPS,
    in_steps,
    out_of_steps,
    stepped_names,
)
from model_core.checkpoints.tensor_file import Array, TensorFile


@contextmanager
def open_own(folder: Path, file_name: str) -> Iterator[CheckpointReader]:
    """Open a folder's checkpoint as a part of it sees it.

    Args:
        folder: Holds a checkpoint.
        file_name: Of the part's own weights, in the same folder.

    Raises:
        CheckpointFormatError: Either is truncated, corrupt or hostile, or the part's
            changes speak of another network.
    """
    with open_checkpoint(folder) as shared:
        path = folder / file_name
        if not path.is_file():
            raise CheckpointFormatError(f"{folder.name}: {file_name} is missing")
        own = open_safetensors(path)
        try:
            changed = _ChangedFile(shared, own)
            names = (*shared.file_names, file_name)
            yield CheckpointReader((changed,), shared.layout, names, changed.changed)
        finally:
            own.close()


def changes(shared: Mapping[str, Array], own: Mapping[str, Array]) -> dict[str, Array]:
    """Return what the file of own weights holds, by name.

    Args:
        shared: The checkpoint's weights as they are read from it.
        own: The part's, of the same names and shapes.

    Raises:
        ValueError: They are not of one network.
    """
    if {n: a.shape for n, a in shared.items()} != {n: a.shape for n, a in own.items()}:
        raise ValueError("expected weights of the same names and shapes as the shared")
    made: dict[str, Array] = {}
    for name, array in own.items():
        apart = array.astype("float32") - shared[name].astype("float32")
        if not apart.any():
            continue
        if array.ndim < MATRIX:
            made[name] = array.astype("float16")
            continue
        made |= in_steps(name, apart)
    return made


class _ChangedFile(TensorFile):
    """A checkpoint's tensors, some of them changed.

    Attributes:
        changed: Their names.

    Raises:
        CheckpointFormatError: A change is of a tensor that the checkpoint lacks, or of
            another shape or type.
    """

    def __init__(self, shared: CheckpointReader, own: TensorFile) -> None:
        super().__init__(own.name)
        self._shared = shared
        self._own = own
        self._moved = stepped_names(own)
        self._whole = set(own.keys()) & set(shared.keys())
        steps = {name + part for name in self._moved for part in (STEPS, STEP)}
        self.changed = frozenset(self._whole | self._moved)
        unknown = set(own.keys()) - self._whole - steps
        unknown |= self._moved - set(shared.keys())
        if unknown or self._whole & self._moved:
            raise CheckpointFormatError(
                f"{own.name}: expected tensors of the checkpoint, or their .steps with "
                f"a .step each, received {sorted(unknown or self._whole)[:5]}"
            )
        for name in self._whole:
            self._check(name, own.shape(name))
        for name in self._moved:
            self._check(name, own.shape(name + STEPS))

    def keys(self) -> tuple[str, ...]:
        """Return the checkpoint's names."""
        return self._shared.keys()

    def shape(self, name: str) -> tuple[int, ...]:
        """Return one tensor's shape without reading it."""
        return self._shared.shape(name)

    def dtype(self, name: str) -> str:
        """Return one tensor's element type as it is read."""
        if name in self._whole:
            return self._own.dtype(name)
        return "float32" if name in self._moved else self._shared.dtype(name)

    def read(self, name: str) -> Array:
        """Return one tensor, changed where the part has its own."""
        if name in self._whole:
            return self._own.read(name)
        shared = self._shared.read_unchecked(name)
        if name not in self._moved:
            return shared
        apart = out_of_steps(self._own.read(name + STEPS), self._own.read(name + STEP))
        moved: Array = shared.astype("float32") + apart
        return moved

    def forget_pages(self) -> None:
        """Give back the memory that reading took."""
        self._shared.forget_pages()
        self._own.forget_pages()

    def _check(self, name: str, received: tuple[int, ...]) -> None:
        expected = self._shared.shape(name)
        if received != expected:
            raise CheckpointFormatError(
                f"{self._own.name}: {name}: expected {expected}, received {received}"
            )
