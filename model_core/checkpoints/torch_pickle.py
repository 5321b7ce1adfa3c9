"""The pickle inside pytorch_model.bin, read as data: nothing in it can run.

A pickle is a program. This reads the few instructions that ``torch.save`` writes for a
dictionary of tensors, and stands in its own values for the few globals that such a
file names; any other instruction or global is refused by name. Changes when torch
writes another instruction. Knows no file layout.
"""

import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.tensor_file import check_shape

MAX_PICKLE_BYTES = 2 * 2**20  # a thousand tensors need a quarter of one


@dataclass(frozen=True, slots=True)
class StorageType:
    """Stands for ``torch.FloatStorage`` and its kin.

    Attributes:
        dtype: A key of ``tensor_file.ELEMENTS``.
    """

    dtype: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of elements that tensors view.

    Attributes:
        key: Its name in the file.
        dtype: A key of ``tensor_file.ELEMENTS``.
        num_elements: Its length.
        offset: First element inside the storage called ``key``.
    """

    key: str
    dtype: str
    num_elements: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A view of a storage; offset and strides in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Global:
    """What stands in for calling a global that the pickle named."""

    call: Callable[..., object]


class _Mark:
    """Where a run of stack items begins."""


@dataclass(slots=True)
class _Machine:
    """The stack and memo of one pickle."""

    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def pop_to_mark(self) -> list[Any]:
        """Take everything above the last mark, and the mark."""
        items: list[Any] = []
        while not isinstance(top := self.stack.pop(), _Mark):
            items.append(top)
        return items[::-1]


def load_pickle(stream: BytesIO) -> object:
    """Read one pickle from the stream's position and leave the stream behind it.

    Args:
        stream: The bytes, at most ``MAX_PICKLE_BYTES``.

    Returns:
        Dictionaries, lists, tuples, strings, numbers, ``StoredTensor``.

    Raises:
        CheckpointFormatError: Damaged, or it asks for a global or an instruction that
            a plain dictionary of tensors never needs.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            if opcode.name == "STOP":
                return machine.stack.pop()
            act = _INSTRUCTIONS.get(opcode.name)
            if act is None:
                raise CheckpointFormatError(
                    f"refused: the pickle uses the instruction {opcode.name}, which "
                    "no plain dictionary of tensors needs"
                )
            act(machine, argument)
    except CheckpointFormatError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise CheckpointFormatError(f"the pickle is damaged ({error})") from error
    raise CheckpointFormatError("the pickle ends before its STOP")


def _rebuild_tensor(
    storage: object, offset: object, shape: object, strides: object, *_: object
) -> StoredTensor:
    if not isinstance(storage, Storage) or type(offset) is not int or offset < 0:
        raise CheckpointFormatError("a tensor without a storage or a sound offset")
    sizes = check_shape(shape, f"storage {storage.key}")
    steps = check_shape(strides, f"storage {storage.key} strides")
    if len(sizes) != len(steps):
        raise CheckpointFormatError(
            f"storage {storage.key}: shape {sizes} and strides {steps} differ in length"
        )
    _check_view(storage, offset, sizes, steps)
    return StoredTensor(storage, offset, sizes, steps)


def _check_view(
    storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    count = math.prod(shape)
    reach = sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    if count and (
        offset + reach >= storage.num_elements or count > storage.num_elements
    ):
        raise CheckpointFormatError(
            f"storage {storage.key} has {storage.num_elements} elements, a tensor of "
            f"shape {shape}, strides {strides} and offset {offset} reaches beyond"
        )


def _rebuild_parameter(tensor: StoredTensor, *_: object) -> StoredTensor:
    return tensor


def _ordered_dict(items: object = ()) -> dict[str, Any]:
    if not isinstance(items, list | tuple):
        raise CheckpointFormatError("an OrderedDict of something that is no list")
    members: dict[str, Any] = {}
    for key, value in items:
        members[_checked_key(key)] = value
    return members


def _size(sizes: object) -> tuple[int, ...]:
    return check_shape(sizes, "torch.Size")


_STORAGE_DTYPES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}

# Every global that a pickle may name.
_GLOBALS: dict[str, object] = {
    "collections OrderedDict": _Global(_ordered_dict),
    "torch Size": _Global(_size),
    "torch._utils _rebuild_tensor": _Global(_rebuild_tensor),
    "torch._utils _rebuild_tensor_v2": _Global(_rebuild_tensor),
    "torch._utils _rebuild_parameter": _Global(_rebuild_parameter),
} | {f"torch {name}": StorageType(dtype) for name, dtype in _STORAGE_DTYPES.items()}


def _checked_key(key: object) -> str:
    if not isinstance(key, str):
        raise CheckpointFormatError(
            f"a dictionary key must be a string, received {type(key).__name__}"
        )
    return key


