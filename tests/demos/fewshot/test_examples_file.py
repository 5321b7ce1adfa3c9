"""Labelled lines in every form people have them; faults are told by line number."""

import pytest

from demos.errors import InvalidRequestError
from demos.fewshot.examples_file import read_examples
from demos.fewshot.lesson import MOST, Example, Wanted

WANTED = Wanted(("好评", "差评"))
PAIRS = Wanted(("同", "异"), pairs=True)
TWO = (Example("很好吃", "好评"), Example("面坨了", "差评"))


@pytest.mark.parametrize(
    "text",
    [
        "很好吃\t好评\n面坨了\t差评\n",
        "好评\t很好吃\r\n差评\t面坨了\r\n",
        "很好吃,好评\n\n面坨了,差评",
        "好评,很好吃\n差评,面坨了",
        "\ufeff文本\t标签\n很好吃\t好评\n面坨了\t差评",
        "label,id,text\n好评,1,很好吃\n差评,2,面坨了\n",
        '"text","label"\n"很好吃",好评\n面坨了,差评\n',
        '{"text": "很好吃", "label": "好评"}\n{"text": "面坨了", "label": "差评"}\n',
    ],
)
def test_every_form_gives_the_same_examples(text):
    assert read_examples(text, WANTED) == TWO


@pytest.mark.parametrize("head", ["", "text,label\n"], ids=["bare", "named"])
@pytest.mark.parametrize(("mark", "guard"), [("\ufeff", ""), ("", "'")])
def test_the_guard_of_a_table_is_undone_where_its_mark_tells(head, mark, guard):
    table = f"{mark}{head}'=好吃,好评\n'-5℃,差评\n"
    texts = [one.text for one in read_examples(table, WANTED)]
    assert texts == [f"{guard}=好吃", f"{guard}-5℃"]


def test_lines_that_are_no_table_keep_their_apostrophe():
    lines = "\ufeff'=好吃\t好评\n'-5℃\t差评\n"
    assert [one.text for one in read_examples(lines, WANTED)] == ["'=好吃", "'-5℃"]


def test_a_text_may_have_commas_of_its_own():
    lines = "好吃,推荐,好评\n慢,凉,差评"
    assert [one.text for one in read_examples(lines, WANTED)] == ["好吃,推荐", "慢,凉"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('"很好吃"', "很好吃"),
        ('他说"好"，真好', '他说"好"，真好'),
        ('"好"和"坏"', '"好"和"坏"'),
        ('"他说""好"""', '他说"好"'),
    ],
)
def test_quotes_around_a_cell_go_and_quotes_within_it_stay(cell, text):
    first, _ = read_examples(f"{cell}\t好评\n面坨了\t差评", WANTED)
    assert first.text == text


def test_a_quoted_cell_may_have_line_ends():
    table = 'text,label\n"一\n二",好评\n三,差评\n'
    assert [one.text for one in read_examples(table, WANTED)] == ["一\n二", "三"]


def test_pairs_have_two_texts():
    read = read_examples("甲\t乙\t同\n丙\t丁\t异", PAIRS)
    assert read == (Example("甲", "同", "乙"), Example("丙", "异", "丁"))
    table = read_examples("sentence1,sentence2,label\n甲,乙,同\n丙,丁,异\n", PAIRS)
    assert table == read


def test_a_number_is_a_label_too():
    lines = '{"text": "一", "label": 1}\n{"text": "零", "label": 0}'
    assert [one.label for one in read_examples(lines, Wanted(("1", "0")))] == ["1", "0"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "are empty: give a line each"),
        (" \n\n", "are empty"),
        ("很好吃\t好评", "must be 2 to 2000, got 1."),
        ("好\t好评\n" * (MOST + 1), "must be 2 to 2000, got 2001."),
        (
            "很好吃\t好评\n\n面坨了\t一般",
            "line 3 has the label '一般', which is not among",
        ),
        ("很好吃\t好评\n\t差评\n", "line 2 text must have 1 to 2000 characters, got 0"),
        ("很好吃\t好评\n面坨了", "line 2 has one cell; give a line each"),
        ("很好吃\n面坨了", "line 1 has one cell"),
        (
            "id,内容\n1,很好吃",
            "line 1 begins and ends with no known label (好评, 差评)",
        ),
        ("text,label\n很好吃,好评\n面坨了", "line 3 has 1 cells, fewer than the 2"),
        ('{"text": "很好吃", "label": "好评"}\nno', "line 2 is no JSON object."),
        (
            '{"text": "很好吃"}\n{"label": "好评"}',
            "line 1 has no label; line 2 has no te",
        ),
        ("好\t好评\n坏\udc81\t差评", "line 2 has bytes that cannot be decoded"),
        (
            "长" * 2001 + "\t好评\n面\t差评",
            "line 1 text must have 1 to 2000 characters",
        ),
        ("a\x00\t好评\n面\t差评", "line 1 text has a control character, U+0000"),
    ],
)
def test_lines_that_cannot_be_used_are_told_by_number(text, sentence):
    with pytest.raises(InvalidRequestError) as caught:
        read_examples(text, WANTED)
    assert sentence in caught.value.en
    assert caught.value.zh.startswith("“示例”")


def test_a_pair_without_its_second_text_is_told():
    with pytest.raises(InvalidRequestError, match="line 2 has no text_b"):
        read_examples("甲\t乙\t同\n丙\t异", PAIRS)


def test_of_many_faults_the_first_few_are_told():
    with pytest.raises(InvalidRequestError) as caught:
        read_examples("好\t好评\n" + "坏\t糟\n" * 9, WANTED)
    assert caught.value.zh.count("不在标签表里") == 3
    assert caught.value.zh.endswith("；另有 6 处。")
    assert caught.value.en.endswith("; and 6 more.")
