"""Clauses are scored in each other's company and in nobody else's."""

import numpy as np
import pytest

from model_core.engines.base import TokenBatch
from model_core.interfaces import ModelError, RewriteOptions
from model_core.roles.summarizer import MAX_CLAUSES, NetworkSummarizer
from model_core.roles.triple_pointer import sigmoid
from tests.model_core.playing_checkpoint import (
    LAKE,
    RIVER,
    TEXTS,
    WRITER,
    load_playing,
)

CLAUSES = [part for text in TEXTS for part in text.split("，")]


@pytest.fixture(scope="module", name="summarizer")
def fixture_summarizer(tmp_path_factory):
    model = load_playing(tmp_path_factory.mktemp("summarizer"), spread=0.3)
    return NetworkSummarizer(model)


def test_scores_are_probabilities_one_per_clause(summarizer):
    for clauses in (CLAUSES, CLAUSES[:1], ["。"], ["😀", "", "\n"]):
        scores = summarizer.score_clauses(clauses)
        assert scores.shape == (len(clauses),)
        assert scores.dtype == np.float64
        assert ((scores > 0) & (scores < 1)).all()
    assert summarizer.max_clauses == MAX_CLAUSES


def test_scores_are_those_of_mean_states_read_one_by_one(summarizer):
    model = summarizer._model
    vectors = []
    for clause in CLAUSES:
        source = model.formats.clause(model.formats.piece(clause), 64)
        batch = TokenBatch.from_rows([source.token_ids], marks=[source.mark_ids])
        hidden = model.engine.read(batch, "bidirectional", ())["hidden"][0]
        vectors.append(hidden.mean(axis=0))
    logits = model.engine.apply("clauses", np.stack(vectors)[None])["clause_logits"]
    np.testing.assert_allclose(
        summarizer.score_clauses(CLAUSES), sigmoid(logits[0]), atol=1e-4
    )


def test_scores_do_not_depend_on_how_clauses_are_read_together(summarizer, monkeypatch):
    clauses = CLAUSES * 9
    whole = summarizer.score_clauses(clauses)
    for together in (1, 7, 1000):
        monkeypatch.setattr("model_core.roles.summarizer.TOGETHER", together)
        np.testing.assert_allclose(summarizer.score_clauses(clauses), whole, atol=1e-4)


def test_a_clause_is_judged_among_its_neighbours(summarizer):
    alone = summarizer.score_clauses(CLAUSES[:1])
    among = summarizer.score_clauses(CLAUSES)
    assert abs(alone[0] - among[0]) > 1e-4
    shuffled = summarizer.score_clauses(CLAUSES[::-1])[::-1]
    assert np.abs(shuffled - among).max() > 1e-4


def test_a_long_clause_is_read_from_its_start(summarizer):
    long = LAKE * 30
    one, other = (
        summarizer.score_clauses([RIVER, text]) for text in (long, long + WRITER)
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("count", [0, MAX_CLAUSES + 1])
def test_too_few_or_too_many_clauses_are_refused(summarizer, count):
    with pytest.raises(ModelError, match=f"256 个分句打分，收到 {count} 个") as error:
        summarizer.score_clauses(["长江。"] * count)
    assert error.value.kind == "unsupported"
    assert f"got {count}" in error.value.en


def test_most_clauses_are_scored(summarizer):
    scores = summarizer.score_clauses((CLAUSES * 40)[:MAX_CLAUSES])
    assert scores.shape == (MAX_CLAUSES,)


def test_it_rewrites_too(summarizer):
    assert "summary" in summarizer.parts
    *_, frame = summarizer.rewrite(RIVER, RewriteOptions("summary", 3, num_beams=2))
    assert frame.rewritings[0].candidate.finish