def _push(machine: _Machine, value: object) -> None:
    machine.stack.append(value)


def _mark(machine: _Machine, _: object) -> None:
    machine.stack.append(_Mark())


def _global(machine: _Machine, name: object) -> None:
    if name not in _GLOBALS:
        raise CheckpointFormatError(
            f"refused: the pickle names the global {str(name).replace(' ', '.')!r}, "
            "and a pickle may run code; accepted are tensors of plain storages only. "
            "Ask for the weights as safetensors"
        )
    machine.stack.append(_GLOBALS[str(name)])


def _stack_global(machine: _Machine, _: object) -> None:
    attribute, module = machine.stack.pop(), machine.stack.pop()
    _global(machine, f"{_checked_key(module)} {_checked_key(attribute)}")


def _call(machine: _Machine, _: object) -> None:
    arguments, function = machine.stack.pop(), machine.stack.pop()
    if not isinstance(function, _Global) or not isinstance(arguments, tuple):
        raise CheckpointFormatError("the pickle calls something that is no function")
    machine.stack.append(function.call(*arguments))


def _drop_state(machine: _Machine, _: object) -> None:
    """``_metadata`` of a state dictionary: versions of modules, not weights."""
    machine.stack.pop()


def _storage(machine: _Machine, _: object) -> None:
    identity = machine.stack.pop()
    kind, storage_type, key, _, num_elements, *views = identity
    if (
        kind != "storage"
        or not isinstance(storage_type, StorageType)
        or not isinstance(key, str)
        or type(num_elements) is not int
        or num_elements < 0
    ):
        raise CheckpointFormatError("a storage of an unknown description")
    view = views[0] if views else None
    storage = Storage(key, storage_type.dtype, num_elements)
    machine.stack.append(storage if view is None else _view(storage, view))


def _view(storage: Storage, view: object) -> Storage:
    """A storage that is a part of another (files of torch before 1.0)."""
    if not isinstance(view, tuple) or [type(part) for part in view[1:]] != [int, int]:
        raise CheckpointFormatError("a storage view of an unknown description")
    _, offset, length = view
    if not 0 <= offset <= offset + length <= storage.num_elements:
        raise CheckpointFormatError(
            f"storage {storage.key} has {storage.num_elements} elements, a view needs "
            f"{length} from {offset}"
        )
    return Storage(storage.key, storage.dtype, length, offset)


def _tuple_of(count: int) -> Callable[[_Machine, object], None]:
    def act(machine: _Machine, _: object) -> None:
        items = [machine.stack.pop() for _ in range(count)]
        machine.stack.append(tuple(items[::-1]))

    return act


def _tuple(machine: _Machine, _: object) -> None:
    machine.stack.append(tuple(machine.pop_to_mark()))


def _set_items(machine: _Machine, _: object) -> None:
    items = machine.pop_to_mark()
    for key, value in zip(items[::2], items[1::2], strict=True):
        machine.stack[-1][_checked_key(key)] = value


def _set_item(machine: _Machine, _: object) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.stack[-1][_checked_key(key)] = value


def _append(machine: _Machine, _: object) -> None:
    value = machine.stack.pop()
    machine.stack[-1].append(value)


def _extend(machine: _Machine, _: object) -> None:
    items = machine.pop_to_mark()
    machine.stack[-1].extend(items)


def _remember(machine: _Machine, index: Any) -> None:
    machine.memo[index] = machine.stack[-1]


def _memoize(machine: _Machine, _: object) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


def _recall(machine: _Machine, index: Any) -> None:
    machine.stack.append(machine.memo[index])


def _nothing(machine: _Machine, _: object) -> None:
    del machine


_Act = Callable[[_Machine, Any], None]
_INSTRUCTIONS: dict[str, _Act] = {
    **dict.fromkeys(("PROTO", "FRAME"), _nothing),
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"), _push),
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE"), _push),
    **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING"), _push),
    "NONE": lambda machine, _: machine.stack.append(None),
    "NEWTRUE": lambda machine, _: machine.stack.append(True),
    "NEWFALSE": lambda machine, _: machine.stack.append(False),
    "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
    "EMPTY_LIST": lambda machine, _: machine.stack.append([]),
    "EMPTY_TUPLE": lambda machine, _: machine.stack.append(()),
    "MARK": _mark,
    "TUPLE": _tuple,
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _call,
    "BUILD": _drop_state,
    "BINPERSID": _storage,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "APPEND": _append,
    "APPENDS": _extend,
    "BINPUT": _remember,
    "LONG_BINPUT": _remember,
    "MEMOIZE": _memoize,
    "BINGET": _recall,
    "LONG_BINGET": _recall,
}
