import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_core.decoding.beam import BeamOptions, beam_search
from model_core.decoding.sparse import SparseStepper, keep_best
from tests.model_core.decoding.toy_stepper import ToyStepper


def drawn(seed, rows=3, size=12):
    values = np.random.default_rng(seed).integers(-9, 9, (rows, size))  # with ties
    return values.astype(np.float32)


def sparse_softmax(logits, k):
    """Softmax over the k best tokens of each row; of equals, the lower ids."""
    weights = np.exp(logits.astype(float) - logits.max(-1, keepdims=True))
    others = np.argsort(-logits, axis=-1, kind="stable")[:, k:]
    np.put_along_axis(weights, others, 0, axis=-1)
    return weights / weights.sum(-1, keepdims=True)


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_those_with_a_probability_are_kept_as_they_are(seed, k):
    logits = drawn(seed)
    expected = np.where(sparse_softmax(logits, k) > 0, logits, -np.inf)
    np.testing.assert_array_equal(keep_best(logits, k), expected)


def test_searching_a_sparse_network_reports_sparse_probabilities():
    plain = ToyStepper(9, seed=2)
    options = BeamOptions(6, num_beams=3, num_return=3, num_alternatives=5)
    *_, last = beam_search(SparseStepper(ToyStepper(9, seed=2), 2), [3, 1], options)
    for row in last.rows:
        seen, total = [3, 1], 0.0
        for token in row.tokens:
            (of_tokens,) = sparse_softmax(plain.logits_after(seen)[None], 2)
            assert token.log_prob == pytest.approx(
                np.log(of_tokens[token.token_id]), abs=1e-5
            )
            assert [p for _, p in token.alternatives] == pytest.approx(
                np.sort(of_tokens)[:-3:-1], abs=1e-5
            )
            total += token.log_prob
            seen.append(token.token_id)
        assert row.log_prob == pytest.approx(total)


def test_the_rest_is_forbidden_and_the_network_left_alone():
    logits = drawn(4)
    logits.flags.writeable = False
    kept = keep_best(logits, 4)
    assert np.isfinite(kept).sum(-1).tolist() == [4] * 3
    with pytest.raises(ValueError, match="top_k must be >= 1, got 0"):
        keep_best(logits, 0)
