"""A condition shifts the norms of free writing, and of that request alone."""

import numpy as np
import pytest
from keras import ops

from model_core import masks
from model_core.interfaces import GenerationOptions, ModelError
from model_core.models.heads import vocabulary_logits
from model_core.roles.text_generator import NetworkTextGenerator
from tests.model_core.playing_checkpoint import load_playing

PROMPT = "这部电影"


@pytest.fixture(scope="module", name="generator")
def fixture_generator(tmp_path_factory):
    return NetworkTextGenerator(load_playing(tmp_path_factory.mktemp("writer")))


def last(generator, **changes):
    asked = {"max_new_tokens": 5, "min_new_tokens": 5, "seed": 1} | changes
    *_, frame = generator.complete(PROMPT, GenerationOptions(**asked))
    return frame


def log_probs_by_hand(generator, candidate, condition):
    """Log-probabilities of a candidate's tokens, read at once under a condition."""
    model = generator._model
    tokenizer = model.tokenizer
    opening = [tokenizer.cls_id, *tokenizer.encode(PROMPT).token_ids]
    written = [tokenizer.token_to_id(token.text) for token in candidate.tokens]
    ids = np.array([[*opening, *written]], "int32")
    network = model.engine.network
    hidden, _, _ = network.body(
        ids,
        masks.causal(ids.shape[1]),
        segment_ids=np.ones_like(ids),
        condition_ids=None if condition is None else np.array([condition], "int32"),
    )
    logits = ops.convert_to_numpy(vocabulary_logits(hidden, network.embeddings))[0]
    logits = logits.astype("float64")
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    places = np.arange(len(opening) - 1, ids.shape[1] - 1)
    return log_p[places, written]


def test_weights_say_which_conditions_they_know(generator):
    assert generator.conditions == ("正面", "负面")


@pytest.mark.parametrize(("condition", "index"), [("", None), ("正面", 0), ("负面", 1)])
@pytest.mark.parametrize("num_beams", [1, 3])
def test_tokens_have_their_probability_under_the_condition(
    generator, condition, index, num_beams
):
    frame = last(generator, condition=condition, num_beams=num_beams)
    (candidate,) = frame.candidates
    expected = log_probs_by_hand(generator, candidate, index)
    found = [token.log_prob for token in candidate.tokens]
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_condition_changes_what_is_written_and_no_later_request(generator):
    plain = last(generator)
    scores = {
        condition: last(generator, condition=condition).candidates[0].log_prob
        for condition in generator.conditions
    }
    assert len({round(score, 3) for score in scores.values()}) == 2
    assert last(generator).candidates == plain.candidates
    assert plain.candidates[0].log_prob not in scores.values()


def test_an_unknown_condition_is_refused_with_the_known_ones(generator):
    with pytest.raises(ModelError, match="“愤怒”，可选：正面、负面") as error:
        last(generator, condition="愤怒")
    assert error.value.kind == "unsupported"
    assert "they know: 正面、负面" in error.value.en


def test_weights_without_conditions_refuse_every_one(tmp_path):
    generator = NetworkTextGenerator(load_playing(tmp_path, parts=None))
    assert generator.conditions == ()
    with pytest.raises(ModelError, match=r"可选：\(无 / none\)"):
        last(generator, condition="正面")
