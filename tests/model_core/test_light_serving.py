"""Where kernels run the network TensorFlow is never needed, and nothing is different.

Another process serves as a person's own would: no test has told it a backend.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.model_core.light_serving import ASKED, numbers

pytestmark = pytest.mark.kernels


@pytest.fixture(scope="module", name="served")
def fixture_served(tmp_path_factory):
    """What the other process says, and its numbers."""
    path = tmp_path_factory.mktemp("served") / "numbers.npz"
    unset = ("KERAS_BACKEND", "MASKPLAY_INSTRUCTIONS")
    environment = {k: v for k, v in os.environ.items() if k not in unset}
    done = subprocess.run(
        [sys.executable, "-m", "tests.model_core.light_serving", str(path)],
        env=environment | {"CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(path) as arrays:
        return json.loads(done.stdout.splitlines()[-1]), dict(arrays)


def test_no_framework_is_in_a_process_that_serves_every_task(served):
    told, _ = served
    assert told["frameworks"] == []
    assert told["backend"] == "numpy"
    assert told["engine"] == "native-int8"


def test_a_part_s_own_weights_take_memory_for_what_is_its_own_alone(served):
    borrowed = served[0]["borrowed"]
    assert "block_0/attention_norm/gamma_kernel" in borrowed
    assert "block_0/attention/query/kernel" not in borrowed


@pytest.mark.parametrize("task", ASKED)
def test_every_task_is_answered(served, task):
    status, text = served[0]["answers"][task]
    assert status == 0, text
    assert json.loads(text)


@pytest.mark.slow
def test_the_network_says_the_same_on_both_backends(served):
    assert keras.backend.backend() != "numpy"
    expected, received = numbers(), served[1]
    assert received.keys() == expected.keys()
    for name, values in expected.items():
        if values.dtype == np.int32:
            np.testing.assert_array_equal(received[name], values, err_msg=name)
        else:
            np.testing.assert_allclose(
                received[name], values, rtol=1e-4, atol=1e-4, err_msg=name
            )
