import numpy as np
import pytest

from model_core.decoding.sampling import Sampler
from model_core.decoding.scoring import chosen_token, log_normalizers

LOGITS = np.random.default_rng(3).normal(size=8).astype("float32")
CRITICAL_7_DEGREES = 24.3  # chi-square, 99.9 %


def test_draws_follow_the_distribution():
    sampler = Sampler(seed=5, num_rows=1)
    draws = [sampler.choose(0, LOGITS) for _ in range(10_000)]
    expected = np.exp(LOGITS) / np.exp(LOGITS).sum() * len(draws)
    observed = np.bincount(draws, minlength=8)
    assert ((observed - expected) ** 2 / expected).sum() < CRITICAL_7_DEGREES


def test_the_same_seed_draws_the_same_and_another_seed_does_not():
    def drawn(seed):
        sampler = Sampler(seed, num_rows=1)
        return [sampler.choose(0, LOGITS) for _ in range(50)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_row_draws_the_same_however_many_rows_there_are():
    alone, beside = Sampler(4, num_rows=2), Sampler(4, num_rows=9)
    for _ in range(50):
        beside.choose(0, LOGITS)
    one = [alone.choose(1, LOGITS) for _ in range(50)]
    assert one == [beside.choose(1, LOGITS) for _ in range(50)]
    assert one != [Sampler(4, 9).choose(2, LOGITS) for _ in range(50)]


def test_every_token_takes_exactly_one_number_even_without_a_choice():
    forced = np.full(8, -np.inf, np.float32)
    forced[6] = -30
    one, other = Sampler(0, 1), Sampler(0, 1)
    assert one.choose(0, forced) == 6
    other.choose(0, LOGITS)
    assert [one.choose(0, LOGITS) for _ in range(20)] == [
        other.choose(0, LOGITS) for _ in range(20)
    ]


def test_a_forbidden_token_is_never_drawn():
    logits = np.where(np.arange(8) % 2, LOGITS, -np.inf).astype("float32")
    sampler = Sampler(0, 1)
    assert {sampler.choose(0, logits) for _ in range(500)} == {1, 3, 5, 7}


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
