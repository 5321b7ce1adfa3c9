"""Scores of sentence vectors: laws of the ranks, the baseline, bad files."""

import json

import numpy as np
import pytest

from recipes.metrics.ranking import area_under_curve, rank_correlation, ranks
from recipes.sentence_pairs import evaluate_pairs, load_pairs, shared_characters
from tests.fake_sentences import FakeSentenceEncoder

RIGHT = np.asarray([True, False, True, False])


def test_equals_share_their_ranks():
    assert ranks([3.0, 1.0, 3.0, 2.0]).tolist() == [3.5, 1.0, 3.5, 2.0]


@pytest.mark.parametrize(
    ("scores", "area"),
    [
        ([4, 1, 3, 2], 1.0),
        ([1, 4, 2, 3], 0.0),
        ([1, 1, 1, 1], 0.5),
        ([2, 2, 2, 1], 0.75),
    ],
)
def test_the_area_is_how_often_right_scores_above_wrong(scores, area):
    assert area_under_curve(scores, RIGHT) == area


def test_the_correlation_sees_ranks_alone():
    assert rank_correlation([1, 2, 3], [10, 100, 1000]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([1, 1, 1], [1, 2, 3]) == 0


def test_one_kind_alone_cannot_be_ranked():
    with pytest.raises(ValueError, match="received 4 right"):
        area_under_curve([1, 2, 3, 4], np.ones(4, bool))


def test_shared_characters_are_symmetric_and_bounded():
    assert shared_characters("天气", "天气") == pytest.approx(1)
    assert shared_characters("天气", "开会") == 0
    assert shared_characters("", "开会") == 0
    assert shared_characters("天气好", "好天") == shared_characters("好天", "天气好")


def test_a_file_of_pairs_is_scored_beside_the_baseline(tmp_path):
    path = tmp_path / "pairs.jsonl"
    rows = [
        ("天气好", "天气真好", "1"),
        ("天气好", "开会", "0"),
        ("吃饭", "吃饭了", "1"),
    ]
    path.write_text(
        "\n".join(
            json.dumps({"text": text, "text_b": other, "label": label})
            for text, other, label in rows
        ),
        "utf8",
    )
    report = evaluate_pairs(load_pairs(path), FakeSentenceEncoder())
    assert report["num_examples"] == 3
    assert report["model"]["auc"] == report["baseline"]["auc"] == 1
    path.write_text('{"text": "a", "text_b": "b", "label": "yes"}', "utf8")
    with pytest.raises(ValueError, match="line 1: expected a label of 1 or 0"):
        load_pairs(path)
