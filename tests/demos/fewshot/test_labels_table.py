"""A table of labels: with names or without, blank rows and filled-up ones."""

import pytest

from demos.errors import InvalidRequestError
from demos.fewshot.labels import LABELS_LABEL, LabelWords
from demos.fewshot.labels_table import labels_of

PAIRS = {"好评": "很", "差评": "不"}


def words(rows):
    return LabelWords().read(LABELS_LABEL, labels_of(rows))


@pytest.mark.parametrize(
    "rows",
    [
        [["好评", "很"], ["差评", "不"]],
        [["label", "word"], ["好评", "很"], ["差评", "不"]],
        [[" 词 ", "标签"], ["很", "好评"], [], ["不", "差评"]],
        [["id", "Label", "Word"], ["1", "好评", "很"], ["2", "差评", "不"]],
        [["好评", "很", "", ""], ["", ""], ["差评", " 不 ", "", ""]],
    ],
)
def test_every_row_is_a_label_and_its_word(rows):
    assert words(rows) == PAIRS


def test_a_label_alone_is_its_own_word():
    assert words([["体育", ""], ["财经"]]) == {"体育": "体育", "财经": "财经"}


def test_a_label_given_twice_is_not_forgotten():
    with pytest.raises(InvalidRequestError, match="numbers 1 and 2 have the same"):
        words([["好评", "很"], ["好评", "不"]])
    with pytest.raises(InvalidRequestError, match="must be 2 to 64, got 0"):
        words([[], [""]])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["好评", "很"], [], ["差", "评", "不"]], "第 3 行有 3 格"),
        ([["word", "label"], ["很"]], "line 2 has 1 cells: give label,word"),
    ],
)
def test_a_row_of_another_shape_is_refused_with_its_number(rows, said):
    with pytest.raises(InvalidRequestError, match=said):
        labels_of(rows)
