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


def test_truncated_files_are_refused(folder):
    data = next(folder.glob("*.data-*"))
    data.write_bytes(data.read_bytes()[:20])
    with open_checkpoint(folder) as reader:
        for name in tuple(reader.keys()):
            with pytest.raises(CheckpointFormatError, match="truncated or damaged"):
                reader.read(name)


def test_a_damaged_index_is_refused(folder):
    (folder / "bert_model.ckpt.index").write_bytes(b"nonsense" * 20)
    with pytest.raises(CheckpointFormatError, match="truncated or damaged"):
        open_checkpoint(folder)


def test_two_checkpoints_in_one_folder_are_refused(folder):
    (folder / "other.ckpt.index").write_bytes(b"")
    with pytest.raises(CheckpointFormatError, match="holds several checkpoints"):
        open_checkpoint(folder)
