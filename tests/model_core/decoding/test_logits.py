import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_core.decoding.history import History
from model_core.decoding.logits import (
    AllowedFirst,
    ForbiddenTokens,
    MinNewTokens,
    NoRepeatNgram,
    RepetitionPenalty,
    Temperature,
    TopK,
    TopP,
    apply,
    best_first,
)

LOGITS = np.random.default_rng(0).normal(size=(3, 11)).astype("float32")
HISTORY = History.of_prompts([[0], [1, 2], [3, 4, 5]])


def kept(logits):
    return [np.flatnonzero(np.isfinite(row)).tolist() for row in logits]


def grown(prompt, *new_tokens):
    history = History.of_prompts([prompt])
    for token in new_tokens:
        history = history.append(np.array([token], np.int32), np.array([True]))
    return history


def row_of(values):
    return np.array([values], np.float32)


def probabilities(logits):
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


@pytest.mark.parametrize(
    "rule",
    [Temperature(1.0), TopP(1.0), TopK(11), TopK(500), RepetitionPenalty(1.0)],
)
def test_a_rule_that_is_off_changes_nothing(rule):
    np.testing.assert_array_equal(rule(LOGITS, HISTORY), LOGITS)


@pytest.mark.parametrize(
    "rule",
    [
        Temperature(0.5),
        TopK(3),
        TopP(0.5),
        RepetitionPenalty(2.0),
        NoRepeatNgram(1),
        MinNewTokens(2, (3,)),
        ForbiddenTokens((0, 1)),
        AllowedFirst((2,)),
    ],
)
def test_a_rule_never_writes_to_what_it_got(rule):
    logits = LOGITS.copy()
    logits.flags.writeable = False
    result = rule(logits, HISTORY)
    np.testing.assert_array_equal(logits, LOGITS)
    assert result.shape == logits.shape
    assert result.dtype == np.float32
    assert not np.array_equal(result, logits)


def test_temperature_divides():
    np.testing.assert_allclose(Temperature(0.5)(LOGITS, HISTORY), LOGITS * 2)


def test_the_coldest_temperature_stays_finite():
    assert np.isfinite(Temperature(1e-40)(LOGITS * 1e4, HISTORY)).all()


def test_top_1_is_greedy_also_among_equals():
    logits = np.array([[1, 3, 3, 3], [5, 5, 0, 5]], np.float32)
    assert kept(TopK(1)(logits, HISTORY)) == [[1], [0]]
    assert kept(TopK(1)(LOGITS, HISTORY)) == [[i] for i in LOGITS.argmax(-1)]


@given(st.lists(st.integers(0, 5), min_size=3, max_size=40), st.integers(1, 45))
def test_top_k_keeps_exactly_the_k_best(values, k):
    logits = row_of(values)
    ranked = sorted(range(len(values)), key=lambda i: (-values[i], i))
    assert kept(TopK(k)(logits, HISTORY)) == [sorted(ranked[:k])]


def test_top_p_keeps_the_smallest_set_that_reaches_p():
    logits = np.log(row_of([0.1, 0.5, 0.15, 0.25]))
    assert kept(TopP(0.45)(logits, HISTORY)) == [[1]]
    assert kept(TopP(0.55)(logits, HISTORY)) == [[1, 3]]
    assert kept(TopP(0.8)(logits, HISTORY)) == [[1, 2, 3]]
    assert kept(TopP(0.95)(logits, HISTORY)) == [[0, 1, 2, 3]]


@pytest.mark.parametrize("scale", [0.01, 1.0, 4.0])
@pytest.mark.parametrize("top_p", [0.05, 0.5, 0.9, 0.999])
def test_top_p_is_exact_whether_the_distribution_is_flat_or_peaked(scale, top_p):
    draw = np.random.default_rng(1).normal(scale=scale, size=(2, 5000))
    logits = draw.astype("float32")
    for row, filtered in zip(logits, TopP(top_p)(logits, HISTORY), strict=True):
        ranked = np.sort(probabilities(row.astype("float64")))[::-1]
        expected = int(np.searchsorted(ranked.cumsum(), top_p)) + 1
        keeps = np.isfinite(filtered)
        assert abs(int(keeps.sum()) - expected) <= 1  # float32 against float64
        assert row[keeps].min() > row[~keeps].max()


def test_top_p_looks_only_at_what_top_k_left():
    logits = np.log(row_of([0.4, 0.3, 0.2, 0.1]))
    filtered = apply((TopK(2), TopP(0.55)), logits, HISTORY)
    assert kept(filtered) == [[0]]  # 0.4 / (0.4 + 0.3) = 0.571
    assert kept(TopP(0.55)(logits, HISTORY)) == [[0, 1]]


def test_repetition_penalty_divides_positive_and_multiplies_negative_logits():
    logits = row_of([2.0, -1.0, 0.5, -4.0, 3.0])
    history = grown([0, 0, 1], 4)  # prompt and generated count alike
    penalised = RepetitionPenalty(2.0)(logits, history)
    assert penalised.tolist() == [[1.0, -2.0, 0.5, -4.0, 1.5]]


def test_repetition_penalty_spares_exempt_tokens_and_other_rows_tokens():
    logits = np.ones((2, 5), np.float32)
    history = History.of_prompts([[0, 1, 2], [4]])
    penalised = RepetitionPenalty(2.0, exempt_token_ids=(1,))(logits, history)
    assert penalised.tolist() == [[0.5, 1, 0.5, 1, 1], [1, 1, 1, 1, 0.5]]


