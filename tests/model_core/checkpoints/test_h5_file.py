"""tf_model.h5: Keras's layout is read, links and hollow datasets are refused."""

import h5py
import numpy as np
import pytest

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.h5_file import open_h5

KERNEL = np.arange(6, dtype="float32").reshape(2, 3)


def write_h5(path, fill, names=("model/dense/kernel:0",), pieces=1):
    """One layer ``dense``; ``fill`` puts the weights into its group."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense", b"dropout"]
        file.create_group("dropout").attrs["weight_names"] = []
        group = file.create_group("dense")
        encoded = [name.encode() for name in names]
        if pieces == 1:
            group.attrs["weight_names"] = encoded
        for number in range(pieces if pieces > 1 else 0):
            group.attrs[f"weight_names{number}"] = encoded[number::pieces]
        fill(group)
    return path


def plain(group):
    group.create_dataset("model/dense/kernel:0", data=KERNEL)


def test_weights_come_back_by_their_names(tmp_path):
    file = open_h5(write_h5(tmp_path / "tf_model.h5", plain))
    assert file.keys() == ("model/dense/kernel:0",)
    assert file.shape("model/dense/kernel:0") == (2, 3)
    assert file.dtype("model/dense/kernel:0") == "float32"
    np.testing.assert_array_equal(file.read("model/dense/kernel:0"), KERNEL)
    file.close()


def test_names_that_keras_cut_in_pieces_are_joined(tmp_path):
    def fill(group):
        group["a"], group["b"] = KERNEL, KERNEL

    file = open_h5(write_h5(tmp_path / "m.h5", fill, ("a", "b"), pieces=2))
    assert file.keys() == ("a", "b")


def test_a_whole_saved_model_is_read_from_its_weights(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [b"dense"]
        group = root.create_group("dense")
        group.attrs["weight_names"] = [b"k"]
        group["k"] = KERNEL
    assert open_h5(tmp_path / "m.h5").keys() == ("k",)


def elsewhere(group):
    group["model/dense/kernel:0"] = h5py.ExternalLink("/etc/hostname", "/x")


def soft(group):
    group["model/dense/kernel:0"] = h5py.SoftLink("/dropout")


def soft_folder(group):
    group["model"] = h5py.SoftLink("/dropout")


def hollow(group):
    group.create_dataset("model/dense/kernel:0", (2**20, 2**20), "float32")


def compressed(group):
    group.create_dataset(
        "model/dense/kernel:0", data=np.zeros((999, 99), "f4"), compression="gzip"
    )


def outside(group):
    group.create_dataset(
        "model/dense/kernel:0", (4,), "float32", external=[("/etc/hostname", 0, 16)]
    )


def texts(group):
    group.create_dataset("model/dense/kernel:0", data=["a", "b"])


def references(group):
    kind = h5py.special_dtype(ref=h5py.Reference)
    data = group.create_dataset("model/dense/kernel:0", (2,), kind)
    data[0] = group.ref


def big_endian(group):
    group.create_dataset("model/dense/kernel:0", data=KERNEL.astype(">f4"))


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (lambda group: None, "missing, or a link"),
        (elsewhere, "missing, or a link"),
        (soft, "missing, or a link"),
        (soft_folder, "missing, or a link"),
        (hollow, "claims 4398046511104 bytes, the file holds 0"),
        (compressed, "damaged, compressed or kept elsewhere"),
        (outside, "damaged, compressed or kept elsewhere"),
        (texts, "element type"),
        (references, "element type"),
        (big_endian, "element type"),
        (
            lambda group: group.create_group("model/dense/kernel:0"),
            "expected a dataset",
        ),
    ],
)
def test_datasets_that_are_not_whole_in_this_file_are_refused(fill, message, tmp_path):
    path = write_h5(tmp_path / "tf_model.h5", fill)
    with pytest.raises(CheckpointFormatError, match=message):
        open_h5(path)


def test_a_name_that_stands_twice_is_refused(tmp_path):
    path = write_h5(tmp_path / "m.h5", plain, ("model/dense/kernel:0",) * 2)
    with pytest.raises(CheckpointFormatError, match="name stands twice"):
        open_h5(path)


def test_another_hdf5_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["x"] = KERNEL
    with pytest.raises(CheckpointFormatError, match="no attribute layer_names"):
        open_h5(tmp_path / "m.h5")


def write_copies(path, second):
    """A head that is tied to a table writes the table once more, as Keras does."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"body", b"head"]
        for layer, values in (("body", KERNEL), ("head", second)):
            group = file.create_group(layer)
            group.attrs["weight_names"] = [b"model/table:0"]
            group["model/table:0"] = values
    return path


def test_a_copy_that_layers_share_is_one_weight(tmp_path):
    file = open_h5(write_copies(tmp_path / "m.h5", KERNEL))
    assert file.keys() == ("model/table:0",)
    np.testing.assert_array_equal(file.read("model/table:0"), KERNEL)


def test_copies_with_other_numbers_are_refused(tmp_path):
    file = open_h5(write_copies(tmp_path / "m.h5", KERNEL + 1))
    with pytest.raises(CheckpointFormatError, match="twice with different numbers"):
        file.read("model/table:0")


def test_copies_of_other_shapes_are_refused(tmp_path):
    path = write_copies(tmp_path / "m.h5", KERNEL.T)
    with pytest.raises(CheckpointFormatError, match=r"as \(2, 3\) and as \(3, 2\)"):
        open_h5(path)


def test_weights_of_the_model_itself_are_read(tmp_path):
    path = write_h5(tmp_path / "m.h5", plain)
    with h5py.File(path, "a") as file:
        group = file.create_group("top_level_model_weights")
        group.attrs["weight_names"] = [b"bias:0"]
        group["bias:0"] = KERNEL
    assert open_h5(path).keys() == ("model/dense/kernel:0", "bias:0")


@pytest.mark.parametrize("seed", range(40))
def test_any_flipped_byte_is_refused_or_harmless(seed, tmp_path):
    path = write_h5(tmp_path / "m.h5", plain)
    content = bytearray(path.read_bytes())
    draw = np.random.default_rng(seed)
    used = np.flatnonzero(np.frombuffer(bytes(content), "uint8"))
    content[int(draw.choice(used))] ^= int(draw.integers(1, 256))
    path.write_bytes(content)
    try:
        file = open_h5(path)
        for name in file.keys():  # noqa: SIM118 - not a mapping
            assert file.read(name).shape == file.shape(name)
    except CheckpointFormatError:
        return


@pytest.mark.parametrize("kept", [0, 1, 50, 99])
def test_truncated_files_are_refused(kept, tmp_path):
    path = write_h5(tmp_path / "m.h5", plain)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * kept // 100])
    with pytest.raises(CheckpointFormatError, match=r"m\.h5: "):
        open_h5(path)
