"""safetensors: what is sound is read exactly, what is not is refused by name."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.safetensors_file import open_safetensors
from tests.model_core.checkpoints.checkpoint_files import (
    entry,
    write_header,
    write_tensors,
)


def test_tensors_come_back_as_they_were_written(tmp_path):
    tensors = {
        "b": np.arange(6, dtype="float32").reshape(2, 3),
        "a": np.array([1.5, -2], "float16"),
        "scalar": np.array(7, "int64"),
        "empty": np.zeros((0, 4), "float32"),
    }
    file = open_safetensors(write_tensors(tmp_path / "m.safetensors", tensors))
    assert set(file.keys()) == set(tensors)
    for name, array in tensors.items():
        assert file.shape(name) == array.shape
        assert file.dtype(name) == array.dtype.name
        np.testing.assert_array_equal(file.read(name), array)


def test_the_real_library_writes_what_we_read(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    array = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    library.save_file({"w": array}, tmp_path / "m", metadata={"format": "pt"})
    file = open_safetensors(tmp_path / "m")
    assert file.keys() == ("w",)
    np.testing.assert_array_equal(file.read("w"), array)


def test_bfloat16_is_widened_to_the_same_numbers(tmp_path):
    numbers = np.array([1.0, -2.5, 3e38, 0.0, np.inf], "float32")
    bits = (numbers.view("uint32") >> 16).astype("uint16")
    file = open_safetensors(write_tensors(tmp_path / "m", {"w": bits}))
    assert file.dtype("w") == "bfloat16"
    read = file.read("w")
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, numbers, rtol=0.01)


def test_reading_views_the_file_and_survives_closing(tmp_path):
    path = write_tensors(tmp_path / "m", {"w": np.ones(4, "float32")})
    file = open_safetensors(path)
    view = file.read("w")
    assert not view.flags.owndata
    assert not view.flags.writeable
    file.close()
    assert view.sum() == 4


BROKEN = {
    "truncated": ({"w": entry([2], 0, 8)}, b"1234", "truncated or damaged"),
    "too long": ({"w": entry([1], 0, 4)}, b"12345678", "the file has"),
    "gap": ({"w": entry([1], 4, 8)}, b"12345678", "overlap or leave a gap"),
    "overlap": (
        {"a": entry([1], 0, 4), "b": entry([1], 0, 4)},
        b"1234",
        "overlap or leave a gap",
    ),
    "offsets differ": ({"w": entry([3], 0, 8)}, b"12345678", "needs 12 bytes"),
    "backwards": ({"w": entry([1], 8, 4)}, b"12345678", "0 <= begin <= end"),
    "negative size": ({"w": entry([-1], 0, 4)}, b"1234", "integers >= 0"),
    "true is no size": ({"w": entry([True], 0, 4)}, b"1234", "integers >= 0"),
    "float offset": ({"w": entry([1], 0.0, 4)}, b"1234", "two integers"),
    "bomb": ({"w": entry([2**40, 2**40], 0, 4)}, b"1234", "needs"),
    "too many axes": ({"w": entry([1] * 9, 0, 4)}, b"1234", "at most 8"),
    "unknown dtype": ({"w": entry([1], 0, 4, "F8_E4M3")}, b"1234", "dtype must be one"),
    "dtype no text": ({"w": entry([1], 0, 4, [])}, b"1234", "dtype must be one"),
    "missing field": ({"w": {"dtype": "F32"}}, b"", "exactly dtype, shape"),
    "not an object": ([1, 2], b"", "expected a JSON object"),
    "not JSON": (b"{nonsense", b"", "not sound JSON"),
    "not UTF-8": (b'{"\xff": 1}', b"", "not sound JSON"),
    "deeply nested": (b"[" * 100_000, b"", "not sound JSON"),
    "key twice": (
        b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
        b'"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        b"1234",
        "key stands twice",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused(case, tmp_path):
    header, data, message = BROKEN[case]
    path = write_header(tmp_path / "m.safetensors", header, data)
    with pytest.raises(CheckpointFormatError, match=message) as refusal:
        open_safetensors(path)
    assert "m.safetensors" in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b"1234", "the header claims"),
        (b"\xff" * 32, "the header claims"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
    ],
)
def test_files_without_a_header_are_refused(content, message, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointFormatError, match=message):
        open_safetensors(path)


def test_a_header_longer_than_accepted_is_not_read(tmp_path):
    path = write_header(tmp_path / "m", b"{}", length=5 * 2**20)
    with path.open("ab") as file:
        file.truncate(8 * 2**20)  # sparse: takes no room
    with pytest.raises(CheckpointFormatError, match="accepted are at most 4194304"):
        open_safetensors(path)


@given(cut=st.integers(0, 200), garbage=st.binary(max_size=12), at=st.integers(0, 200))
def test_any_damage_is_a_format_error_or_harmless(cut, garbage, at, tmp_path_factory):
    path = tmp_path_factory.mktemp("damage") / "m"
    write_tensors(path, {"w": np.ones((2, 3), "float32"), "b": np.ones(3, "float16")})
    content = path.read_bytes()
    damaged = content[:at] + garbage + content[at + len(garbage) :]
    path.write_bytes(damaged[: len(content) - cut])
    try:
        file = open_safetensors(path)
    except CheckpointFormatError:
        return
    for name in tuple(file.keys()):
        assert file.read(name).shape == file.shape(name)


def test_metadata_is_no_tensor(tmp_path):
    header = {"__metadata__": {"format": "pt"}, "w": entry([1], 0, 4)}
    file = open_safetensors(write_header(tmp_path / "m", header, b"1234"))
    assert file.keys() == ("w",)
    assert json.dumps(file.shape("w")) == "[1]"
