"""Steps after a source: its marks, its prior, what no target holds."""

import numpy as np
import pytest

from model_core.engines.base import TokenBatch
from model_core.roles.source_stepper import (
    CopyingStepper,
    SourceStepper,
    forbidden_in_targets,
)
from tests.model_core.playing_checkpoint import LAKE, RIVER, load_playing


@pytest.fixture(scope="module", name="model")
def fixture_model(tmp_path_factory):
    return load_playing(tmp_path_factory.mktemp("stepper"))


def sources_of(model):
    formats = model.formats
    return [
        formats.rewriting("title", formats.piece(text), room)
        for text, room in ((RIVER, 30), (LAKE, 12))
    ]


def rows_of(sources):
    batch = TokenBatch.from_rows([source.token_ids for source in sources])
    return batch.token_ids, batch.padding_mask.sum(axis=1).astype("int32")


def expected_logits(model, source, target):
    """Logits behind a target, all read at once, with the source's prior."""
    ids = np.array([[*source.token_ids, *target]], "int32")
    segments = np.array([[0] * len(source.token_ids) + [1] * len(target)], "int32")
    marks = np.array([[*source.mark_ids, *([0] * len(target))]], "int32")
    ones = np.ones_like(ids, dtype="bool")
    outputs = model.engine.read(TokenBatch(ids, segments, ones, marks), "prefix_lm")
    occurs = np.zeros((1, model.config.vocab_size), "float32")
    occurs[0, source.token_ids] = 1
    prior = model.engine.apply("source_prior", occurs)["prior"][0]
    return outputs["logits"][0, -1] + prior, outputs["copy_logits"][0, -1]


def test_steps_are_one_pass_with_marks_and_prior(model):
    sources, targets = sources_of(model), [[20, 21, 22], [23, 24, 25]]
    stepper = SourceStepper(model, sources)
    logits, cache = stepper.prefill(*rows_of(sources), 40)
    lengths = np.array([len(source.token_ids) for source in sources], "int32")
    for done in range(3):
        for row, source in enumerate(sources):
            expected, _ = expected_logits(model, source, targets[row][:done])
            np.testing.assert_allclose(logits[row], expected, atol=1e-4)
        new = np.array([target[done] for target in targets], "int32")
        logits, cache = stepper.decode_one_token(new, lengths + done, cache)


def test_a_copying_step_scores_the_tags_as_well(model):
    sources = sources_of(model)
    stepper = CopyingStepper(model, sources)
    logits, tags, _ = stepper.prefill(*rows_of(sources), 40)
    for row, source in enumerate(sources):
        expected, copy = expected_logits(model, source, [])
        np.testing.assert_allclose(logits[row], expected, atol=1e-4)
        np.testing.assert_allclose(tags[row], copy, atol=1e-4)


def test_reordered_rows_keep_their_own_prior(model):
    sources = sources_of(model)
    stepper = SourceStepper(model, sources)
    _, cache = stepper.prefill(*rows_of(sources), 40)
    rows = np.array([1, 1, 0], "int32")
    lengths = np.array([len(source.token_ids) for source in sources], "int32")
    swapped = stepper.reorder(cache, rows)
    logits, _ = stepper.decode_one_token(
        np.full(3, 20, "int32"), lengths[rows], swapped
    )
    for place, row in enumerate(rows):
        expected, _ = expected_logits(model, sources[row], [20])
        np.testing.assert_allclose(logits[place], expected, atol=1e-4)


def test_no_target_holds_a_mark_or_an_unknown(model):
    forbidden = set(forbidden_in_targets(model))
    tokenizer = model.tokenizer
    assert tokenizer.sep_id not in forbidden
    names = ("[CLS]", "[MASK]", "[PAD]", "[UNK]", "[标题]", "[知识]")
    assert {tokenizer.token_to_id(name) for name in names} <= forbidden
    assert tokenizer.token_to_id("[NL]") not in forbidden
    assert tokenizer.token_to_id("长") not in forbidden
    sources = sources_of(model)
    logits, _ = SourceStepper(model, sources, tuple(forbidden)).prefill(
        *rows_of(sources), 40
    )
    assert (logits[:, sorted(forbidden)] < -1e29).all()
    allowed = np.setdiff1d(np.arange(model.config.vocab_size), sorted(forbidden))
    assert (logits[:, allowed] > -1e3).all()


def test_the_prior_of_a_source_is_not_changed_by_what_is_forbidden(model):
    sources = sources_of(model)
    for forbidden in ((7, 8), ()):
        stepper = SourceStepper(model, sources, forbidden)
        logits, _ = stepper.prefill(*rows_of(sources), 40)
        expected, _ = expected_logits(model, sources[0], [])
        assert logits[0, 20] == pytest.approx(expected[20], abs=1e-4)


@pytest.mark.parametrize("heads", [("language_model",), ("language_model", "span")])
def test_weights_without_a_prior_lean_nowhere(tmp_path, heads):
    model = load_playing(tmp_path, heads=heads)
    source = sources_of(model)[0]
    logits, _ = SourceStepper(model, [source]).prefill(*rows_of([source]), 40)
    ids = source.token_ids[None]
    batch = TokenBatch(
        ids, np.zeros_like(ids), np.ones_like(ids, dtype="bool"), source.mark_ids[None]
    )
    outputs = model.engine.read(batch, "prefix_lm")
    np.testing.assert_allclose(logits[0], outputs["logits"][0, -1], atol=1e-4)
