import numpy as np
import pytest

from model_core.decoding.history import History
from model_core.decoding.logits import (
    ForbiddenTokens,
    RepetitionPenalty,
    Temperature,
    TopK,
    TopP,
    apply,
)
from model_core.decoding.sampling import Sampler, choose, draw
from model_core.decoding.scoring import chosen_token, log_normalizers

LOGITS = np.random.default_rng(3).normal(size=8).astype("float32")
CRITICAL_7_DEGREES = 24.3  # chi-square, 99.9 %


def drawn(sampler, count, row=0, logits=LOGITS):
    numbers = np.array([sampler.next_number(row) for _ in range(count)])
    return draw(np.tile(logits, (count, 1)), numbers).tolist()


def test_draws_follow_the_distribution():
    draws = drawn(Sampler(seed=5, num_rows=1), 10_000)
    expected = np.exp(LOGITS) / np.exp(LOGITS).sum() * len(draws)
    observed = np.bincount(draws, minlength=8)
    assert ((observed - expected) ** 2 / expected).sum() < CRITICAL_7_DEGREES


def test_the_same_seed_draws_the_same_and_another_seed_does_not():
    one, again, other = (drawn(Sampler(seed, 1), 50) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_a_row_draws_the_same_however_many_rows_there_are():
    alone, beside = Sampler(4, num_rows=2), Sampler(4, num_rows=9)
    drawn(beside, 50)
    one = drawn(alone, 50, row=1)
    assert one == drawn(beside, 50, row=1)
    assert one != drawn(Sampler(4, 9), 50, row=2)


def test_a_forbidden_token_is_never_drawn():
    logits = np.where(np.arange(8) % 2, LOGITS, -np.inf).astype("float32")
    assert set(drawn(Sampler(0, 1), 500, logits=logits)) == {1, 3, 5, 7}


def test_a_token_without_a_choice_is_drawn_whatever_the_number():
    forced = np.full((3, 8), -np.inf, np.float32)
    forced[:, 6] = -30
    assert draw(forced, np.array([0.0, 0.5, 0.9999999])).tolist() == [6, 6, 6]


SHORT = (Temperature(0.7), TopK(5), TopP(0.8))
ENDINGS = [SHORT, SHORT[1:], SHORT[:2], (TopK(3),), (TopK(1),), (SHORT[0], SHORT[2])]


@pytest.mark.parametrize(
    "before", [(), (ForbiddenTokens((2, 9)), RepetitionPenalty(2))]
)
@pytest.mark.parametrize("ending", ENDINGS)
def test_choosing_is_applying_the_rules_and_drawing(before, ending):
    random = np.random.default_rng(2)
    logits = random.normal(0, 2, (300, 90)).astype("float32")
    logits[:100] = np.round(logits[:100])  # ties
    history = History.of_prompts([[row % 9 + 1, 3] for row in range(300)])
    numbers = random.random(300)
    rules = (*before, *ending)
    expected = draw(apply(rules, logits, history), numbers)
    assert choose(rules, logits, history, numbers).tolist() == expected.tolist()


def test_fewer_tokens_than_the_rule_keeps_are_enough():
    logits = np.full((2, 50), -np.inf, np.float32)
    logits[:, 7], logits[1, 3] = 1, 2
    history = History.of_prompts([[1], [1]])
    rules = (Temperature(0.5), TopK(20), TopP(0.9))
    assert choose(rules, logits, history, np.array([0.99, 0.0])).tolist() == [7, 3]


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must be >= 0, got -1"):
        Sampler(-1, 1)


def test_log_normalizers_survive_large_logits():
    logits = np.array([[1000, 1000], [-1000, -np.inf]], np.float32)
    np.testing.assert_allclose(
        log_normalizers(logits), [1000 + np.log(2), -1000], rtol=1e-12
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_logits_that_are_no_numbers_are_named(value):
    logits = np.zeros((3, 4), np.float32)
    logits[1, 2] = value
    with pytest.raises(FloatingPointError, match=r"rows \[1\]; run the model in float"):
        log_normalizers(logits)


def test_a_row_without_a_possible_token_is_named():
    logits = np.full((1, 4), -np.inf, np.float32)
    with pytest.raises(FloatingPointError, match=r"got \[-inf\] as the best of rows"):
        log_normalizers(logits)


def test_a_chosen_token_reports_the_models_best_tokens_first():
    logits = np.log(np.array([0.1, 0.6, 0.3], np.float32)) + 7
    token = chosen_token(logits, float(log_normalizers(logits[None])[0]), 0, 2)
    assert token.token_id == 0
    assert token.log_prob == pytest.approx(np.log(0.1), abs=1e-6)
    assert [token_id for token_id, _ in token.alternatives] == [1, 2]
    assert [p for _, p in token.alternatives] == pytest.approx([0.6, 0.3], abs=1e-6)
