"""Matrices in a byte a number: what comes back, what the file has, what is refused."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.load import load_network
from model_core.checkpoints.reader import open_checkpoint
from model_core.checkpoints.safetensors_file import open_safetensors
from model_core.checkpoints.steps import in_steps, out_of_steps, with_steps
from model_core.engines.base import TokenBatch
from model_core.engines.native.panels import quantised
from model_core.models.network import arrays_by_name
from model_core.roles.loaded import load_model
from recipes.rounding import round_weights
from tests.model_core.playing_checkpoint import write_playing

KERNEL = "block_0/attention/query/kernel"
EMBEDDING = "token_embedding/embeddings"


def drawn(shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, shape).astype("float32")


def back(made, name="m"):
    return out_of_steps(made[name + ".steps"], made[name + ".step"])


def written(path, **arrays):
    save_file({name.replace("__", "."): a for name, a in arrays.items()}, path)
    return path


@pytest.mark.parametrize("shape", [(6, 5), (5, 6), (4, 1), (1, 4), (3, 4, 5)])
@pytest.mark.parametrize("name", ["m", "m/embeddings"])
def test_numbers_come_back_within_half_a_step(name, shape):
    matrix = drawn(shape)
    made = in_steps(name, matrix)
    assert made[name + ".steps"].dtype == np.int8
    assert made[name + ".steps"].shape == shape
    off = np.abs(back(made, name) - matrix)
    assert (off <= made[name + ".step"] * 0.5001).all()


def test_a_kernel_has_a_length_for_each_output_and_a_table_for_each_row():
    assert in_steps("m/kernel", drawn((7, 9)))["m/kernel.step"].shape == (9,)
    made = in_steps("m/embeddings", drawn((7, 9)))
    assert made["m/embeddings.step"].shape == (7, 1)


def test_zeros_stay_zeros():
    np.testing.assert_array_equal(back(in_steps("m", np.zeros((3, 4), "float32"))), 0)


def test_what_was_rounded_is_rounded_no_further_by_the_kernels():
    once = in_steps("m", drawn((40, 24)) * np.geomspace(0.1, 1, 24).astype("float32"))
    assert once["m.step"].shape == (24,)
    numbers, scales = quantised(back(once))
    np.testing.assert_array_equal(numbers, once["m.steps"])
    np.testing.assert_allclose(scales, once["m.step"], rtol=1e-6)


def test_a_checkpoint_in_steps_has_one_byte_a_number(tmp_path):
    folder = write_playing(tmp_path / "tiny")
    before = arrays_by_name(load_network(folder).network)
    round_weights(folder)
    stored = load_file(folder / "model.safetensors")
    assert KERNEL not in stored
    assert stored[KERNEL + ".steps"].dtype == np.int8
    assert stored[EMBEDDING].dtype == np.float16
    matrices = [
        array.size
        for name, array in before.items()
        if array.ndim > 1 and not name.endswith("embeddings")
    ]
    steps = [array.nbytes for name, array in stored.items() if name.endswith(".steps")]
    assert sum(steps) == sum(matrices)
    after = arrays_by_name(load_network(folder).network)
    assert before.keys() == after.keys()
    for name, array in before.items():
        is_kernel = array.ndim > 1 and not name.endswith("embeddings")
        step = np.abs(array).max() / 127 if is_kernel else 0
        np.testing.assert_allclose(after[name], array, rtol=1e-3, atol=step / 2 + 1e-6)
    assert np.abs(after[KERNEL] - before[KERNEL]).max() > 0


def test_kernels_in_steps_are_to_the_int8_engine_what_they_were(tmp_path):
    folder = write_playing(tmp_path / "tiny", spread=0.3)
    batch = TokenBatch.from_rows([[1, 5, 9, 12], [3, 7, 2]])
    logits = []
    for _ in range(2):
        engine = load_model(folder, name="tiny", engine="native-int8").engine
        logits.append(engine.read(batch, "causal", ("language_model",))["logits"])
        round_weights(folder)
    np.testing.assert_allclose(*logits, atol=1e-2)
    assert np.abs(logits[0]).max() > 1


def test_rounding_twice_changes_nothing(tmp_path):
    folder = write_playing(tmp_path / "tiny")
    round_weights(folder)
    once = arrays_by_name(load_network(folder).network)
    round_weights(folder)
    for name, array in arrays_by_name(load_network(folder).network).items():
        np.testing.assert_allclose(array, once[name], rtol=1e-6)


def test_the_reader_tells_matrices_not_steps(tmp_path):
    folder = write_playing(tmp_path / "tiny")
    with open_checkpoint(folder) as reader:
        known = {n: reader.shape(n) for n in reader.keys()}  # noqa: SIM118
    round_weights(folder)
    with open_checkpoint(folder) as reader:
        assert {n: reader.shape(n) for n in reader.keys()} == known  # noqa: SIM118
        assert reader.dtype(KERNEL) == "float32"
        assert reader.dtype(EMBEDDING) == "float16"
        assert reader.dtype("final_norm/gamma") == "float16"


def test_a_file_without_steps_is_left_as_it_is(tmp_path):
    file = open_safetensors(written(tmp_path / "a", m__step=np.ones(3, "float32")))
    assert with_steps(file) is file


def test_a_length_of_nothing_stays_a_tensor_of_its_own(tmp_path):
    made = in_steps("m", drawn((3, 4)))
    path = tmp_path / "a"
    save_file({**made, "other.step": np.ones(2, "float32")}, path)
    assert set(with_steps(open_safetensors(path)).keys()) == {"m", "other.step"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"m.step": None}, "m: expected int8 steps and a length"),
        ({"m.step": np.ones(2, "float32")}, r"received int8 \(3, 4\) and \(2,\)"),
        ({"m.step": np.ones((1, 3), "float32")}, r"and \(1, 3\)"),
        ({"m.steps": np.ones((3, 4), "float32")}, r"received float32 \(3, 4\)"),
        ({"m.steps": np.ones(4, "int8")}, r"received int8 \(4,\)"),
        ({"m": np.ones((3, 4), "float32")}, "received both for"),
    ],
)
def test_what_is_no_matrix_in_steps_is_refused(tmp_path, change, said):
    made = in_steps("m", drawn((3, 4))) | change
    path = tmp_path / "a.safetensors"
    save_file({name: array for name, array in made.items() if array is not None}, path)
    with pytest.raises(CheckpointFormatError, match=said):
        with_steps(open_safetensors(path))


def test_a_length_that_is_no_number_is_refused_by_name(tmp_path):
    folder = write_playing(tmp_path / "tiny")
    round_weights(folder)
    stored = load_file(folder / "model.safetensors")
    stored[KERNEL + ".step"][:] = np.nan
    save_file(stored, folder / "model.safetensors")
    with pytest.raises(CheckpointFormatError, match=KERNEL):
        load_network(folder)
