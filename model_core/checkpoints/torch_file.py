"""pytorch_model.bin in both of torch's layouts: the zip and the older run of pickles.

Changes when torch's file layout does. Knows no weight names; torch is not needed.
"""

import mmap
import struct
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.tensor_file import (
    ELEMENTS,
    MappedTensor,
    MappedTensorFile,
    map_file,
)
from model_core.checkpoints.torch_pickle import (
    MAX_PICKLE_BYTES,
    Storage,
    StoredTensor,
    load_pickle,
)

ZIP_START = b"PK\x03\x04"
PICKLE_START = b"\x80"
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
LEGACY_HEADER_PICKLES = 3
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_COUNT = struct.Struct("<q")

_Places = Mapping[str, tuple[int, int]]  # storage key -> first byte, length in bytes


def open_torch(path: Path) -> MappedTensorFile:
    """Open one file of ``torch.save(state_dict)``.

    Raises:
        CheckpointFormatError: Truncated, compressed, not a dictionary of tensors, or a
            pickle that names anything but tensors.
    """
    mapped = map_file(path)
    try:
        tensors = _layout_of(mapped)(path, mapped)
    except CheckpointFormatError as error:
        raise CheckpointFormatError(f"{path.name}: {error}") from error
    return MappedTensorFile(path.name, mapped, tensors)


def _layout_of(mapped: mmap.mmap) -> "_ReadLayout":
    for start, read in _LAYOUTS:
        if mapped[: len(start)] == start:
            return read
    raise CheckpointFormatError(
        f"starts with {mapped[:8]!r}, expected a zip or a pickle as torch.save writes "
        "them; download it again, or ask for safetensors"
    )


def _read_zip(path: Path, mapped: mmap.mmap) -> dict[str, MappedTensor]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {info.filename: info for info in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise CheckpointFormatError(
            f"the zip is truncated or damaged ({error}); download it again"
        ) from error
    pickles = [name for name in entries if name.rpartition("/")[2] == "data.pkl"]
    if len(pickles) != 1:
        raise CheckpointFormatError(
            f"expected one data.pkl in the zip, received {len(pickles)}"
        )
    root = pickles[0].removesuffix("data.pkl")
    places = {
        name: _place(mapped, info)
        for name, info in entries.items()
        if name.startswith(root)
    }
    _check_byte_order(mapped, places.get(f"{root}byteorder"))
    state = load_pickle(_pickle_stream(mapped, *places[pickles[0]]))
    storages = {
        name.removeprefix(f"{root}data/"): place for name, place in places.items()
    }
    return _locate(_tensors_of(state), storages)


def _place(mapped: mmap.mmap, info: zipfile.ZipInfo) -> tuple[int, int]:
    what = info.filename
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise CheckpointFormatError(
            f"{what}: is compressed or encrypted, which torch never writes"
        )
    header = mapped[info.header_offset : info.header_offset + _LOCAL_HEADER.size]
    if len(header) < _LOCAL_HEADER.size or not header.startswith(ZIP_START):
        raise CheckpointFormatError(f"{what}: has no local header in the zip")
    _, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
    start = info.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes
    if start + info.file_size > len(mapped):
        raise CheckpointFormatError(f"{what}: reaches beyond the file's end")
    return start, info.file_size


def _check_byte_order(mapped: mmap.mmap, place: tuple[int, int] | None) -> None:
    order = b"little" if place is None else mapped[place[0] : place[0] + place[1]][:16]
    if order != b"little":
        raise CheckpointFormatError(f"byte order must be little, received {order!r}")


def _read_legacy(_: Path, mapped: mmap.mmap) -> dict[str, MappedTensor]:
    position = 0
    header: list[object] = []
    while len(header) < LEGACY_HEADER_PICKLES:
        value, position = _next_pickle(mapped, position)
        header.append(value)
    _check_legacy_header(header)
    state, position = _next_pickle(mapped, position)
    keys, position = _next_pickle(mapped, position)
    tensors = _tensors_of(state)
    storages = _legacy_storages(tensors, keys, mapped, position)
    return _locate(tensors, storages)


def _next_pickle(mapped: mmap.mmap, position: int) -> tuple[object, int]:
    stream = _pickle_stream(
        mapped, position, min(len(mapped) - position, MAX_PICKLE_BYTES)
    )
    return load_pickle(stream), position + stream.tell()


def _check_legacy_header(header: list[object]) -> None:
    magic, protocol, system = header
    if magic != LEGACY_MAGIC or protocol != LEGACY_PROTOCOL:
        raise CheckpointFormatError(
            "is a pickle, but not one of torch.save (magic number or protocol differ)"
        )
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise CheckpointFormatError("byte order must be little")


def _legacy_storages(
    tensors: Mapping[str, StoredTensor],
    keys: object,
    mapped: mmap.mmap,
    position: int,
) -> dict[str, tuple[int, int]]:
    dtypes = {t.storage.key: t.storage.dtype for t in tensors.values()}
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise CheckpointFormatError("the list of storages is damaged")
    places: dict[str, tuple[int, int]] = {}
    for key in keys:
        if key not in dtypes or position + _COUNT.size > len(mapped):
            raise CheckpointFormatError(
                f"storage {key}: belongs to no tensor, or the file ends before it"
            )
        (count,) = _COUNT.unpack_from(mapped, position)
        length = count * ELEMENTS[dtypes[key]].itemsize
        position += _COUNT.size
        if not 0 <= length <= len(mapped) - position:
            raise CheckpointFormatError(
                f"storage {key}: claims {count} elements, the file ends before: it is "
                "truncated or damaged, download it again"
            )
        places[key] = (position, length)
        position += length
    return places


def _pickle_stream(mapped: mmap.mmap, start: int, length: int) -> BytesIO:
    if length > MAX_PICKLE_BYTES:
        raise CheckpointFormatError(
            f"the pickle has {length} bytes, accepted are {MAX_PICKLE_BYTES}"
        )
    return BytesIO(mapped[start : start + length])


def _tensors_of(state: object) -> dict[str, StoredTensor]:
    if not isinstance(state, dict) or not state:
        raise CheckpointFormatError(
            f"expected a dictionary of tensors, received {type(state).__name__}"
        )
    others = [key for key, value in state.items() if type(value) is not StoredTensor]
    if others:
        raise CheckpointFormatError(
            f"these entries are no tensors: {others[:5]}; expected the "
            "plain state_dict, as model.state_dict() gives it"
        )
    return state


def _locate(
    tensors: Mapping[str, StoredTensor], storages: _Places
) -> dict[str, MappedTensor]:
    return {name: _mapped(tensor, storages, name) for name, tensor in tensors.items()}


def _mapped(tensor: StoredTensor, storages: _Places, what: str) -> MappedTensor:
    storage: Storage = tensor.storage
    element_bytes = ELEMENTS[storage.dtype].itemsize
    start, length = storages.get(storage.key, (0, -1))
    if (storage.offset + storage.num_elements) * element_bytes > length:
        raise CheckpointFormatError(
            f"{what}: storage {storage.key} needs "
            f"{storage.num_elements * element_bytes} bytes, the file has "
            f"{max(length, 0)} for it: truncated or damaged, download it again"
        )
    first = start + (storage.offset + tensor.offset) * element_bytes
    return MappedTensor(storage.dtype, tensor.shape, first, tensor.strides)


_ReadLayout = Callable[[Path, mmap.mmap], dict[str, MappedTensor]]
_LAYOUTS: tuple[tuple[bytes, _ReadLayout], ...] = (
    (ZIP_START, _read_zip),
    (PICKLE_START, _read_legacy),
)
