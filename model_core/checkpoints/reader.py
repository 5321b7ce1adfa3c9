"""A checkpoint folder as one set of named tensors, whatever its files are.

Changes when a file format is added: one row of ``FORMATS``. Knows no weight names, no
family and no network.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.h5_file import open_h5
from model_core.checkpoints.json_file import load_object
from model_core.checkpoints.safetensors_file import open_safetensors
from model_core.checkpoints.soundness import check_finite
from model_core.checkpoints.steps import with_steps
from model_core.checkpoints.tensor_file import Array, TensorFile
from model_core.checkpoints.tensorflow_file import open_tensorflow
from model_core.checkpoints.torch_file import open_torch

Layout = Literal["pytorch", "keras_h5", "tensorflow"]

MAX_INDEX_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Format:
    """One way a checkpoint can lie in a folder.

    Attributes:
        name: For people.
        pattern: Glob of the file that leads to it.
        layout: Whose naming its tensors follow.
        open: Opens one file of tensors.
        indexed: Whether the file is a list of shards rather than tensors.
    """

    name: str
    pattern: str
    layout: Layout
    open: Callable[[Path], TensorFile]
    indexed: bool = False


def _open_safetensors(path: Path) -> TensorFile:
    return with_steps(open_safetensors(path))


# In the order of preference.
FORMATS = (
    Format("safetensors", "model.safetensors", "pytorch", _open_safetensors),
    Format(
        "safetensors, sharded",
        "model.safetensors.index.json",
        "pytorch",
        _open_safetensors,
        indexed=True,
    ),
    Format("PyTorch bin", "pytorch_model.bin", "pytorch", open_torch),
    Format(
        "PyTorch bin, sharded",
        "pytorch_model.bin.index.json",
        "pytorch",
        open_torch,
        indexed=True,
    ),
    Format("Keras h5", "tf_model.h5", "keras_h5", open_h5),
    Format("TensorFlow checkpoint", "*.index", "tensorflow", open_tensorflow),
)


class CheckpointReader:
    """Named tensors of one checkpoint, read one at a time.

    Attributes:
        layout: Whose naming the tensors follow.
        file_names: The files behind it, in order.
        changed: Tensors that are one part's own; see ``open_own``.

    Args:
        files: Open files; no name may stand in two of them.
        layout: Whose naming the tensors follow.
        file_names: The files behind it.
        changed: Tensors that are one part's own.

    Raises:
        CheckpointFormatError: A tensor's name stands in two files.
    """

    def __init__(
        self,
        files: tuple[TensorFile, ...],
        layout: Layout,
        file_names: tuple[str, ...],
        changed: frozenset[str] = frozenset(),
    ) -> None:
        self.layout: Layout = layout
        self.file_names = file_names
        self.changed = changed
        self._files = files
        self._file_of: dict[str, TensorFile] = {}
        for file in files:
            for name in file.keys():  # noqa: SIM118 - not a mapping
                if name in self._file_of:
                    both = f"{self._file_of[name].name} and {file.name}"
                    raise CheckpointFormatError(f"{name} stands in {both}")
                self._file_of[name] = file

    def keys(self) -> tuple[str, ...]:
        """Return the tensors' names."""
        return tuple(self._file_of)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return one tensor's shape without reading it."""
        return self._file_of[name].shape(name)

    def dtype(self, name: str) -> str:
        """Return one tensor's element type as stored, e.g. ``bfloat16``."""
        return self._file_of[name].dtype(name)

    def read(self, name: str) -> Array:
        """Return one tensor; bfloat16 becomes float32. May be a read-only view.

        Raises:
            CheckpointFormatError: The file's bytes do not hold the tensor, or hold
                numbers that no training ends with.
        """
        array = self.read_unchecked(name)
        check_finite(array, self.place(name))
        return array

    def read_unchecked(self, name: str) -> Array:
        """Return one tensor, whose numbers the caller looks at as they are used.

        Raises:
            CheckpointFormatError: The file's bytes do not hold the tensor.
        """
        return self._file_of[name].read(name)

    def place(self, name: str) -> str:
        """Return where a tensor stands, for messages."""
        return f"{self._file_of[name].name}: {name}"

    def forget_pages(self) -> None:
        """Give back the memory that reading took; arrays that were read stay valid."""
        for file in self._files:
            file.forget_pages()

    def close(self) -> None:
        """Release the files; arrays that were read stay valid."""
        for file in self._files:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_checkpoint(folder: Path) -> CheckpointReader:
    """Open the best of the formats in a folder.

    Args:
        folder: Holds a checkpoint as the hub serves it.

    Raises:
        CheckpointFormatError: No known format, or a file that is truncated, corrupt or
            hostile.
    """
    for found, path in _present(folder):
        if found.indexed:
            return _open_shards(found, path)
        file = found.open(path)
        return CheckpointReader((file,), found.layout, (file.name,))
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    raise CheckpointFormatError(
        f"{folder.name}: no weights found; accepted files are "
        f"{[row.pattern for row in FORMATS]}, the folder holds {names[:20]}"
    )


def formats_in(folder: Path) -> tuple[str, ...]:
    """Return the names of every format in a folder, best first."""
    return tuple(found.name for found, _ in _present(folder))


def _present(folder: Path) -> Iterator[tuple[Format, Path]]:
    for row in FORMATS:
        paths = sorted(folder.glob(row.pattern)) if folder.is_dir() else []
        if len(paths) > 1:
            raise CheckpointFormatError(
                f"{folder.name}: holds several checkpoints, "
                f"{[path.name for path in paths]}; keep one of them"
            )
        if paths:
            yield row, paths[0]


def _open_shards(found: Format, index: Path) -> CheckpointReader:
    weight_map = _weight_map(index)
    shard_names = tuple(sorted(set(weight_map.values())))
    with ExitStack() as opened:
        files = []
        for shard in shard_names:
            file = found.open(index.parent / shard)
            opened.callback(file.close)
            files.append(file)
        reader = CheckpointReader(tuple(files), found.layout, shard_names)
        _check_index(weight_map, reader, index.name)
        opened.pop_all()
    return reader


def _weight_map(index: Path) -> Mapping[str, str]:
    weight_map = load_object(index, MAX_INDEX_BYTES).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointFormatError(
            f"{index.name}: expected a weight_map from tensor names to file names"
        )
    for shard in weight_map.values():
        if not isinstance(shard, str) or not _is_plain(shard):
            raise CheckpointFormatError(
                f"{index.name}: refused the shard {str(shard)[:80]!r}; expected a file "
                "name in the same folder"
            )
        _check_shard(index, shard)
    return weight_map


def _check_shard(index: Path, name: str) -> None:
    """A shard lies where its index lies; the hub's cache links both to one place."""
    path = index.parent / name
    if not path.is_file():
        raise CheckpointFormatError(
            f"{index.name}: the shard {name} is missing; download it again"
        )
    if path.resolve().parent not in (
        index.parent.resolve(),
        index.resolve().parent,
    ):
        raise CheckpointFormatError(
            f"{index.name}: refused the shard {name}, a link that leads out of the "
            "folder; put the file itself there"
        )


def _is_plain(name: str) -> bool:
    """A file name and nothing that leads elsewhere."""
    return name.isprintable() and not (
        name.startswith(".") or set(name) & set("/\\:") or not name
    )


def _check_index(
    weight_map: Mapping[str, str], reader: CheckpointReader, index_name: str
) -> None:
    absent = sorted(weight_map.keys() - set(reader.keys()))
    if absent:
        raise CheckpointFormatError(
            f"{index_name}: names tensors that no shard holds: {absent[:5]}"
        )
