"""Labels in every way people write them come out the same."""

import json

import pytest

from demos.errors import InvalidRequestError
from demos.fewshot.labels import LABELS_LABEL, LabelWords, as_lines

READ = {"好评": "好", "差评": "差"}


def read(value):
    return LabelWords().read(LABELS_LABEL, value)


@pytest.mark.parametrize(
    "value",
    [
        READ,
        json.dumps(READ),
        "好评=好\n差评=差",
        " 好评 ＝ 好 \r\n\n差评：差\n",
        "好评\t好\n差评:差",
        [{"label": "好评", "word": "好"}, {"label": "差评", "word": "差", "id": 3}],
        ({"label": "好评", "word": "好"}, {"label": "差评", "word": " 差"}),
        json.dumps(
            [{"label": "好评", "word": "好"}, {"label": "差评", "word": "差"}],
        ),
    ],
)
def test_all_ways_to_write_them_mean_the_same(value):
    assert list(read(value).items()) == list(READ.items())


@pytest.mark.parametrize("value", [["体育", "财经"], "体育\n财经", '["体育","财经"]'])
def test_a_word_alone_is_its_own_label(value):
    assert read(value) == {"体育": "体育", "财经": "财经"}


def test_a_colon_may_belong_to_a_label_that_has_an_equals_sign():
    assert read("10:30=早\n22:30=晚") == {"10:30": "早", "22:30": "晚"}


def test_an_option_that_was_not_given_may_come_with_each_line():
    for nothing in (None, ""):
        LabelWords().check(LABELS_LABEL, nothing)
    with pytest.raises(InvalidRequestError, match="must be 2 to 64, got 1"):
        LabelWords().check(LABELS_LABEL, "好评=好")


def test_lines_and_labels_are_each_others_inverse():
    labels = {"好评": "好", "体育": "体育"}
    assert read(as_lines(labels)) == labels


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "“Labels” are not given: write two or more"),
        ("", "are not given"),
        ({}, "must be 2 to 64, got 0."),
        ("\n \n", "must be 2 to 64, got 0."),
        ("好评=好", "must be 2 to 64, got 1."),
        ({str(n): str(n) for n in range(65)}, "must be 2 to 64, got 65."),
        ("好评=好\n好评=棒", "numbers 1 and 2 have the same label, '好评'"),
        ('{"好评": "好", "好评": "棒"}', "have the same label, '好评'"),
        ("好评=好\n差评=差\n中评=好", "numbers 1 and 3 have the same word, '好'"),
        ({"好评": "好", "中评": "好 "}, "have the same word, '好'"),
        ("好评=\n差评=差", "number 1: its word must be text of 1 to 20 characters"),
        ("=好\n差评=差", "number 1: its label must be text of 1 to 40"),
        ({"好评": "好", "差评": ""}, "number 2: its word must be"),
        ({"好评": "好", "差评": None}, "got None."),
        ({"好评": "好", "差评": ["差"]}, "got ['差']."),
        ({"好评": "好", "差评": "差" * 21}, "1 to 20 characters"),
        ({"好评": "好", "差": "\ud800"}, "has a lone surrogate, U+D800"),
        ({"好评": "好", "差": "a\x00b"}, "has a control character, U+0000"),
        ([1, 0], "number 1: its label must be text of 1 to 40 characters, got 1."),
        ([{"label": "好评"}, "差"], "number 1 must have a label and a word, got"),
        (3, 'must be {"label": "word"}, a list of words, or lines'),
        ("{broken", "must be {"),
        ("[" * 100_000, "must be {"),
        ("[[], []]", "its label must be text"),
    ],
)
def test_labels_that_cannot_be_used_earn_a_sentence(value, sentence):
    with pytest.raises(InvalidRequestError) as caught:
        read(value)
    assert sentence in caught.value.en
    assert caught.value.zh.startswith("“标签”")
