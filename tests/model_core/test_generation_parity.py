"""Greedy generation equals transformers' own, token by token, for a whole batch."""

import numpy as np
import pytest

from model_core.checkpoints.load import load_network
from model_core.decoding.beam import BeamOptions, beam_search
from model_core.decoding.logits import TopK
from model_core.decoding.loop import SamplingOptions, generate
from model_core.engines.base import causal_steps
from model_core.engines.registry import build_engine

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.model_core.exact_engines import EXACT
from tests.model_core.reference_models import VOCAB, gpt2, save_safetensors

NEW_TOKENS = 64
PROMPTS = [[3, 14, 15, 9, 26], [5, 35], [8, 9, 7, 9]]


@pytest.fixture(scope="module", name="reference")
def fixture_reference():
    # Larger weights than usual keep the runner-up far enough for float32.
    model = gpt2(n_positions=80)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)
    return model


@pytest.fixture(scope="module", params=EXACT, name="engine")
def fixture_engine(request, reference, tmp_path_factory):
    folder = tmp_path_factory.mktemp("greedy")
    save_safetensors(reference, folder)
    loaded = load_network(folder, heads=("language_model",))
    return build_engine(request.param, loaded.network)


def reference_tokens(reference, prompt):
    with torch.no_grad():
        ids = reference.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
        )
    return ids[0, len(prompt) :].tolist()


def test_64_greedy_tokens_are_identical_in_a_padded_batch(engine, reference):
    options = SamplingOptions(max_new_tokens=NEW_TOKENS, rules=(TopK(1),))
    *_, frame = generate(causal_steps(engine), PROMPTS, options)
    expected = [reference_tokens(reference, prompt) for prompt in PROMPTS]
    assert [list(row.token_ids) for row in frame.rows] == expected
    assert len({tuple(tokens) for tokens in expected}) == len(PROMPTS)
    assert max(len(set(tokens)) for tokens in expected) > VOCAB // 10


def test_one_beam_is_greedy(engine, reference):
    options = BeamOptions(max_new_tokens=16, num_beams=1)
    *_, frame = beam_search(causal_steps(engine), PROMPTS[0], options)
    expected = reference_tokens(reference, PROMPTS[0])[:16]
    assert list(frame.rows[0].token_ids) == expected


def test_log_probabilities_are_the_models_own(engine, reference):
    options = SamplingOptions(max_new_tokens=12, rules=(TopK(1),))
    *_, frame = generate(causal_steps(engine), PROMPTS[:1], options)
    ids = [*PROMPTS[0], *frame.rows[0].token_ids]
    with torch.no_grad():
        scores = torch.log_softmax(reference(torch.tensor([ids])).logits[0], -1)
    places = range(len(PROMPTS[0]), len(ids))
    expected = [float(scores[place - 1, ids[place]]) for place in places]
    got = [token.log_prob for token in frame.rows[0].tokens]
    np.testing.assert_allclose(got, expected, atol=1e-4)
