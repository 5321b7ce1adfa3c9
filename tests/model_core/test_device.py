"""On a machine with an accelerator the same laws hold, and the same numbers come.

Run with ``KERAS_BACKEND=jax pytest -m device tests/model_core/test_device.py``.
"""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from model_core.decoding.chunks import Writer
from model_core.decoding.logits import TopK
from model_core.decoding.loop import SamplingOptions, generate
from model_core.engines.automatic import playing_dtype
from model_core.engines.base import PlainStepper, TokenBatch, Writing, causal_steps
from model_core.engines.keras_engine import KerasEngine
from tests.model_core.tiny import ROTARY, build_network, random_ids

pytestmark = pytest.mark.device

HERE = Path(__file__).parent
LAWS = (
    "test_masks.py",
    "test_network.py",
    "test_marks_and_conditions.py",
    "models/test_heads.py",
    "test_engines.py",
    "test_keras_rules.py",
    "test_keras_loop.py",
    "test_parity.py",
)
EXACT = {
    "JAX_DEFAULT_MATMUL_PRECISION": "highest",
    "NVIDIA_TF32_OVERRIDE": "0",
    "MASKPLAY_INSTRUCTIONS": "none",
}
"""Matrix units round float32 to tf32 unless they are told not to."""
OPTIONS = ("-q", "-n", "0", "-p", "no:cacheprovider", "-k", "not native")


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.timeout(900)
def test_the_laws_hold_on_the_accelerator(name):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, str(HERE / name)],
        env=os.environ | EXACT | {"KERAS_BACKEND": keras.backend.backend()},
        capture_output=True,
        text=True,
        cwd=HERE.parents[1],
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def test_the_engine_runs_on_the_accelerator_and_decodes_as_it_reads():
    engine = KerasEngine(build_network(ROTARY))
    assert engine.device != "cpu"
    ids, lengths = random_ids(2, 6), np.array([6, 6], "int32")
    ones = np.ones_like(ids)
    full = engine.read(TokenBatch(ids, ones, ones.astype(bool)), "causal")["logits"]
    logits, _ = causal_steps(engine).prefill(ids, lengths, 12)
    # matrix units round float32 inputs to tf32
    np.testing.assert_allclose(logits, full[:, -1], atol=5e-3)


def test_half_precision_and_the_whole_loop_are_what_it_plays_with():
    assert playing_dtype("auto", "auto") == "bfloat16"
    engine = KerasEngine(build_network(ROTARY, dtype="bfloat16"))
    stepper = engine.stepper(Writing())
    plain, options = PlainStepper(stepper), SamplingOptions(12, rules=(TopK(1),))
    prompts = random_ids(8, 5).tolist()
    *_, found = Writer(plain, stepper.itself).generate(prompts, options)
    *_, expected = generate(plain, prompts, options)
    pairs = zip(found.rows, expected.rows, strict=True)
    assert sum(one.token_ids == two.token_ids for one, two in pairs) >= 6
