"""Questions to a base of facts from a terminal: the base is read and built once."""

import json

import pytest

from demos.files.bases import SAMPLE
from demos.qa.examples import SAMPLE_BASE
from demos.qa.facts_held import SAMPLE_NAME
from tests.demos.terminal.test_session import call, rows_of
from tests.fake_fact_finder import FakeFactFinder
from tests.fakes import FakeShelf

CSV = "主语,谓语,宾语\n雷峰塔,所在地,杭州\n雷峰塔,始建,975年\n王维（诗人）,字,摩诘\n"


@pytest.fixture
def base(tmp_path):
    path = tmp_path / "库.csv"
    path.write_bytes(CSV.encode("gbk"))
    return path


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "in.jsonl"
    lines = [
        {"id": 1, "question": "雷峰塔的所在地是哪里？"},
        {"id": 2, "question": ""},
        {"id": 3, "question": "王维这位诗人字什么？", "num_return": 1},
        {"id": 4, "question": "问" * 201},
        {"id": 5, "question": "雷峰塔始建于何时？", "base": "别的.csv"},
        {"id": 6, "question": "雷峰塔始建于何时？"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_question_is_answered_for_a_person(base):
    outcome = call("facts", "--base", base, "--num-return", 1, "雷峰塔始建于何时？")
    assert outcome.status == 0
    assert outcome.out.startswith("雷峰塔 — 始建 → 975年 0.")
    assert outcome.out.count("\n") == 1


def test_json_is_the_record_of_the_endpoint(base):
    outcome = call("facts", "--base", base, "--json", "王维这位诗人字什么？")
    record = json.loads(outcome.out)
    assert list(record) == ["question", "matches", "elapsed_seconds", "weights", "base"]
    best, *_ = record["matches"]
    assert (best["subject"], best["meaning"], best["objects"]) == (
        *("王维", "诗人"),
        ["摩诘"],
    )
    assert (record["base"]["name"], record["base"]["num_triples"]) == ("库.csv", 3)


def test_without_a_base_the_pages_sample_is_asked():
    assert SAMPLE.as_posix().endswith(f"assets/samples/{SAMPLE_BASE}")
    for given in ((), ("--base", "")):
        record = json.loads(call("facts", *given, "--json", "李白的号是什么？").out)
        assert record["base"]["name"] == SAMPLE_NAME
        assert record["matches"][0]["objects"] == ["青莲居士"]


def test_a_batch_reads_and_builds_its_base_once(base, questions, tmp_path):
    target = tmp_path / "out.jsonl"
    finder = FakeFactFinder()
    shelf = FakeShelf(players={"fact_finder": finder})
    files = ("--input", questions, "--output", target)
    outcome = call("facts", "--base", base, *files, shelf=shelf)
    rows = rows_of(target)
    assert outcome.status == 1
    assert "6 of 6 lines written, 3 failed" in outcome.err
    assert [row["id"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert ["error" in row for row in rows] == [False, True, False, True, True, False]
    assert rows[0]["matches"][0]["objects"] == ["杭州"]
    assert len(rows[2]["matches"]) == 1
    assert "1 to 200 characters, got 201" in rows[3]["error"]
    assert "对所有问题只给一次（终端里用 --base FILE）" in rows[4]["error"]
    assert rows[4]["base"] == "别的.csv"  # as the line had it
    assert (finder.built, len(finder.asked)) == (1, 3)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_an_interrupted_batch_goes_on_where_it_ended(base, questions, tmp_path, suffix):
    target = tmp_path / f"out{suffix}"
    arguments = ("facts", "--base", base, "--input", questions, "--output", target)
    assert call(*arguments).status == 1
    whole = target.read_bytes()
    for cut in range(0, len(whole) + 1, 97):
        target.write_bytes(whole[:cut])
        outcome = call(*arguments, "--resume")
        assert (outcome.status, "3 failed" in outcome.err) == (1, True), outcome.err
        assert without_seconds(target.read_bytes()) == without_seconds(whole)


def without_seconds(data):
    """Drop what differs from run to run: how long the base took."""
    parts = data.decode().replace('""', '"').split('"build_seconds": ')
    return [parts[0], *(part.partition("}")[2] for part in parts[1:])]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("none.csv", None, "none.csv cannot be read: No such file or directory."),
        ("a.tsv", "甲\t乙\n甲\t乙\t丙\n丁\n", "第 1、3 行。请改好这些行再试。"),
        ("a.tsv", "甲\t乙\n甲\t乙\t丙\n丁\n", "2 lines without a column"),
        ("a.jsonl", "[1, 2]\n", "line without a JSON object: 1."),
        ("a.csv", "", "The file has no triple"),
        ("a.json", "{}", "A file of facts is one of .csv .tsv .jsonl, got .json."),
    ],
)
def test_a_base_that_cannot_be_used_ends_with_2_before_anything(
    tmp_path, capsys, name, data, sentence
):
    if data is not None:
        (tmp_path / name).write_text(data)
    target = tmp_path / "out.jsonl"
    (tmp_path / "in.txt").write_text("谁？\n")
    files = ("--input", tmp_path / "in.txt", "--output", target)
    for asked in (("谁？",), files):
        outcome = call("facts", "--base", tmp_path / name, *asked)
        assert (outcome.status, outcome.opened) == (2, [])
        assert sentence in capsys.readouterr().err
    assert not target.exists()


def test_a_question_too_long_is_refused_before_a_model_is_loaded(base):
    outcome = call("facts", "--base", base, "问" * 201)
    assert (outcome.status, outcome.opened) == (2, [])
    assert "“Question” must have 1 to 200 characters, got 201." in outcome.err
