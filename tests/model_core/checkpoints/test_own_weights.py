"""A part's own weights: what they change, what they leave, what is refused."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.load import load_network
from model_core.checkpoints.own_weights import changes, open_own
from model_core.checkpoints.reader import open_checkpoint
from model_core.models.network import arrays_by_name, weights_by_name
from tests.model_core.playing_checkpoint import write_playing

FILE = "pointing.safetensors"
KERNEL, NORM = "block_0/attention/query/kernel", "final_norm/gamma"


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
    return write_playing(tmp_path / "tiny")


def shared_of(folder):
    with open_checkpoint(folder) as reader:
        return {name: np.array(reader.read(name)) for name in reader.keys()}  # noqa: SIM118


def memory_of(variable):
    """Where TensorFlow keeps a variable's numbers."""
    return np.from_dlpack(variable.value.read_value()).ctypes.data


def moved(shared, names, seed=0):
    draw = np.random.default_rng(seed)
    own = {name: array.copy() for name, array in shared.items()}
    for name in names:
        own[name] = own[name] + draw.normal(0, 0.02, own[name].shape).astype("float32")
    return own


def test_a_part_reads_its_own_and_shares_the_rest(folder):
    shared = shared_of(folder)
    own = moved(shared, [KERNEL, NORM, "gplinker/entity/sides/kernel"])
    save_file(changes(shared, own), folder / FILE)
    found = arrays_by_name(load_network(folder, own_weights=FILE).network)
    plain = arrays_by_name(load_network(folder).network)
    for name, array in own.items():
        np.testing.assert_array_equal(plain[name], shared[name])
        step = np.abs(array - shared[name]).max() / 127 if array.ndim > 1 else 2e-3
        np.testing.assert_allclose(found[name], array, atol=0.51 * step + 1e-7)
    same = {n for n in own if np.array_equal(found[n], shared[n])}
    assert {KERNEL, NORM}.isdisjoint(same)
    assert same == {name for name in own if np.array_equal(own[name], shared[name])}


def test_what_a_part_leaves_alone_lies_in_memory_once(folder):
    shared = shared_of(folder)
    save_file(changes(shared, moved(shared, [KERNEL, NORM])), folder / FILE)
    lender = load_network(folder).network
    own = load_network(folder, own_weights=FILE, lender=lender).network
    theirs, ours = weights_by_name(lender), weights_by_name(own)
    same = {n for n in ours if memory_of(ours[n]) == memory_of(theirs[n])}
    assert same == set(ours) - {KERNEL, NORM}
    apart = arrays_by_name(load_network(folder, own_weights=FILE).network)
    for name, array in arrays_by_name(own).items():
        np.testing.assert_array_equal(array, apart[name])


def test_who_borrows_and_then_learns_leaves_the_lender_alone(folder):
    shared = shared_of(folder)
    save_file(changes(shared, moved(shared, [KERNEL])), folder / FILE)
    lender = load_network(folder).network
    own = load_network(folder, own_weights=FILE, lender=lender).network
    weight = weights_by_name(own)[NORM]
    weight.assign(weight + 1)
    weight.assign_add(np.ones(weight.shape, "float32"))
    np.testing.assert_array_equal(arrays_by_name(lender)[NORM], shared[NORM])
    np.testing.assert_allclose(arrays_by_name(own)[NORM], shared[NORM] + 2, rtol=1e-6)


def test_the_file_holds_what_differs_and_nothing_else(folder):
    shared = shared_of(folder)
    made = changes(shared, moved(shared, [KERNEL, NORM]))
    assert set(made) == {KERNEL + ".steps", KERNEL + ".step", NORM}
    assert made[KERNEL + ".steps"].dtype == np.int8
    assert np.abs(made[KERNEL + ".steps"].astype(int)).max() == 127
    assert made[NORM].dtype == np.float16
    assert changes(shared, shared) == {}


def test_weights_of_another_network_are_refused(folder):
    shared = shared_of(folder)
    with pytest.raises(ValueError, match="same names and shapes"):
        changes(shared, {**shared, "more": np.zeros(3, "float32")})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nobody/kernel": np.zeros((2, 2), "float16")}, "nobody/kernel"),
        ({KERNEL + ".step": None}, f"{KERNEL}: expected int8 steps and a length"),
        ({KERNEL + ".steps": None}, "a .step each"),
        ({KERNEL + ".steps": np.zeros((3, 3), "int8")}, r"expected int8 .*\(3, 3\)"),
        (
            {
                KERNEL + ".steps": np.zeros((3, 3), "int8"),
                KERNEL + ".step": np.ones(3, "float32"),
            },
            rf"{KERNEL}: expected .* received \(3, 3\)",
        ),
        ({KERNEL + ".step": np.zeros(3, "float32")}, r"received int8 .*\(3,\)"),
        ({NORM: np.zeros(3, "float16")}, rf"{NORM}: expected .*\(3,\)"),
        ({KERNEL: np.zeros((16, 16), "float16")}, KERNEL),
    ],
)
def test_changes_of_something_else_are_refused_by_name(folder, change, said):
    shared = shared_of(folder)
    made = changes(shared, moved(shared, [KERNEL, NORM])) | change
    kept = {name: array for name, array in made.items() if array is not None}
    save_file(kept, folder / FILE)
    with pytest.raises(CheckpointFormatError, match=said):
        load_network(folder, own_weights=FILE)


def test_steps_must_be_int8(folder):
    shared = shared_of(folder)
    made = changes(shared, moved(shared, [KERNEL]))
    made[KERNEL + ".steps"] = made[KERNEL + ".steps"].astype("float32")
    save_file(made, folder / FILE)
    with pytest.raises(CheckpointFormatError, match="expected int8"):
        load_network(folder, own_weights=FILE)


def test_numbers_that_no_training_ends_with_are_refused(folder):
    shared = shared_of(folder)
    made = changes(shared, moved(shared, [KERNEL]))
    made[KERNEL + ".step"][0] = np.nan
    save_file(made, folder / FILE)
    with pytest.raises(CheckpointFormatError, match=KERNEL):
        load_network(folder, own_weights=FILE)


def test_a_missing_or_broken_file_is_said(folder):
    with pytest.raises(CheckpointFormatError, match=f"{FILE} is missing"):
        load_network(folder, own_weights=FILE)
    shared = shared_of(folder)
    save_file(changes(shared, moved(shared, [KERNEL])), folder / FILE)
    whole = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(whole[:-9])
    with pytest.raises(CheckpointFormatError, match="truncated"):
        load_network(folder, own_weights=FILE)


def test_the_reader_names_both_files(folder):
    shared = shared_of(folder)
    save_file(changes(shared, moved(shared, [KERNEL])), folder / FILE)
    with open_own(folder, FILE) as reader:
        assert reader.file_names == ("model.safetensors", FILE)
        assert set(reader.keys()) == set(shared)
        assert reader.dtype(KERNEL) == "float32"
        assert reader.shape(KERNEL) == shared[KERNEL].shape
    assert set(load_file(folder / FILE)) == {KERNEL + ".steps", KERNEL + ".step"}
