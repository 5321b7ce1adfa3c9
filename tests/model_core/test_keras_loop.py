"""The compiled loop writes what stepping writes, token by token."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from model_core.decoding.chunks import ChunkingStepper, Writer
from model_core.decoding.logits import TopK
from model_core.decoding.loop import SamplingOptions, generate
from model_core.decoding.plan import rules_for
from model_core.engines.backend import BACKENDS
from model_core.engines.base import PlainStepper, TokenBatch, Writing
from model_core.engines.keras_engine import KerasEngine
from model_core.engines.registry import build_engine
from model_core.interfaces import GenerationOptions
from model_core.roles.sampling import Sampling
from tests.model_core.tiny import CONFIGS, RICH, ROTARY, build_network, random_ids

PROMPTS = ([3, 1, 4, 1, 5], [9, 2], [6, 5, 3])
ASKED = GenerationOptions(
    min_new_tokens=2,
    no_repeat_ngram_size=3,
    temperature=0.9,
    top_k=20,
    top_p=0.9,
    repetition_penalty=1.1,
)
PAGE = rules_for(ASKED, (30,), (0, 1))
GREEDY = SamplingOptions(12, rules=(TopK(1),), num_alternatives=2)
DRAWN = SamplingOptions(12, frozenset({30, 7}), PAGE, seed=3, num_alternatives=2)


@pytest.fixture(name="engine", scope="module")
def fixture_engine():
    shallow = replace(ROTARY, num_hidden_layers=1)  # XLA compiles it sooner
    return KerasEngine(build_network(shallow), whole_loop=True)


def both_ways(stepper, prompts, options, longest=4):
    """The last frames by chunks and by steps."""
    plain = PlainStepper(stepper)
    stepper.itself.longest = longest
    *_, by_chunks = Writer(plain, stepper.itself).generate(prompts, options)
    *_, by_steps = generate(plain, prompts, options)
    return by_chunks, by_steps


def assert_alike(found, expected):
    for one, two in zip(found.rows, expected.rows, strict=True):
        assert (one.token_ids, one.finish) == (two.token_ids, two.finish)
        for mine, theirs in zip(one.tokens, two.tokens, strict=True):
            np.testing.assert_allclose(mine.log_prob, theirs.log_prob, atol=2e-5)
            assert [i for i, _ in mine.alternatives] == [
                i for i, _ in theirs.alternatives
            ]
            np.testing.assert_allclose(
                [share for _, share in mine.alternatives],
                [share for _, share in theirs.alternatives],
                atol=2e-5,
            )


@pytest.mark.slow
def test_greedy_and_drawn_texts_are_those_of_steps(engine):
    stepper = engine.stepper(Writing())
    assert isinstance(stepper, ChunkingStepper)
    assert_alike(*both_ways(stepper, PROMPTS, GREEDY))
    found, expected = both_ways(stepper, PROMPTS, DRAWN)
    assert_alike(found, expected)
    other = SamplingOptions(12, DRAWN.stop_token_ids, PAGE, seed=4, num_alternatives=2)
    again, expected = both_ways(stepper, PROMPTS, other)
    assert_alike(again, expected)
    assert again != found


@pytest.mark.slow
def test_a_rows_text_does_not_depend_on_the_rows_beside_it(engine):
    stepper = engine.stepper(Writing())
    together, _ = both_ways(stepper, PROMPTS, DRAWN)
    alone, _ = both_ways(stepper, PROMPTS[:1], DRAWN)
    assert_alike(type(alone)(alone.rows), type(together)(together.rows[:1]))


@pytest.mark.slow
def test_other_settings_compile_nothing(engine, monkeypatch):
    if not BACKENDS[keras.backend.backend()].has_loops:
        pytest.skip("this backend compiles no loop")
    stepper = engine.stepper(Writing())
    both_ways(stepper, PROMPTS, DRAWN)
    traced, step = [], stepper.itself._step
    monkeypatch.setattr(
        stepper.itself, "_step", lambda *given: traced.append(1) or step(*given)
    )
    asked = replace(
        ASKED,
        min_new_tokens=1,
        temperature=1.4,
        top_k=9,
        top_p=0.5,
        repetition_penalty=1.3,
    )
    rules = rules_for(asked, (5,), (0, 1, 2))
    other = SamplingOptions(11, frozenset({5}), rules, seed=4, num_alternatives=2)
    prompts = ([8, 8], [1, 9, 2, 3], [4], [3])
    assert_alike(*both_ways(stepper, prompts, other))
    assert not traced


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
def test_every_kind_of_network_steps_by_itself(name):
    engine = KerasEngine(build_network(CONFIGS[name]), whole_loop=True)
    for options in (GREEDY, DRAWN):
        assert_alike(*both_ways(engine.stepper(Writing()), PROMPTS, options))


@pytest.mark.slow
def test_a_condition_and_a_source_are_kept_through_the_loop():
    engine = KerasEngine(build_network(RICH), whole_loop=True)
    for writing in (Writing(condition=1), Writing("prefix_lm"), Writing(segment=0)):
        assert_alike(*both_ways(engine.stepper(writing), PROMPTS, DRAWN))


def test_sampling_takes_the_loop_where_there_is_one(engine, monkeypatch):
    asked = []
    stepper = engine.stepper(Writing())
    go_on = stepper.itself.go_on
    monkeypatch.setattr(
        stepper.itself, "go_on", lambda *a: asked.append(len(a[-1])) or go_on(*a)
    )
    stepper.itself.longest = 4
    *_, last = Sampling(engine).generate(PROMPTS, GREEDY)
    assert asked == [2, 4, 4, 1]
    *_, expected = generate(PlainStepper(stepper), PROMPTS, GREEDY)
    assert_alike(last, expected)


def test_without_an_accelerator_nothing_steps_by_itself_unless_told(monkeypatch):
    engine = build_engine("keras", build_network(ROTARY))
    assert engine.device != "cpu" or engine.stepper(Writing()).itself is None
    card = type(engine.backend)(
        *(lambda function, *_: function for _ in range(2)), lambda: "gpu:0"
    )
    monkeypatch.setattr("model_core.engines.keras_engine.active_backend", lambda: card)
    assert not build_engine("keras", build_network(ROTARY)).whole_loop


def test_half_precision_says_nearly_the_same_in_float32():
    whole, half = (
        KerasEngine(build_network(ROTARY, ("language_model", "span"), dtype))
        for dtype in ("float32", "bfloat16")
    )
    ids = random_ids(4, 12)
    batch = TokenBatch(ids, np.ones_like(ids), np.ones_like(ids, bool))
    expected, found = (engine.read(batch, "causal") for engine in (whole, half))
    for name, values in expected.items():
        assert found[name].dtype == np.float32
        spread = values.std()
        assert np.abs(found[name] - values).max() < 0.15 * spread, name


@pytest.mark.slow
def test_half_precision_steps_by_itself_too():
    engine = KerasEngine(build_network(ROTARY, dtype="bfloat16"), whole_loop=True)
    found, expected = both_ways(engine.stepper(Writing()), PROMPTS, GREEDY)
    same = [
        one.token_ids == two.token_ids
        for one, two in zip(found.rows, expected.rows, strict=True)
    ]
    assert sum(same) >= 2  # two programs round differently where halves are added
