"""pytorch_model.bin: both layouts, every storage, and nothing in it can run."""

import collections
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.torch_file import open_torch
from tests.model_core.checkpoints.checkpoint_files import (
    malicious_pickle,
    tensor_pickle,
    write_zip,
)

LAYOUTS = {"zip": True, "legacy": False}
STORAGES = (
    "float32",
    "float64",
    "float16",
    "bfloat16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "bool",
)
SIX = np.arange(6, dtype="<f4").tobytes()


def saved(torch, state, path, layout):
    torch.save(state, path, _use_new_zipfile_serialization=LAYOUTS[layout])
    return open_torch(path)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", STORAGES)
def test_every_storage_comes_back(dtype, layout, tmp_path):
    torch = pytest.importorskip("torch")
    tensor = (torch.arange(12).reshape(3, 4) % 3).to(getattr(torch, dtype))
    file = saved(torch, {"w": tensor}, tmp_path / "m.bin", layout)
    assert file.dtype("w") == dtype
    expected = tensor.float() if dtype == "bfloat16" else tensor
    np.testing.assert_array_equal(file.read("w"), expected.numpy())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_views_strides_and_shared_storages_come_back(layout, tmp_path):
    torch = pytest.importorskip("torch")
    base = torch.arange(24, dtype=torch.float32)
    state = {
        "base": base,
        "transposed": base.reshape(4, 6).T,
        "slice": base.reshape(4, 6)[1:3, ::2],
        "scalar": base[5],
        "empty": base[:0],
        "parameter": torch.nn.Parameter(base.reshape(2, 12)),
        "bfloat16 view": base.to(torch.bfloat16).reshape(4, 6).T,
    }
    file = saved(torch, state, tmp_path / "m.bin", layout)
    assert set(file.keys()) == set(state)
    for name, tensor in state.items():
        np.testing.assert_array_equal(
            file.read(name), tensor.detach().float().numpy(), err_msg=name
        )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_state_of_a_module_comes_back_in_every_protocol(layout, protocol, tmp_path):
    torch = pytest.importorskip("torch")
    module = torch.nn.BatchNorm1d(3)
    torch.save(
        module.state_dict(),
        tmp_path / "m.bin",
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=LAYOUTS[layout],
    )
    file = open_torch(tmp_path / "m.bin")
    assert set(file.keys()) == set(module.state_dict())


def test_a_tensor_spelled_by_hand_is_read(tmp_path):
    file = open_torch(write_zip(tmp_path / "m.bin", tensor_pickle(), {"0": SIX}))
    np.testing.assert_array_equal(
        file.read("w"), np.arange(6, dtype="f4").reshape(2, 3)
    )


def do_nothing(*_):
    raise AssertionError("code of a pickle ran")


