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
