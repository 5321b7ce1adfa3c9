"""Sentences from a terminal: two compared, a file of lines searched, files answered."""

import json

import pytest

from tests.demos.terminal.test_session import call, rows_of
from tests.fake_sentences import FakeSentenceEncoder
from tests.fakes import FakeShelf

LINES = "怎么退货\n\n发票怎么开\n怎么退货\n"


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "名单.txt"
    path.write_bytes(LINES.encode("gbk"))
    return path


def test_two_sentences_are_compared():
    outcome = call("similarity", "天气好", "--text-b", "天气好")
    assert (outcome.status, outcome.out) == (0, "1.0000\n")


def test_a_file_of_lines_is_searched_whatever_its_encoding(lines):
    outcome = call("nearest", "怎么退货", "--lines", lines, "--top-k", 2, "--json")
    record = json.loads(outcome.out)
    assert [one["lines"] for one in record["nearest"]] == [[1, 4], [3]]
    told = call("nearest", "怎么退货", "--lines", lines, "--top-k", 1)
    assert told.out.split() == ["1.0000", "1", "怎么退货"]


@pytest.mark.parametrize(
    ("name", "text", "numbers"),
    [
        ("faq.csv", "id,text\n1,怎么退货\n\n2,发票怎么开\n3,怎么退货\n", [[2, 5], [4]]),
        ("FAQ.CSV", "text\n怎么退货\n\n发票怎么开\n怎么退货\n", [[2, 5], [4]]),
        (
            "faq.jsonl",
            '{"text": "怎么退货"}\n\n{"text": "发票怎么开"}\n{"text": "怎么退货"}\n',
            [[1, 4], [3]],
        ),
        ("faq.json", '["怎么退货", "", "发票怎么开", "怎么退货"]', [[1, 4], [3]]),
    ],
)
def test_a_table_of_lines_is_searched_by_its_column(tmp_path, name, text, numbers):
    (tmp_path / name).write_text(text, "utf8")
    given = ("--lines", tmp_path / name, "--json")
    record = json.loads(call("nearest", "怎么退货", *given).out)
    found = {one["text"]: one["lines"] for one in record["nearest"]}
    assert found == dict(zip(("怎么退货", "发票怎么开"), numbers, strict=True))
    assert (record["num_lines"], record["num_distinct"], record["num_read"]) == (
        3,
        2,
        2,
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("faq.csv", "text\n甲,乙\n", "Line 2: This line does not fit its header"),
        ("faq.csv", "id\n1\n", "one of them text; got: id"),
        ("faq.jsonl", '"甲"\n', "Line 1: This line is no JSON object: str"),
        ("none.csv", None, "none.csv cannot be read: No such file"),
    ],
)
def test_a_table_without_its_lines_is_refused(tmp_path, name, text, said, capsys):
    if text is not None:
        (tmp_path / name).write_text(text, "utf8")
    outcome = call("nearest", "退货", "--lines", tmp_path / name)
    assert (outcome.status, outcome.opened) == (2, [])
    assert said in capsys.readouterr().err


def test_a_file_of_queries_reads_the_lines_once(lines, tmp_path):
    asked, answers = tmp_path / "in.txt", tmp_path / "out.jsonl"
    asked.write_text("怎么退货\n发票\n\n", "utf8")
    encoder = FakeSentenceEncoder()
    shelf = FakeShelf(players={"sentence_encoder": encoder})
    outcome = call(
        *("nearest", "--lines", lines, "--input", asked, "--output", answers),
        shelf=shelf,
    )
    assert outcome.status == 1  # the blank query
    first, second, third = rows_of(answers)
    assert first["nearest"][0]["text"] == "怎么退货"
    assert second["nearest"][0]["text"] == "发票怎么开"
    assert "“要找的句子”" in third["error"]
    assert len(encoder.asked) == 3  # two queries, the lines once


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nearest", "退货"), "“Lines” are missing"),
        (("nearest", "退货", "--lines", "[3]"), "line 1 is no text: 3"),
        (("similarity", "退货"), "“Second text” (text_b) is missing"),
        (("rephrasing", "退" * 101), "must have 1 to 100 characters, got 101"),
        (("rephrasing", "退", "--num-return", "0"), "between 1 and 10"),
        (("detection", "错", "--threshold", "2"), "between 0 and 1"),
    ],
)
def test_what_is_missing_is_said(arguments, said, capsys):
    outcome = call(*arguments)
    assert outcome.status == 2
    assert said in outcome.err + capsys.readouterr().err


def test_a_sentence_is_said_in_other_words():
    told = call("rephrasing", "去哪儿", "--num-return", 2, "--seed", 3)
    assert told.out.splitlines() == ["0.9500  去哪儿吗", "0.9500  去哪儿啊"]
    record = json.loads(call("rephrasing", "去哪儿", "--json").out)
    assert record["rephrasings"][0] == {
        "text": "去哪儿吗",
        "cosine": 0.95,
        "log_prob": -1.0,
    }
    assert (record["seed"], record["pooling"]) == (7, "linear_pooler")


def test_classes_and_replaced_tokens_are_printed():
    assert call("classification", "好好").out.splitlines()[0].endswith("好评")
    assert call("detection", "今天错了").out == "今天【错】了\n"


def test_weights_that_cannot_are_refused_by_name():
    shelf = FakeShelf(players={})
    outcome = call("classification", "好", shelf=shelf)
    assert outcome.status == 2
    assert "不会判别类别" in outcome.err
