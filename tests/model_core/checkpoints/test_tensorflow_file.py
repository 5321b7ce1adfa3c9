"""Original TensorFlow checkpoints: variables without what the optimiser left."""

import numpy as np
import pytest

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.reader import open_checkpoint

tf = pytest.importorskip("tensorflow")

KERNEL = np.arange(6, dtype="float32").reshape(2, 3)


@pytest.fixture
def folder(tmp_path):
    named = {
        "bert/kernel": KERNEL,
        "bert/kernel/adam_m": KERNEL,
        "bert/kernel/adam_v": KERNEL,
        "global_step": np.asarray(3, "int64"),
        "half": tf.constant([1.5, -2.0], tf.bfloat16),
    }
    tf.raw_ops.SaveV2(
        prefix=str(tmp_path / "bert_model.ckpt"),
        tensor_names=list(named),
        shape_and_slices=[""] * len(named),
        tensors=[tf.convert_to_tensor(value) for value in named.values()],
    )
    return tmp_path


def read_all(folder):
    with open_checkpoint(folder) as reader:
        return {name: reader.read(name) for name in tuple(reader.keys())}


def test_variables_come_back_without_training_state(folder):
    with open_checkpoint(folder) as reader:
        assert reader.layout == "tensorflow"
        assert reader.keys() == ("bert/kernel", "half")
        assert reader.shape("bert/kernel") == (2, 3)
        np.testing.assert_array_equal(reader.read("bert/kernel"), KERNEL)
        assert reader.dtype("half") == "bfloat16"
        assert reader.read("half").dtype == np.float32
        assert reader.read("half").tolist() == [1.5, -2.0]


def test_missing_data_is_refused(folder):
    next(folder.glob("*.data-*")).unlink()
    with pytest.raises(CheckpointFormatError, match="data-00000-of-00001 beside it"):
        open_checkpoint(folder)


def test_truncated_files_are_refused_before_anything_is_read(folder):
    data = next(folder.glob("*.data-*"))
    data.write_bytes(data.read_bytes()[:20])
    with pytest.raises(CheckpointFormatError, match=r"needs 24 bytes.*has 20: trunc"):
        open_checkpoint(folder)


def test_what_is_cut_off_behind_the_largest_is_refused_when_it_is_read(folder):
    data = next(folder.glob("*.data-*"))
    data.write_bytes(data.read_bytes()[:-2])
    with pytest.raises(CheckpointFormatError, match="truncated or damaged"):
        read_all(folder)


@pytest.mark.parametrize("part", ["index", "data-00000-of-00001"])
@pytest.mark.parametrize("seed", range(12))
def test_any_flipped_byte_is_refused_or_of_no_weight(part, seed, folder):
    path = folder / f"bert_model.ckpt.{part}"
    content = bytearray(path.read_bytes())
    draw = np.random.default_rng(seed)
    content[int(draw.integers(len(content)))] ^= int(draw.integers(1, 256))
    path.write_bytes(content)
    try:
        read = read_all(folder)
    except CheckpointFormatError:
        return
    np.testing.assert_array_equal(read["bert/kernel"], KERNEL)  # what it holds is safe
    assert read["half"].tolist() == [1.5, -2.0]


def test_what_mesh_tensorflows_optimiser_left_is_no_weight(folder):
    names = ("encoder/q", "encoder/q_slot_vr", "encoder/q_slot_vc", "x/adafactor_v")
    for path in folder.iterdir():
        path.unlink()
    tf.raw_ops.SaveV2(
        prefix=str(folder / "model.ckpt-1000"),
        tensor_names=list(names),
        shape_and_slices=[""] * len(names),
        tensors=[tf.constant(KERNEL)] * len(names),
    )
    with open_checkpoint(folder) as reader:
        assert reader.keys() == ("encoder/q",)


def test_a_damaged_index_is_refused(folder):
    (folder / "bert_model.ckpt.index").write_bytes(b"nonsense" * 20)
    with pytest.raises(CheckpointFormatError, match="truncated or damaged"):
        open_checkpoint(folder)


def test_two_checkpoints_in_one_folder_are_refused(folder):
    (folder / "other.ckpt.index").write_bytes(b"")
    with pytest.raises(CheckpointFormatError, match="holds several checkpoints"):
        open_checkpoint(folder)
