"""model.safetensors: an 8-byte length, a JSON header, then the tensors.

Changes when the format does (github.com/huggingface/safetensors#format). Knows no
weight names.
"""

import mmap
from pathlib import Path
from typing import Any

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.json_file import parse_object
from model_core.checkpoints.tensor_file import (
    MappedTensor,
    MappedTensorFile,
    check_shape,
    map_file,
)

LENGTH_BYTES = 8
MAX_HEADER_BYTES = 4 * 2**20  # a thousand tensors need a tenth of one
METADATA = "__metadata__"
FIELDS = {"dtype", "shape", "data_offsets"}

DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}


def open_safetensors(path: Path) -> MappedTensorFile:
    """Open one safetensors file.

    Raises:
        CheckpointFormatError: Truncated, overlapping, or not safetensors.
    """
    mapped = map_file(path)
    header, data_start = _header(mapped, path.name)
    tensors = {
        name: _tensor(entry, f"{path.name}: {name}", data_start)
        for name, entry in header.items()
        if name != METADATA
    }
    _check_tiling(tensors, data_start, len(mapped), path.name)
    return MappedTensorFile(path.name, mapped, tensors)


def _header(mapped: mmap.mmap, file_name: str) -> tuple[dict[str, Any], int]:
    length = int.from_bytes(mapped[:LENGTH_BYTES], "little")
    available = len(mapped) - LENGTH_BYTES
    if length > min(available, MAX_HEADER_BYTES):
        raise CheckpointFormatError(
            f"{file_name}: the header claims {length} bytes, accepted are at most "
            f"{MAX_HEADER_BYTES} and the file has {max(available, 0)}: truncated, or "
            "not a safetensors file; download it again"
        )
    data_start = LENGTH_BYTES + length
    text = mapped[LENGTH_BYTES:data_start]
    return parse_object(text, f"{file_name} header"), data_start


def _tensor(entry: object, what: str, data_start: int) -> MappedTensor:
    if not isinstance(entry, dict) or entry.keys() != FIELDS:
        raise CheckpointFormatError(
            f"{what}: expected exactly dtype, shape and data_offsets"
        )
    if not isinstance(entry["dtype"], str) or entry["dtype"] not in DTYPES:
        raise CheckpointFormatError(
            f"{what}: dtype must be one of {sorted(DTYPES)}, "
            f"received {str(entry['dtype'])[:40]!r}"
        )
    begin, end = _offsets(entry["data_offsets"], what)
    shape = check_shape(entry["shape"], what)
    tensor = MappedTensor(DTYPES[entry["dtype"]], shape, data_start + begin)
    if tensor.num_elements * tensor.element_bytes != end - begin:
        raise CheckpointFormatError(
            f"{what}: shape {shape} of {tensor.dtype} needs "
            f"{tensor.num_elements * tensor.element_bytes} bytes, data_offsets give "
            f"{end - begin}"
        )
    return tensor


def _offsets(value: object, what: str) -> tuple[int, int]:
    if (
        not isinstance(value, list)
        or [type(offset) for offset in value] != [int, int]
        or not 0 <= value[0] <= value[1]
    ):
        raise CheckpointFormatError(
            f"{what}: data_offsets must be two integers, 0 <= begin <= end"
        )
    return value[0], value[1]


def _check_tiling(
    tensors: dict[str, MappedTensor], data_start: int, size_bytes: int, name: str
) -> None:
    """Tensors lie side by side and fill the file: no gap, no overlap, no rest."""
    position = data_start
    order = sorted(
        tensors.items(), key=lambda item: (item[1].offset_bytes, item[1].num_elements)
    )
    for key, tensor in order:
        if tensor.offset_bytes != position:
            raise CheckpointFormatError(
                f"{name}: {key} starts at byte {tensor.offset_bytes}, expected "
                f"{position}: tensors overlap or leave a gap"
            )
        position += tensor.num_elements * tensor.element_bytes
    if position != size_bytes:
        raise CheckpointFormatError(
            f"{name}: the tensors need {position} bytes, the file has {size_bytes}: "
            "truncated or damaged, download it again"
        )
