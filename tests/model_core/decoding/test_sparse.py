import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_core.decoding.beam import BeamOptions, beam_search
from model_core.decoding.sparse import SparseStepper, keep_best, sparse_softmax
from tests.model_core.decoding.toy_stepper import ToyStepper


def drawn(seed, rows=3, size=12):
    values = np.random.default_rng(seed).integers(-9, 9, (rows, size))  # with ties
    return values.astype(np.float32)


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_it_keeps_exactly_k_and_sums_to_one(seed, k):
    logits = drawn(seed)
    probabilities = sparse_softmax(logits, k)
    assert np.count_nonzero(probabilities, axis=-1).tolist() == [k] * 3
    assert probabilities.sum(-1) == pytest.approx([1] * 3)
    for row, of_row in zip(logits, probabilities, strict=True):
        assert row[of_row > 0].min() >= row[of_row == 0].max(initial=-np.inf)


@given(st.integers(0, 10_000))
def test_all_tokens_make_it_the_plain_softmax(seed):
    logits = drawn(seed)
    plain = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(sparse_softmax(logits, 12), plain, rtol=1e-5)


def test_one_token_has_all_the_probability():
    logits = drawn(1)
    assert sparse_softmax(logits, 1).argmax(-1).tolist() == logits.argmax(-1).tolist()


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
