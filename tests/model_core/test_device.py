"""On a machine with an accelerator the same numbers come from it."""

import numpy as np
import pytest

from model_core.engines.base import TokenBatch, causal_steps
from model_core.engines.keras_engine import KerasEngine
from tests.model_core.tiny import ROTARY, build_network, random_ids

pytestmark = pytest.mark.device


def test_the_engine_runs_on_the_accelerator_and_decodes_as_it_reads():
    engine = KerasEngine(build_network(ROTARY))
    assert engine.device != "cpu"
    ids, lengths = random_ids(2, 6), np.array([6, 6], "int32")
    ones = np.ones_like(ids)
    full = engine.read(TokenBatch(ids, ones, ones.astype(bool)), "causal")["logits"]
    logits, _ = causal_steps(engine).prefill(ids, lengths, 12)
    # matrix units round float32 inputs to tf32
    np.testing.assert_allclose(logits, full[:, -1], atol=5e-3)
