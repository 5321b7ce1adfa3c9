"""Records have the contract's fields; the terminal's text only ever grows."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from demos.batch import Line, answer_line, columns_of
from demos.limits import Label
from demos.qa import record
from demos.qa.examples import FACTS_EXAMPLES, SAMPLE_BASE, SAMPLES, requests_of
from demos.qa.facts_file import base_of
from demos.qa.task import QaRequest, answer
from demos.records import request_from
from demos.tasks import Task
from demos.terminal.arguments import parse
from tests.fake_passage_reader import FakePassageReader

ASSETS = Path(__file__).resolve().parents[3] / "assets" / "samples"
READER = FakePassageReader(answers={"谁字子美？": ("杜甫", "李白")})
PASSAGES = ("李白字太白。", "杜甫字子美。")
TASK = Task(
    name="qa",
    label=Label("问答", "Q&A"),
    request_type=QaRequest,
    text_field="question",
    role="passage_reader",
    run=answer,
    to_record=record.to_record,
    added_fields=record.ADDED_FIELDS,
    render_text=record.render_text,
)


def ask(question="谁字子美？", **given):
    return list(answer(QaRequest(question, PASSAGES, **given), READER))


def test_the_contracts_fields_come_first_under_their_names():
    given = record.to_record(ask()[-1])
    assert record.ADDED_FIELDS[:5] == (
        "answer",
        "probability",
        "passage",
        "start",
        "mode",
    )
    assert [given[name] for name in record.ADDED_FIELDS[:5]] == [
        "杜甫",
        0.8,
        1,
        0,
        "mlm",
    ]
    assert given["weights"] == "embedded"
    assert json.loads(json.dumps(given)) == given


def test_no_answer_is_an_empty_string_without_a_place():
    given = record.to_record(ask("谁？")[-1])
    assert [given[name] for name in record.ADDED_FIELDS[:4]] == ["", 0.9, -1, -1]


def test_every_mode_and_every_vote_is_told():
    given = record.to_record(ask(compare=True)[-1])
    assert [one["mode"] for one in given["modes"]] == ["mlm", "seq2seq"]
    assert given["modes"][1]["elapsed_seconds"] > given["modes"][0]["elapsed_seconds"]
    assert given["votes"][1] == {
        "passage": 1,
        "has_answer": 0.9,
        "text": "杜甫",
        "probability": 0.75,
        "start": 0,
    }


@pytest.mark.parametrize("compare", [False, True])
def test_every_later_text_extends_the_one_before(compare):
    texts = [record.render_text(one) for one in ask(compare=compare, mode="seq2seq")]
    assert all(b.startswith(a) for a, b in pairwise(texts))
    place = "第 2 段第 1 字 passage 2, character 1"
    assert texts[-1].startswith(f"杜甫（80% · {place} · seq2seq 0.60 s）")


def test_a_text_without_an_answer_says_so():
    text = record.render_text(ask("谁？")[-1])
    assert text == "（没有答案 no answer）（90% · mlm 0.10 s）"


@pytest.mark.parametrize(
    "fields",
    [
        {"question": "谁字子美？", "passages": list(PASSAGES)},
        {"question": "谁字子美？", "passages": json.dumps(PASSAGES)},
        {"question": "谁字子美？", "passages": "\n\n".join(PASSAGES)},
        {"question": "谁字子美？", "passages": [PASSAGES[0]], "passage": PASSAGES[1]},
    ],
)
def test_a_line_of_a_file_gives_its_passages_in_any_shape(fields):
    line = answer_line(TASK, Line(fields), READER, {})
    assert (line["answer"], line["passage"], line["start"]) == ("杜甫", 1, 0)
    assert line["passages"] == fields["passages"]


def test_a_line_with_one_passage():
    fields = {"question": "谁字子美？", "passage": "杜甫字子美。", "compare": "true"}
    line = answer_line(TASK, Line(fields), READER, {"mode": "seq2seq"})
    assert (line["answer"], line["passage"], line["mode"]) == ("杜甫", 0, "seq2seq")
    assert columns_of(TASK, fields)[-1] == "error"


def test_a_line_without_a_passage_has_its_own_error():
    line = answer_line(TASK, Line({"question": "谁？", "id": 3}), READER, {})
    assert line["id"] == 3
    assert "一段也没有；请给出至少一段（passages 或 passage）" in line["error"]


def test_shared_passages_are_an_option():
    request = request_from(QaRequest, {"question": "谁？"}, {"passages": PASSAGES})
    assert request.passages == PASSAGES


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_has_passages_of_a_readable_length_and_several_questions(name):
    requests = requests_of((ASSETS / name).read_text("utf-8"))
    assert len({request.question for request in requests}) == len(requests) >= 3
    assert len({request.passages for request in requests}) == 1
    assert 2 <= len(requests[0].passages) <= 3
    assert all(100 <= len(passage) <= 250 for passage in requests[0].passages)


def test_the_sample_base_answers_its_examples():
    base = base_of((ASSETS / SAMPLE_BASE).read_text("utf-8").split("\n"), ".tsv")
    assert base.num_triples >= 300
    assert base.num_duplicates == 0
    names = {key.subject for key in base.keys}
    assert all(any(name in asked for name in names) for asked in FACTS_EXAMPLES)
    meanings = {}
    for key in base.keys:
        meanings.setdefault(key.subject, set()).add(key.meaning)
    assert {"红楼梦", "金", "黄山"} <= {n for n, of in meanings.items() if len(of) > 1}
    assert all("" not in of for of in meanings.values() if len(of) > 1)


@pytest.mark.parametrize(
    "passages", ["甲。\n\n乙。", '["甲。", "乙。"]', "FILE.json", "FILE.jsonl"]
)
def test_a_terminal_takes_passages_as_text_as_json_or_from_a_file(tmp_path, passages):
    texts = {".json": '["甲。", "乙。"]', ".jsonl": '"甲。"\n"乙。"\n'}
    if passages.startswith("FILE"):
        path = tmp_path / passages
        path.write_text(texts[path.suffix], "utf-8")
        passages = str(path)
    given = ["qa", "--passages", passages, "--mode", "mlm", "谁？"]
    command = parse(given, {"qa": TASK})
    request = request_from(QaRequest, {"question": command.text}, command.options)
    assert (request.passages, request.mode) == (("甲。", "乙。"), "mlm")


def test_a_terminal_refuses_too_many_passages(capsys):
    with pytest.raises(SystemExit):
        parse(["qa", "--passages", "甲\n\n" * 11, "谁？"], {"qa": TASK})
    assert "最多 10 段，收到 11 段" in capsys.readouterr().err