@pytest.mark.parametrize(
    ("size", "forbidden"),
    [(1, [1, 2, 3]), (2, [2, 3]), (3, [3]), (4, []), (9, [])],
)
def test_no_repeat_ngram_forbids_what_followed_before(size, forbidden):
    history = grown([2, 1, 3, 1], 2, 1)  # 2 1 -> 3; 1 -> 3, 2
    allowed = kept(NoRepeatNgram(size)(np.zeros((1, 5), np.float32), history))
    assert allowed == [[i for i in range(5) if i not in forbidden]]


def test_no_repeat_ngram_lets_exempt_tokens_follow():
    rule = NoRepeatNgram(1, exempt_token_ids=(3,))
    logits = np.zeros((1, 5), np.float32)
    assert kept(rule(logits, grown([1, 3]))) == [[0, 2, 3, 4]]


@given(
    prompt=st.lists(st.integers(0, 3), min_size=1, max_size=9),
    new=st.lists(st.integers(0, 3), max_size=9),
    size=st.integers(1, 4),
)
def test_what_stands_in_the_prompt_may_come_again_and_nothing_else(prompt, new, size):
    rule = NoRepeatNgram(size, new_tokens_only=True, spares_prompt=True)
    (allowed,) = kept(rule(np.zeros((1, 4), np.float32), grown(prompt, *new)))

    def ngrams(tokens):
        return {tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1)}

    written, spared = ngrams(new), ngrams(prompt)
    expected = []
    for token in range(4):
        latest = tuple([*new, token][-size:])
        loops = len(new) + 1 >= size and latest in written and latest not in spared
        expected += [] if loops else [token]
    assert allowed == expected


def test_rows_of_different_length_see_only_their_own_tokens():
    logits = np.zeros((2, 4), np.float32)
    history = History.of_prompts([[1], [1, 2, 1]])
    assert kept(NoRepeatNgram(2)(logits, history)) == [[0, 1, 2, 3], [0, 1, 3]]


def test_min_new_tokens_counts_generated_tokens_only():
    rule = MinNewTokens(2, stop_token_ids=(0, 3))
    logits = np.zeros((1, 4), np.float32)
    assert kept(rule(logits, grown([1, 1, 1]))) == [[1, 2]]
    assert kept(rule(logits, grown([1, 1, 1], 1))) == [[1, 2]]
    assert kept(rule(logits, grown([1, 1, 1], 1, 1))) == [[0, 1, 2, 3]]


def test_allowed_first_constrains_the_first_token_only():
    rule = AllowedFirst((1, 2))
    logits = np.zeros((1, 4), np.float32)
    assert kept(rule(logits, grown([0]))) == [[1, 2]]
    assert kept(rule(logits, grown([0], 1))) == [[0, 1, 2, 3]]


def test_where_a_rule_forbids_everything_the_best_token_that_reached_it_survives():
    logits = np.array([[1, 4, 3], [1, 4, 3]], np.float32)
    history = History.of_prompts([[0, 1, 2], [0]])
    filtered = apply((ForbiddenTokens((1,)), NoRepeatNgram(1)), logits, history)
    assert kept(filtered) == [[2], [2]]  # never the forbidden 1
    assert filtered[0, 2] == 3


def test_rules_apply_in_order():
    logits = np.log(row_of([0.5, 0.3, 0.2]))
    cold = apply((Temperature(0.1), TopP(0.9)), logits, HISTORY)
    warm = apply((TopP(0.9), Temperature(0.1)), logits, HISTORY)
    assert kept(cold) == [[0]]
    assert kept(warm) == [[0, 1, 2]]


def test_best_first_breaks_ties_by_index_and_never_returns_a_forbidden_token():
    values = np.array([1, 5, -np.inf, 5, 2], np.float32)
    assert best_first(values, 3).tolist() == [1, 3, 4]
    assert best_first(values, 99).tolist() == [1, 3, 4, 0]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Temperature(0), "temperature must be > 0, got 0"),
        (lambda: Temperature(-0.5), "temperature must be > 0, got -0.5"),
        (lambda: Temperature(float("nan")), "temperature must be > 0, got nan"),
        (lambda: TopK(0), "top_k must be >= 1, got 0"),
        (lambda: TopP(0), "top_p must be > 0 and <= 1, got 0"),
        (lambda: TopP(1.5), "top_p must be > 0 and <= 1, got 1.5"),
        (lambda: RepetitionPenalty(0.9), "repetition_penalty must be >= 1, got 0.9"),
        (lambda: NoRepeatNgram(0), "no_repeat_ngram_size must be >= 1, got 0"),
        (lambda: MinNewTokens(-1, ()), "min_new_tokens must be >= 0, got -1"),
        (lambda: AllowedFirst(()), "at least one allowed token, got none"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_the_prompt_may_be_repeated_where_only_new_tokens_count():
    rule = NoRepeatNgram(2, new_tokens_only=True)
    logits = np.zeros((1, 6), np.float32)
    assert kept(rule(logits, grown([1, 2, 3], 1))) == [[0, 1, 2, 3, 4, 5]]
    assert kept(rule(logits, grown([1, 2, 3], 1, 2, 1))) == [[0, 1, 3, 4, 5]]
    assert kept(NoRepeatNgram(2)(logits, grown([1, 2, 3], 1))) == [[0, 1, 3, 4, 5]]