MALICE = {
    "os.system": malicious_pickle(os.system, "exit 1"),
    "builtins.eval": malicious_pickle(eval, "1"),
    "builtins.getattr": malicious_pickle(getattr, {}, "keys"),
    "protocol 4": malicious_pickle(os.system, "exit 1", protocol=4),
    "own function": malicious_pickle(do_nothing),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", MALICE)
def test_any_other_global_is_refused_by_its_name(case, layout, tmp_path):
    path = tmp_path / "m.bin"
    if layout == "zip":
        write_zip(path, MALICE[case])
    else:
        path.write_bytes(MALICE[case])
    name = {
        "os.system": r"(posix|nt)\.system",
        "protocol 4": r"(posix|nt)\.system",
        "own function": "do_nothing",
    }.get(case, case.replace("builtins", "(__builtin__|builtins)"))
    with pytest.raises(CheckpointFormatError, match=f"global '.*{name}'"):
        open_torch(path)


@pytest.mark.parametrize(
    "name",
    [
        "torch.storage _load_from_bytes",
        "torch._utils _rebuild_sparse_tensor",
        "torch load",
        "numpy.core.multiarray _reconstruct",
        "collections Counter",
    ],
)
def test_torchs_other_globals_are_refused_too(name, tmp_path):
    module, attribute = name.split()
    data = f"\x80\x02c{module}\n{attribute}\n)R.".encode("latin-1")
    with pytest.raises(CheckpointFormatError, match=f"{module}.{attribute}"):
        open_torch(write_zip(tmp_path / "m.bin", data))


def number(value):
    return b"J" + struct.pack("<i", value)


BROKEN_PICKLES = {
    "unknown instruction": (b"\x80\x02(i__main__\nx\n.", "instruction INST"),
    "object building": (b"\x80\x02ccollections\nOrderedDict\n)\x81.", "NEWOBJ"),
    "no stop": (b"\x80\x02}", "damaged|STOP"),
    "empty stack": (b"\x80\x02s.", "damaged"),
    "empty": (b"", "damaged"),
    "memo never set": (b"\x80\x02h\x05.", "damaged"),
    "calls a number": (b"\x80\x02K\x01)R.", "no function"),
    "calls a storage type": (b"\x80\x02ctorch\nFloatStorage\n)R.", "no function"),
    "key is no text": (b"\x80\x02}K\x01K\x02s.", "key must be a string"),
    "text longer than the file": (b"\x80\x02X\xff\xff\xff\x7fabc.", "damaged"),
    "list, not dictionary": (b"\x80\x02].", "expected a dictionary of tensors"),
    "number as entry": (
        b"\x80\x02}X\x05\x00\x00\x00epochK\x01s.",
        r"no tensors: \['epoch'\]",
    ),
    "storage is a number": (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x00))tR.",
        "without a storage",
    ),
}


@pytest.mark.parametrize("case", BROKEN_PICKLES)
def test_broken_pickles_are_refused(case, tmp_path):
    data, message = BROKEN_PICKLES[case]
    with pytest.raises(CheckpointFormatError, match=message) as refusal:
        open_torch(write_zip(tmp_path / "m.bin", data))
    assert str(refusal.value).startswith("m.bin: ")


BROKEN_TENSORS = {
    "reaches beyond": ({"shape": (3, 3)}, "reaches beyond"),
    "offset beyond": ({"offset": 1}, "reaches beyond"),
    "negative offset": ({"offset": -4}, "sound offset"),
    "negative stride": ({"strides": (-3, 1)}, "integers >= 0"),
    "strides of another rank": ({"strides": (1,)}, "differ in length"),
    "expanded bomb": ({"shape": (2**30, 2**30), "strides": (0, 0)}, "reaches beyond"),
    "storage too short": ({"count": 60, "shape": (60,), "strides": (1,)}, "truncated"),
    "wider elements": ({"storage": "DoubleStorage"}, "truncated"),
    "negative count": ({"count": -1}, "unknown description"),
    "storage of no name": ({"storage": "QInt8Storage"}, "torch.QInt8Storage"),
}


@pytest.mark.parametrize("case", BROKEN_TENSORS)
def test_tensors_that_leave_their_storage_are_refused(case, tmp_path):
    changes, message = BROKEN_TENSORS[case]
    path = write_zip(tmp_path / "m.bin", tensor_pickle(**changes), {"0": SIX})
    with pytest.raises(CheckpointFormatError, match=message):
        open_torch(path)


def test_a_missing_storage_is_refused(tmp_path):
    with pytest.raises(CheckpointFormatError, match="has 0 for it"):
        open_torch(write_zip(tmp_path / "m.bin", tensor_pickle()))


def test_compressed_entries_are_refused_without_inflating(tmp_path):
    path = write_zip(
        tmp_path / "m.bin",
        tensor_pickle(),
        {"0": b"\0" * 10_000_000},
        compression=zipfile.ZIP_DEFLATED,
    )
    with pytest.raises(CheckpointFormatError, match="compressed"):
        open_torch(path)


