"""Numbers that no training ends with are refused by their tensor's name."""

import numpy as np
import pytest

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.reader import open_checkpoint
from model_core.checkpoints.soundness import check_finite
from tests.model_core.checkpoints.checkpoint_files import write_tensors


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("place", [0, 57, 99])
def test_one_bad_number_anywhere_is_refused_by_name(bad, dtype, place):
    array = np.ones(100, dtype)
    array[place] = bad
    with pytest.raises(CheckpointFormatError, match=r"m: w holds 1 numbers .* of 100"):
        check_finite(array.reshape(10, 10).T, "m: w")


def test_opposite_infinities_do_not_cancel():
    with pytest.raises(CheckpointFormatError, match="holds 2 numbers"):
        check_finite(np.array([np.inf, -np.inf, 1], "float32"), "w")


@pytest.mark.parametrize(
    "array",
    [
        np.full(100, np.finfo("float32").max, "float32"),  # only the sum is infinite
        np.full(4, np.finfo("float16").max, "float16"),
        np.zeros((0, 3), "float32"),
        np.array([2**62] * 9, "int64"),
        np.array([True]),
    ],
)
def test_large_numbers_and_other_types_are_sound(array):
    check_finite(array, "w")


def test_a_checkpoint_is_looked_at_as_it_is_read(tmp_path):
    tensors = {"sound": np.ones(3, "float32"), "broken": np.ones(3, "float32")}
    tensors["broken"][1] = np.nan
    write_tensors(tmp_path / "model.safetensors", tensors)
    with open_checkpoint(tmp_path) as reader:
        assert reader.read("sound").sum() == 3
        with pytest.raises(CheckpointFormatError, match=r"model\.safetensors: broken"):
            reader.read("broken")


def test_bfloat16_is_looked_at_too(tmp_path):
    bits = np.array([0x3F80, 0x7FC0], "uint16")  # one, and NaN
    write_tensors(tmp_path / "model.safetensors", {"w": bits})
    with (
        open_checkpoint(tmp_path) as reader,
        pytest.raises(CheckpointFormatError, match="NaN or infinite"),
    ):
        reader.read("w")
