"""Rules on the device choose what rules on the host choose."""

import numpy as np
import pytest
from keras import ops

from model_core.decoding.healing import Spelling
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
)
from model_core.decoding.plan import rules_for
from model_core.decoding.sampling import choose as host_choice
from model_core.engines.keras_rules import COUNTERPARTS, Past, choose, plan_of
from model_core.interfaces import GenerationOptions

VOCABULARY, ROWS = 300, 16
ASKED = GenerationOptions(
    min_new_tokens=3, temperature=0.8, top_k=50, top_p=0.9, repetition_penalty=1.1
)
PAGE = rules_for(ASKED, (3,), (0, 1, 2))
RULES = {
    "nothing": (),
    "greedy": (TopK(1),),
    "cold": (Temperature(1e-9),),
    "warm": (Temperature(1.7),),
    "k": (TopK(5),),
    "more than there are": (TopK(VOCABULARY + 5), TopP(0.9)),
    "wide k": (Temperature(0.7), TopK(100)),
    "nucleus": (TopP(0.6),),
    "warm nucleus": (Temperature(1.3), TopP(0.9)),
    "k and nucleus": (TopK(40), TopP(0.5)),
    "forbidden": (ForbiddenTokens(tuple(range(0, VOCABULARY, 2))), TopP(0.8)),
    "everything forbidden": (ForbiddenTokens(tuple(range(VOCABULARY))),),
    "held back": (MinNewTokens(4, tuple(range(0, VOCABULARY, 3))), TopK(3)),
    "first": (AllowedFirst((7, 8, 9)), TopK(2)),
    "penalty": (RepetitionPenalty(1.8, (4, 5)), TopK(4)),
    "bigrams": (NoRepeatNgram(2), TopK(1)),
    "unigrams": (NoRepeatNgram(1, (6,)), TopK(3)),
    "long": (NoRepeatNgram(50), TopK(1)),
    "own trigrams": (NoRepeatNgram(3, new_tokens_only=True), TopK(2)),
    "not the prompt's": (NoRepeatNgram(2, spares_prompt=True), TopK(1)),
    "own but the prompt's": (
        NoRepeatNgram(1, new_tokens_only=True, spares_prompt=True),
        TopK(1),
    ),
    "page": PAGE,
    "page without repeats": (*PAGE[:-3], NoRepeatNgram(2, (3,)), *PAGE[-3:]),
}


def some_pasts(rng):
    """Rows of few different tokens, so that n-grams come again."""
    prompts = [rng.integers(0, 9, rng.integers(1, 12)).tolist() for _ in range(ROWS)]
    history = History.of_prompts(prompts)
    for _ in range(8):
        grows = rng.random(ROWS) < 0.7
        history = history.append(rng.integers(0, 9, ROWS).astype("int32"), grows)
    return history


def on_device(rules, logits, history, uniforms):
    plan = plan_of(rules, VOCABULARY)
    numbers = [tuple(map(ops.convert_to_tensor, own)) for own in plan.numbers]
    wider = np.pad(history.token_ids, ((0, 0), (0, 5)), constant_values=-1)
    past = (wider, history.lengths, history.prompt_lengths)
    chosen = choose(
        plan.key,
        numbers,
        ops.convert_to_tensor(logits),
        Past(*map(ops.convert_to_tensor, past)),
        ops.convert_to_tensor(uniforms.astype("float32")),
    )
    return ops.convert_to_numpy(chosen)


@pytest.mark.parametrize("name", RULES)
def test_a_counterpart_chooses_what_its_rule_chooses(name):
    rng = np.random.default_rng(sum(map(ord, name)))
    for scale in (1.0, 4.0):
        history = some_pasts(rng)
        logits = rng.normal(0, scale, (ROWS, VOCABULARY)).astype("float32")
        logits[:, :9] += 2.0  # what is there already is likely to come again
        uniforms = rng.random(ROWS)
        found = on_device(RULES[name], logits, history, uniforms)
        assert found.dtype == np.int32
        expected = host_choice(RULES[name], logits, history, uniforms)
        np.testing.assert_array_equal(found, expected)


def test_of_equals_the_lower_tokens_are_kept():
    logits = np.zeros((ROWS, VOCABULARY), "float32")
    history, uniforms = some_pasts(np.random.default_rng(0)), np.linspace(0, 1, ROWS)
    for rules in ((TopK(1),), (TopK(7),), (TopK(9), TopP(0.5)), (TopP(0.01),)):
        np.testing.assert_array_equal(
            on_device(rules, logits, history, uniforms),
            host_choice(rules, logits, history, uniforms),
        )


def test_the_largest_number_still_finds_a_token():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (ROWS, VOCABULARY)).astype("float32")
    logits[:, VOCABULARY // 2 :] = -np.inf
    for rules in ((), (TopK(20), TopP(0.9)), (TopP(0.7),)):
        found = on_device(rules, logits, some_pasts(rng), np.full(ROWS, 1 - 1e-12))
        assert (np.take_along_axis(logits, found[:, None], 1) > -np.inf).all()


@pytest.mark.parametrize(
    "rules",
    [
        (Spelling(None, "x", {}), TopK(1)),
        (TopK(5), ForbiddenTokens((1,))),
        (TopP(0.5), TopK(5)),
        (TopP(0.5), Temperature(2.0)),
        (lambda logits, history: logits,),
    ],
)
def test_what_has_no_counterpart_is_left_to_the_host(rules):
    assert plan_of(rules, VOCABULARY) is None


def test_requests_that_differ_in_numbers_share_a_graph():
    def key(*rules):
        return plan_of(rules, VOCABULARY).key

    assert key(Temperature(0.5), TopK(50), TopP(0.9)) == key(
        Temperature(1.5), TopK(3), TopP(0.1)
    )
    assert key(RepetitionPenalty(1.1, (1,))) == key(RepetitionPenalty(1.9, (1, 2)))
    assert key(TopK(1)) != key(TopK(2)) == key(TopK(64)) != key(TopK(65))
    assert key(NoRepeatNgram(2)) != key(NoRepeatNgram(3))
    off = (Temperature(1.0), RepetitionPenalty(1.0), TopK(VOCABULARY), TopP(1.0))
    assert key(*off) == ()


def test_every_counterpart_is_tried_here():
    tried = {type(rule) for rules in RULES.values() for rule in rules}
    assert tried == COUNTERPARTS.keys()