def test_a_pickle_larger_than_accepted_is_not_read(tmp_path):
    path = write_zip(tmp_path / "m.bin", b"\0" * (3 * 2**20))
    with pytest.raises(CheckpointFormatError, match="accepted are 2097152"):
        open_torch(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b"PK\x03\x04 and no more", "zip is truncated"),
        (b"\x89HDF\r\n\x1a\n", "expected a zip or a pickle"),
        (pickle.dumps(1, 2) * 3, "not one of torch.save"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    ],
)
def test_other_files_are_refused(content, message, tmp_path):
    (tmp_path / "m.bin").write_bytes(content)
    with pytest.raises(CheckpointFormatError, match=message):
        open_torch(tmp_path / "m.bin")


def test_big_endian_files_are_refused(tmp_path):
    path = write_zip(tmp_path / "m.bin", tensor_pickle(), {"0": SIX})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/byteorder", "big")
    with pytest.raises(CheckpointFormatError, match="byte order must be little"):
        open_torch(path)


def legacy_file(path, state_pickle, keys, storages, magic=0x1950A86A20F9469CFC6C):
    system = {"protocol_version": 1001, "little_endian": True}
    parts = [pickle.dumps(value, 2) for value in (magic, 1001, system)]
    data = b"".join(struct.pack("<q", count) + raw for count, raw in storages)
    path.write_bytes(b"".join([*parts, state_pickle, pickle.dumps(keys, 2), data]))
    return path


def test_a_legacy_file_spelled_by_hand_is_read(tmp_path):
    path = legacy_file(tmp_path / "m.bin", tensor_pickle(), ["0"], [(6, SIX)])
    assert open_torch(path).read("w").tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_storage_that_is_a_part_of_another_is_read(tmp_path):
    """Files of torch before 1.0 cut storages into views."""
    state = tensor_pickle(view=(2, 3), shape=(3,), strides=(1,))
    path = legacy_file(tmp_path / "m.bin", state, ["0"], [(6, SIX)])
    assert open_torch(path).read("w").tolist() == [2, 3, 4]


@pytest.mark.parametrize("view", [(4, 3), (-1, 2), (0, 7), (3, -1)])
def test_a_part_beyond_its_storage_is_refused(view, tmp_path):
    state = tensor_pickle(view=view, shape=(3,), strides=(1,))
    with pytest.raises(CheckpointFormatError, match=r"a view needs|reaches beyond"):
        open_torch(legacy_file(tmp_path / "m.bin", state, ["0"], [(6, SIX)]))


@pytest.mark.parametrize(
    ("keys", "storages", "message"),
    [
        (["0"], [(6, SIX[:-4])], "truncated"),
        (["0"], [(2**62, SIX)], "truncated"),
        (["0"], [(-6, SIX)], "truncated"),
        (["0"], [], "ends before it"),
        (["1"], [(6, SIX)], "belongs to no tensor"),
        ([], [], "has 0 for it"),
        ([1], [(6, SIX)], "list of storages is damaged"),
        ({}, [], "list of storages is damaged"),
    ],
)
def test_broken_legacy_storages_are_refused(keys, storages, message, tmp_path):
    path = legacy_file(tmp_path / "m.bin", tensor_pickle(), keys, storages)
    with pytest.raises(CheckpointFormatError, match=message):
        open_torch(path)


@given(at=st.integers(0, 1200), garbage=st.binary(min_size=1, max_size=9))
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_damage_is_refused_or_harmless(layout, at, garbage, tmp_path_factory):
    path = tmp_path_factory.mktemp("damage") / "m.bin"
    if layout == "zip":
        write_zip(path, tensor_pickle(), {"0": SIX})
    else:
        legacy_file(path, tensor_pickle(), ["0"], [(6, SIX)])
    content = bytearray(path.read_bytes())
    at = at % len(content)
    content[at : at + len(garbage)] = garbage
    path.write_bytes(content)
    try:
        file = open_torch(path)
    except CheckpointFormatError:
        return
    for name in tuple(file.keys()):
        assert file.read(name).shape == file.shape(name)


def test_the_order_of_tensors_is_kept(tmp_path):
    torch = pytest.importorskip("torch")
    state = collections.OrderedDict((n, torch.ones(1)) for n in "zab")
    assert saved(torch, state, tmp_path / "m.bin", "zip").keys() == ("z", "a", "b")
