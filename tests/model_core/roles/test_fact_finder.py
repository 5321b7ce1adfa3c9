"""The finder: whatever is asked, every match is a key of the base."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.engines.base import TokenBatch
from model_core.interfaces import FactKey, ModelError
from model_core.roles.fact_finder import LONGEST_KEY, NetworkFactFinder
from tests.model_core.playing_checkpoint import load_playing

KEYS = (
    FactKey("长江", "长"),
    FactKey("长江", "全长"),
    FactKey("长江", "全长", "河"),
    FactKey("鲁迅", "出生"),
    FactKey("青海湖", "面积"),
    FactKey("青海", "面积"),
    FactKey("呐喊", "代表", "作"),
    FactKey("2022", "a"),
)
QUESTIONS = ("长江有多长？", "谁写了呐喊？", "", "😀", "青海湖面积？" * 60)


@pytest.fixture(scope="module", name="finder")
def fixture_finder(tmp_path_factory):
    return NetworkFactFinder(load_playing(tmp_path_factory.mktemp("facts")))


@pytest.fixture(scope="module", name="tree")
def fixture_tree(finder):
    return finder.build_tree(KEYS)


def test_a_tree_says_its_size(finder, tree):
    assert tree.num_keys == len(KEYS)
    tokens = sum(len(finder._model.formats.fact_key(key)) for key in KEYS)
    assert len(KEYS) < tree.num_nodes < tokens + 1
    assert 0 < tree.size_bytes < 10_000


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("num_return", [1, 3, 8, 20])
def test_every_match_is_a_key_the_best_first(finder, tree, question, num_return):
    answer = finder.find(question, tree, num_return=num_return)
    assert 1 <= len(answer.matches) <= num_return
    indices = [match.index for match in answer.matches]
    assert set(indices) <= set(range(len(KEYS)))
    assert len(set(indices)) == len(indices)
    found = [match.probability for match in answer.matches]
    assert found == sorted(found, reverse=True)
    assert 0 < sum(found) <= 1 + 1e-6
    assert answer.weights.name == "tiny"
    assert answer.elapsed_seconds > 0


def test_over_all_keys_probabilities_sum_to_one(finder, tree):
    answer = finder.find("长江有多长？", tree, num_return=len(KEYS))
    assert {match.index for match in answer.matches} == set(range(len(KEYS)))
    assert sum(m.probability for m in answer.matches) == pytest.approx(1, abs=1e-5)


def test_equal_keys_share_what_they_have_together(finder):
    keys = (*KEYS[:3], KEYS[0], FactKey("长江", "😀"), FactKey("长江", "🎉"))
    answer = finder.find("长江有多长？", finder.build_tree(keys), num_return=6)
    by_index = {match.index: match.probability for match in answer.matches}
    assert by_index.keys() == set(range(6))
    assert by_index[0] == pytest.approx(by_index[3])
    assert by_index[4] == pytest.approx(by_index[5])  # both unknown characters
    assert sum(by_index.values()) == pytest.approx(1, abs=1e-5)


def test_a_match_has_the_probability_of_its_choices(finder):
    """Two keys that part at one token: the network's odds there, and no more."""
    model = finder._model
    keys = (FactKey("鲁迅", "出生"), FactKey("青海", "面积"))
    answer = finder.find("😀", finder.build_tree(keys), num_return=2)
    source = model.formats.facts(model.formats.piece("😀"))
    ids = source.token_ids[None]
    batch = TokenBatch(
        ids, np.zeros_like(ids), np.ones_like(ids, dtype="bool"), source.mark_ids[None]
    )
    logits = model.engine.read(batch, "prefix_lm")["logits"][0, -1].astype("float64")
    occurs = np.zeros((1, model.config.vocab_size), "float32")
    occurs[0, source.token_ids] = 1
    logits += model.engine.apply("source_prior", occurs)["prior"][0]
    firsts = [model.formats.fact_key(key)[0] for key in keys]
    odds = np.exp(logits[firsts] - logits[firsts].max())
    expected = odds / odds.sum()
    for match in answer.matches:
        assert match.probability == pytest.approx(expected[match.index], rel=1e-3)


def test_one_key_is_certain(finder):
    answer = finder.find("长江有多长？", finder.build_tree(KEYS[:1]))
    assert [(m.index, m.probability) for m in answer.matches] == [(0, 1.0)]


def test_the_same_question_is_led_to_the_same_keys(finder, tree):
    one, other = (finder.find("鲁迅是哪里人？", tree) for _ in range(2))
    assert one.matches == other.matches


@settings(max_examples=15)
@given(
    st.lists(
        st.builds(
            FactKey,
            st.text("长江鲁迅青海湖a", max_size=4),
            st.text("长面积", max_size=3),
            st.text("河作", max_size=2),
        ),
        min_size=1,
        max_size=12,
    ),
    st.text("长江鲁迅多长？", max_size=8),
)
def test_any_base_answers_from_itself(finder, keys, question):
    tree = finder.build_tree(keys)
    answer = finder.find(question, tree, num_return=4)
    assert tree.num_keys == len(keys)
    assert 1 <= len(answer.matches) <= 4
    assert len({match.index for match in answer.matches}) == len(answer.matches)
    assert all(0 <= match.index < len(keys) for match in answer.matches)
    assert sum(match.probability for match in answer.matches) <= 1 + 1e-6


def test_a_long_key_is_cut_and_still_ends(finder):
    keys = (FactKey("长江" * 100, "全长"), FactKey("鲁迅", "出生"))
    tree = finder.build_tree(keys)
    assert tree.tree.max_depth == LONGEST_KEY
    found = {match.index for match in finder.find("长江？", tree, num_return=2).matches}
    assert found == {0, 1}


def test_an_empty_base_is_refused(finder):
    with pytest.raises(ModelError, match="知识库里没有三元组") as error:
        finder.build_tree(())
    assert error.value.kind == "unsupported"
    assert "holds no fact" in error.value.en


def test_a_tree_of_somebody_else_is_refused(finder):
    with pytest.raises(TypeError, match="expected a tree of this finder"):
        finder.find("长江？", object())
