"""A file of questions through the page: checked, bounded, in order, line by line."""

import codecs
import csv
import http.client
import json
import re
import secrets
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from app.batch import MAX_LINES, FileQuestion, received, seats_for, sweep
from app.file_options import brought_of, option_input, options_of, written_of
from app.metrics import DeadlineError, Metrics
from app.runs import Runs
from app.settings import Settings
from app.tabs import files, files_view
from app.wiring import Desk
from demos.errors import DemoError
from demos.tasks import EVERY_TASK, FACTS, FEWSHOT, GENERATION, QA, TASKS, TRIPLES
from model_core.interfaces import ModelError
from tests.app.conftest import serving
from tests.fake_text_rewriter import FakeRewriter
from tests.fakes import TEXT, FakeGenerator, FakeShelf, OneAble, every_player

BROKEN = ModelError("failed", "坏了。", "It broke.")
DEFAULTS = {
    option_input(task, name): field.default
    for task in EVERY_TASK.values()
    for name, field in task.request_type.__dataclass_fields__.items()
    if name in options_of(task)
} | {"facts_base": None}
OPTIONS = {**DEFAULTS, "generation_max_new_tokens": 5, "generation_seed": 0}


@pytest.fixture
def shelf():
    players = {**every_player(), "text_rewriter": FakeRewriter(failures={"坏": BROKEN})}
    return FakeShelf(FakeGenerator(failures={"坏": BROKEN}), players)


@pytest.fixture
def ask(shelf, tmp_path):
    """Ask every line of a file; return the file's state at the end."""

    def answer(name, data, *, seconds=60.0, **given):
        question = question_over(shelf, tmp_path, seconds)
        return list(question.frames(values_for(question, tmp_path, name, data, given)))[
            -1
        ]

    return answer


def question_over(shelf, folder, seconds=60.0, slots=2):
    return FileQuestion(shelf, files.TASKS_HERE, folder, seconds, seats_for(slots))


def values_for(question, folder, name, data, given=()):
    """Upload as gradio does; return the form's values in order."""
    place = folder / "0123"
    place.mkdir(exist_ok=True)
    path = place / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    form = {
        "upload": {"path": str(path), "meta": {"_type": "gradio.FileData"}},
        "task": "generation",
        "output_type": "jsonl",
        "weights": "auto",
        **OPTIONS,
        **dict(given),
    }
    return [form[name] for name in question.inputs]


def records(batch):
    text = batch.target.path.read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_every_line_has_its_answer_in_order_and_a_bad_one_its_error(ask):
    lines = ['{"prompt": "春"}', "no json", '{"prompt": "坏"}', '{"id": 3}', ""]
    lines.append('{"prompt": "秋", "max_new_tokens": 2, "id": 4}')
    batch = ask("问.jsonl", "\n".join(lines) + "\n")
    answers = records(batch)
    assert (batch.done, batch.failed, batch.num_lines) == (6, 4, 6)
    assert batch.finished
    assert answers[0]["texts"][0]["text"] == TEXT[:5]
    assert "不是 JSON" in answers[1]["error"]
    assert answers[2]["error"] == str(BROKEN)
    assert (answers[3]["id"], "没有给出" in answers[3]["error"]) == (3, True)
    assert "empty line" in answers[4]["error"]
    assert answers[5]["id"] == 4
    assert answers[5]["texts"][0]["text"] == TEXT[:2]  # its own field goes first


def test_a_gbk_table_becomes_a_table(ask):
    batch = ask("问.csv", "id,prompt\n1,春风\n2,\n".encode("gbk"), output_type="csv")
    assert batch.target.path.read_bytes().startswith(codecs.BOM_UTF8)
    with batch.target.path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["id", "prompt", *GENERATION.added_fields, "error"]
    assert rows[0]["prompt"] == "春风"
    assert json.loads(rows[0]["texts"])[0]["text"] == TEXT[:5]
    assert "没有给出" in rows[1]["error"]


def test_headlines_for_a_file_come_in_order_and_a_bad_line_has_its_error(shelf, ask):
    lines = [f'{{"id": {n}, "text": "第{n}号"}}' for n in range(70)]
    lines[3], lines[40] = '{"id": 3, "text": "坏"}', "no json"
    batch = ask("文.jsonl", "\n".join(lines), task="title", title_num_return=1)
    answers = records(batch)
    assert (batch.done, batch.failed, batch.finished) == (70, 2, True)
    assert answers[3]["error"] == str(BROKEN)
    assert "不是 JSON" in answers[40]["error"]
    assert [a["titles"][0]["text"] for a in answers if "titles" in a] == [
        f"第{n}号" for n in range(70) if n not in {3, 40}
    ]
    assert shelf.players["text_rewriter"].batches == [*[8] * 5, 7, 8, 8, 6]
    assert batch.target.path.name == "文-title.jsonl"


def test_triples_of_a_table_become_a_table(ask):
    data = "编号,text,threshold\n甲,《史记》的作者是司马迁。,\n乙,苏轼是苏洵之子,0.9\n"
    batch = ask("书.csv", data.encode("gbk"), task="triples", output_type="csv")
    with batch.target.path.open(encoding="utf-8-sig", newline="") as stream:
        first, second = csv.DictReader(stream)
    (triple,) = json.loads(first["triples"])
    assert (triple["subject"], triple["object"]) == ("史记", "司马迁")
    assert json.loads(second["triples"]) == []  # its own threshold goes first
    assert [*first][:3] == ["编号", "text", "threshold"]
    assert set(TRIPLES.added_fields) <= first.keys()


def test_a_table_of_answers_is_a_table_of_the_same_questions(ask):
    text = "-《史记》的作者是司马迁。"  # what a spreadsheet would run
    lines = json.dumps({"text": text, "id": "'=1"})
    batch = ask("书.jsonl", lines, task="triples", output_type="csv")
    table = batch.target.path.read_bytes()
    assert f"\n'{text},''=1,".encode() in table
    again = ask("书.csv", table, task="triples", output_type="csv")
    assert again.target.path.read_bytes() == table
    (record,) = records(ask("书.csv", table, task="triples"))
    assert (record["text"], record["id"]) == (text, "'=1")
    (triple,) = record["triples"]
    assert text[triple["subject_start"] :].startswith(triple["subject"])


def test_labels_for_every_line_are_given_once(ask):
    given = {"fewshot_labels": "好评=好\n差评=坏", "fewshot_pattern": "____。{text}"}
    batch = ask("评.txt", "房间很干净\n等了很久\n", task="fewshot", **given)
    assert [len(record["probabilities"]) for record in records(batch)] == [2, 2]
    (failed,) = records(ask("评.txt", "房间很干净\n", task="fewshot"))
    assert "“Labels” are not given" in failed["error"]


TWO_FACTS = "《史记》的作者是司马迁。司马迁的父亲是司马谈。"


@pytest.mark.parametrize(
    "schema",
    ["图书作品 作者 人物", '[["图书作品", "作者", "人物"]]', "图书作品: 作者", "作者"],
)
def test_a_schema_for_every_line_is_written_as_lines_or_json(ask, schema):
    own = {"text": TWO_FACTS, "schema": "人物: 父亲"}
    data = "\n".join(map(json.dumps, ({"text": TWO_FACTS}, own)))
    batch = ask("文.jsonl", data, task="triples", triples_schema=schema)
    found = [[t["predicate"] for t in one["triples"]] for one in records(batch)]
    assert found == [["作者"], ["父亲"]]


BRIDGES = ["赵州桥由李春主持建造。", "卢沟桥在北京。"]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"qa_passages": "\n\n".join(BRIDGES)}, BRIDGES),
        ({"qa_passages": json.dumps(BRIDGES)}, BRIDGES),
        ({"qa_passage": BRIDGES[0]}, BRIDGES[:1]),
    ],
)
def test_passages_for_every_line_are_given_once(shelf, ask, given, asked):
    own = {"question": "谁建的？", "passage": "甲"}
    data = "\n".join(map(json.dumps, ({"question": "谁建的？"}, own)))
    assert ask("问.jsonl", data, task="qa", **given).failed == 0
    shared, alone = (seen for _, seen, _ in shelf.players["passage_reader"].asked)
    assert (shared, alone) == (tuple(asked), ("甲",))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"task": "triples", "triples_schema": '[["人物"]]'},
            "“Relations” cannot be r",
        ),
        ({"task": "triples", "triples_schema": "["}, "“Relations” cannot be read: '['"),
        ({"task": "triples", "triples_schema": 3}, "“Relations” cannot be read: 3"),
        ({"task": "qa", "qa_passages": '["甲", "乙"'}, "begin like a JSON list but"),
        ({"task": "qa", "qa_passages": '{"甲": 1}'}, "“Passages” must be a list, or"),
        ({"task": "qa", "qa_passages": "甲\n\n" * 11}, "may be 10 at most, got 11"),
        ({"task": "qa", "qa_passages": 3}, "“Passages” must be a list, or"),
        ({"task": "fewshot", "fewshot_labels": "好=好\n好=坏"}, "have the same label"),
        (
            {"task": "fewshot", "fewshot_examples": "[1"},
            "“Examples” must be a list such",
        ),
        (
            {"task": "fewshot", "fewshot_examples": {"a": 1}},
            "“Examples” must be a list",
        ),
        ({"task": "fewshot", "fewshot_max_steps": 999}, "“Max steps” must be a whole"),
        ({"task": "facts", "facts_num_return": 11}, "“Candidates” must be a whole"),
        ({"task": "facts", "facts_base": "a.csv"}, "The uploaded file is gone"),
        ({"task": "facts", "facts_base": {"path": "/etc/passwd"}}, "uploaded file is"),
    ],
)
def test_what_is_given_once_is_checked_before_anything_runs(ask, given, sentence):
    with pytest.raises(DemoError) as caught:
        ask("a.txt", "春", **given)
    assert sentence in caught.value.en
    assert re.search("[一-鿿]", caught.value.zh)


def test_every_field_that_a_person_writes_once_has_a_place():
    assert written_of(TRIPLES) == ("schema",)
    assert {"passages", "passage"} < {*options_of(QA)}
    assert {"labels", "pattern", "examples"} < {*options_of(FEWSHOT)}
    assert (brought_of(FACTS), options_of(FACTS)) == (("base",), ("num_return",))


def put(folder, name, data):
    """Upload as gradio does; return what the page's component holds then."""
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def test_facts_are_asked_of_the_sample_base(shelf, ask):
    batch = ask("问.txt", "李白的号是什么？\n苏轼的号是什么？\n", task="facts")
    first, second = records(batch)
    assert first["matches"][0]["objects"] == ["青莲居士"]
    assert second["matches"][0]["objects"] == ["东坡居士"]
    assert first["base"]["name"] == "示例库 sample"
    assert shelf.players["fact_finder"].built == 1
    assert "李白 · 号 · 青莲居士" in files_view.settle(batch)


def test_facts_are_asked_of_a_base_that_is_brought(shelf, ask, tmp_path):
    table = "主语,谓语,宾语\n雷峰塔,所在地,杭州\n雷峰塔,始建,975年\n"
    base = put(tmp_path, "库.csv", table.encode("gbk"))
    data = '{"question": "雷峰塔的所在地？"}\n{"question": "？", "base": "b"}\n'
    batch = ask("问.jsonl", data, task="facts", facts_base=base)
    answered, refused = records(batch)
    assert answered["matches"][0]["objects"] == ["杭州"]
    assert answered["base"]["name"] == "库.csv"
    assert "“Base” (base) is given once for all questions" in refused["error"]
    assert shelf.players["fact_finder"].built == 1


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.tsv", "甲\t乙\n甲\t乙\t丙\n丁\n", "2 lines without a column"),
        ("a.tsv", "甲\t乙\n甲\t乙\t丙\n丁\n", ": 1, 3."),
        ("a.txt", "甲\t乙\t丙\n", "one of .csv .tsv .jsonl, got .txt"),
        ("a.csv", "", "The file has no triple"),
        ("a.csv", b"a" * (5 * 2**20 + 1), "may have 5 MB, got 5.0 MB; for larger ones"),
    ],
)
def test_a_base_that_cannot_be_used_earns_a_sentence(
    shelf, ask, tmp_path, name, data, sentence
):
    base = put(tmp_path, name, data)
    with pytest.raises(DemoError) as caught:
        ask("问.txt", "谁？\n", task="facts", facts_base=base)
    assert sentence in caught.value.en
    assert "/" not in caught.value.en.replace("--", "")
    assert shelf.players["fact_finder"].built == 0


def test_a_file_that_was_never_begun_has_no_download(shelf, tmp_path):
    question, given = question_over(shelf, tmp_path), {"weights": "owner/unknown"}
    frames = question.frames(values_for(question, tmp_path, "a.txt", "春\n", given))
    batch = next(frames)
    with pytest.raises(ModelError):
        list(frames)
    drawn = files_view.settle(batch)
    assert "停在这里 stopped" in drawn
    assert "Nothing was answered" in drawn
    assert "href" not in drawn
    assert str(tmp_path) not in drawn
    assert not batch.target.path.exists()


def test_auto_is_any_weights_that_are_ready_and_can(tmp_path):
    question = question_over(OneAble(), tmp_path)
    frames = question.frames(
        values_for(question, tmp_path, "a.txt", "早\n", {"task": "dialogue"})
    )
    (answer,) = records(list(frames)[-1])
    assert answer["reply"].startswith("早")


LESSON = {
    "task": "fewshot",
    "fewshot_labels": "好评=好\n差评=坏",
    "fewshot_pattern": "____。{text}",
    "fewshot_examples": "香\t好评\n臭\t差评\n",
    "fewshot_max_steps": 6,
}


def test_examples_for_every_line_are_learned_once_before_the_first(shelf, tmp_path):
    question = question_over(shelf, tmp_path)
    text = "".join(f"第{number}碗很臭\n" for number in range(20))
    values = values_for(question, tmp_path, "评.txt", text, LESSON)
    told = []
    for batch in question.frames(values):
        told.append((batch.beginning, batch.done))
    assert len(shelf.players["mask_filler"].lessons) == 1
    assert {record["label"] for record in records(batch)} == {"差评"}
    learning = [(words, done) for words, done in told if words]
    assert learning[-1] == ("学习 learning 6 / 6", 0)
    assert told[-1] == ("", 20)
    assert files_view.stream(batch)


@pytest.mark.parametrize(
    "own",
    [
        {"examples": [{"text": "香", "label": "好"}, {"text": "臭", "label": "坏"}]},
        {"labels": {"好评": "很", "差评": "不"}},
    ],
)
def test_a_line_of_a_file_never_learns(shelf, ask, own):
    once = LESSON if "labels" in own else {**LESSON, "fewshot_examples": ""}
    labels = {"labels": ["好", "坏"]} if "examples" in own else {}
    lines = [{"text": "香"}, {"text": "香", **labels, **own}]
    answered, refused = records(
        ask("评.jsonl", "\n".join(map(json.dumps, lines)), **once)
    )
    assert answered["label"]
    assert "cannot bring examples of its own" in refused["error"]
    assert "--examples FILE --input FILE." in refused["error"]
    assert len(shelf.players["mask_filler"].lessons) == ("labels" in own)


def test_stop_ends_a_lesson_and_frees_the_place(shelf, tmp_path):
    filler = shelf.players["mask_filler"]
    filler.step_seconds = 0.01
    question = question_over(shelf, tmp_path, slots=1)
    given = {**LESSON, "fewshot_max_steps": 300}
    frames = question.frames(values_for(question, tmp_path, "评.txt", "香\n", given))
    batch = next(frame for frame in frames if " / 300" in frame.beginning)
    frames.close()
    since = time.monotonic()
    while not filler.closed:
        assert time.monotonic() - since < 2, "the lesson goes on"
        time.sleep(0.01)
    assert (batch.done, batch.beginning) == (0, "")
    assert question.seats.acquire(blocking=False)


def test_examples_that_do_not_fit_the_labels_are_told_by_line(ask):
    given = {**LESSON, "fewshot_examples": "香\t好评\n臭\t难吃\n"}
    with pytest.raises(DemoError, match="line 2 has the label '难吃', which is not"):
        ask("评.txt", "香\n", **given)


@pytest.mark.parametrize("name", EVERY_TASK)
def test_the_drawn_defaults_are_options_that_can_be_used(name, ask):
    batch = ask("一.txt", "春风又绿江南岸。\n", task=name)
    assert (batch.done, batch.num_lines) == (1, 1)
    missing = {
        "qa": "“Passages” are missing",
        "fewshot": "“Labels” are not given",
        "similarity": "“Second text” (text_b) is missing",
        "nearest": "“Lines” must have 1 to 10000 lines",
    }
    if name in missing:
        assert missing[name] in records(batch)[0]["error"]
    else:
        assert batch.failed == 0


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.jsonl", b"", "has no line to answer"),
        ("a.csv", b"prompt\n", "has no line to answer"),
        ("a.csv", b"id,text\n1,a\n", "one of them prompt; got: id, text"),
        ("a.txt", b"\x89PNG\r\n\x00\x01", "a.txt is no text file: use .jsonl, .csv"),
        ("a.txt", "春".encode("utf-16"), "The input is UTF-16: save it as UTF-8."),
        ("a.pdf", b"%PDF", "a.pdf is of no known type: use .jsonl .csv .txt."),
        ("a.txt", b"a\n" * 100_000, f"may have {MAX_LINES} lines, and this one has"),
        (
            "a.txt",
            b"a" * (5 * 2**20 + 1),
            "5 MB, got 5.0 MB; for larger ones use the term",
        ),
    ],
)
def test_a_file_that_cannot_be_used_earns_a_sentence(ask, name, data, sentence):
    with pytest.raises(DemoError) as caught:
        ask(name, data)
    assert sentence in caught.value.en
    assert re.search("[一-鿿]", caught.value.zh)
    assert "/" not in caught.value.en.replace("--", "")  # no place of this machine


def test_what_is_too_long_for_the_page_names_the_terminal(ask):
    with pytest.raises(
        DemoError, match="请在终端里做：python -m demos generation --in"
    ):
        ask("a.txt", b"a\n" * (MAX_LINES + 1))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"generation_temperature": 99}, "“Temperature” must be a number between"),
        ({"generation_num_return": None}, "“Candidates” must be a whole number"),
        (
            {"task": "../x"},
            "“Task” must be one of generation, title, triples,",
        ),
        ({"output_type": "exe"}, "“Output format” must be one of jsonl, csv"),
        ({"weights": 3}, "“Weights” must be text, got 3."),
        ({"upload": None}, "Choose a file first."),
        ({"upload": "春"}, "The uploaded file is gone: choose it again."),
        ({"upload": {"path": "/etc/passwd"}}, "The uploaded file is gone"),
        ({"upload": {"path": "a\0b"}}, "The uploaded file is gone"),
        ({"upload": {"path": ["a"]}}, "The uploaded file is gone"),
    ],
)
def test_every_input_is_checked_before_anything_runs(shelf, ask, given, sentence):
    with pytest.raises(DemoError) as caught:
        ask("a.txt", "春", **given)
    assert sentence in caught.value.en
    assert shelf.generator.asked == []


def test_a_way_out_of_the_folder_leads_nowhere(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "secret.txt"
    inside.mkdir()
    outside.write_text("x")
    (inside / "link.txt").symlink_to(outside)
    for path in (inside / ".." / "secret.txt", inside / "link.txt", inside):
        with pytest.raises(DemoError):
            received(inside, {"path": str(path)})


def test_a_line_that_takes_too_long_fails_alone(shelf, ask):
    shelf.generator.step_seconds = 0.02
    data = (
        '{"prompt": "春", "max_new_tokens": 20}\n{"prompt": "秋", "max_new_tokens": 1}'
    )
    batch = ask("a.jsonl", data, seconds=0.1)
    slow, quick = records(batch)
    assert "超过了每次 0.1 秒的限时" in slow["error"]
    assert "ask for fewer tokens or candidates" in slow["error"]
    assert quick["texts"]


def test_a_line_whose_whole_answer_comes_late_is_answered(shelf, ask):
    shelf.generator.step_seconds = 0.02
    batch = ask("a.jsonl", '{"prompt": "春", "max_new_tokens": 1}', seconds=0.01)
    (answer,) = records(batch)
    assert answer["texts"]


def test_a_whole_file_has_a_limit_and_leaves_what_is_done(shelf, tmp_path, monkeypatch):
    monkeypatch.setattr("app.batch.REQUESTS_PER_FILE", 0)
    shelf.generator.step_seconds = 0.01
    question = question_over(shelf, tmp_path)
    frames = question.frames(values_for(question, tmp_path, "a.txt", "春\n秋\n"))
    batch = next(frames)
    with pytest.raises(DeadlineError, match=r"--output FILE --resume\."):
        list(frames)
    assert records(batch) == []


def test_closing_ends_the_line_at_its_next_step_and_keeps_the_lines_before(
    shelf, tmp_path
):
    question = question_over(shelf, tmp_path, slots=1)
    frames = question.frames(
        values_for(question, tmp_path, "a.txt", "一\n二\n三\n四\n")
    )
    batch = next(frame for frame in frames if frame.done == 2)
    next(frames)
    frames.close()
    assert len(shelf.generator.asked) == shelf.generator.closed == 3
    assert [record["prompt"] for record in records(batch)] == ["一", "二"]
    assert "停在这里 stopped" in files_view.settle(batch)
    assert question.seats.acquire(blocking=False)  # and its place is free again


def test_closing_between_two_portions_keeps_the_lines_before(shelf, tmp_path):
    question = question_over(shelf, tmp_path)
    text = "".join(f"第{number}号\n" for number in range(100))
    given = {"task": "title"}
    frames = question.frames(values_for(question, tmp_path, "a.txt", text, given))
    batch = next(frame for frame in frames if frame.done == 9)
    frames.close()
    assert shelf.players["text_rewriter"].batches == [8, 8]
    assert [r["text"] for r in records(batch)] == [f"第{n}号" for n in range(9)]
    assert question.seats.acquire(blocking=False)


def test_a_long_portion_is_shown_while_it_lasts_and_stop_waits_for_none(
    shelf, tmp_path, monkeypatch
):
    held = threading.Event()
    rewriter = shelf.players["text_rewriter"]
    answered = type(rewriter).rewrite_many

    def slowly(self, *asked):
        held.wait()
        return answered(self, *asked)

    monkeypatch.setattr(type(rewriter), "rewrite_many", slowly)
    question = question_over(shelf, tmp_path)
    values = values_for(question, tmp_path, "a.txt", "甲\n乙\n", {"task": "title"})
    frames = question.frames(values)
    assert [next(frames).done for _ in range(4)] == [0] * 4
    began = time.monotonic()
    frames.close()
    assert time.monotonic() - began < 5  # it is held till the end
    assert question.seats.acquire(blocking=False)
    held.set()


def test_a_whole_file_of_portions_has_a_limit_too(shelf, tmp_path, monkeypatch):
    monkeypatch.setattr("app.batch.REQUESTS_PER_FILE", 1)
    shelf.players["text_rewriter"].step_seconds = 0.01
    question = question_over(shelf, tmp_path, seconds=0.05)
    given = {"task": "title"}
    values = values_for(question, tmp_path, "a.txt", "甲乙丙\n" * 40, given)
    frames = question.frames(values)
    batch = next(frames)
    with pytest.raises(DeadlineError, match="停在第 8 行"):
        list(frames)
    assert len(records(batch)) == 8


def test_files_leave_a_slot_for_single_questions(shelf, tmp_path):
    question = question_over(shelf, tmp_path, slots=2)
    values = values_for(question, tmp_path, "a.txt", "春\n")
    first = question.frames(values)
    next(first)
    with pytest.raises(DemoError, match="Another file is being answered"):
        next(question.frames(values))
    first.close()
    assert list(question.frames(values))[-1].finished


def test_a_file_is_not_bound_by_the_limit_of_one_request(shelf, tmp_path):
    question = question_over(shelf, tmp_path)
    values = values_for(question, tmp_path, "a.txt", "春\n秋\n")
    desk = Desk(Runs(Metrics()), slots=2)
    assert list(desk.ask(question, values))[-1].finished


def test_old_outputs_are_swept_and_new_ones_stay(ask, tmp_path):
    batch = ask("a.txt", "春\n")
    sweep(tmp_path, 60.0)
    assert batch.target.path.exists()
    sweep(tmp_path, -1.0)
    assert not batch.target.path.parent.exists()
    assert batch.source.path.exists()  # uploads are swept by gradio


def test_the_table_shows_texts_and_escapes_them(ask):
    batch = ask("<b>.jsonl", '{"prompt": "<i>春"}\n{"prompt": "坏"}\n[]\n')
    drawn = files_view.settle(batch)
    assert "3 / 3 行 lines" in drawn
    assert "失败 failed 2" in drawn
    assert "&lt;i&gt;春" in drawn
    assert "<i>" not in drawn
    assert "<b>" not in drawn
    assert f"<td>{TEXT[:5]}</td>" in drawn
    assert "坏了。 / It broke." in drawn
    assert "下载 Download .jsonl" in drawn


def test_the_table_is_the_first_rows_only(ask):
    drawn = files_view.stream(ask("a.txt", "春\n" * 30))
    assert drawn.count("<tr>") == 21
    assert "The first 20; all are in the download." in drawn


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([{"text": "甲", "log_prob": -1.0}, {"text": "乙"}], "甲 ｜ 乙"),
        ({"subject": "甲", "predicate": "在", "object_start": 3}, "甲 · 在"),
        ({"subject": "甲", "meaning": "", "objects": ["乙", "丙"]}, "甲 · 乙、丙"),
        ("甲", "甲"),
        (None, ""),
        (0.5, "0.5"),
    ],
)
def test_a_cell_shows_the_texts_of_a_value(value, text):
    assert files_view.brief(value) == text


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_row_in_the_table_of_its_answers(name, ask):
    task = TASKS[name]
    batch = ask("一.txt", "《史记》的作者是<司马迁>。\n", task=name)
    drawn = files_view.settle(batch)
    assert f"<th>{task.text_field}</th><th>{task.added_fields[0]}</th>" in drawn
    assert "&lt;司马迁&gt;" in drawn


def test_the_page_says_what_a_file_may_be():
    drawn = files_view.rules(GENERATION)
    assert "up to 5 MB and 2000 lines" in drawn
    assert "python -m demos generation --input FILE --output FILE" in drawn
    assert "<code>prompt</code>" in drawn
    assert files_view.other_columns(QA)[:2] == ["passages", "mode"]
    assert files_view.other_columns(FEWSHOT) == ["labels", "pattern", "text_b"]
    assert files_view.other_columns(FACTS) == ["num_return"]


@pytest.fixture(scope="module")
def served():
    shelf = FakeShelf(FakeGenerator(text=TEXT * 9, step_seconds=0.01))
    with serving(Settings(port=0), shelf) as running:
        yield running


def upload(served, name, data):
    return httpx.post(f"{served.api}upload", files={"files": (name, data)})


def press(served, claim, **given):
    """Press Run as the page does; yield what the server sends until it is done."""
    session = secrets.token_hex(4)
    listeners = httpx.get(f"{served.url}config").json()["dependencies"]
    (run,) = [one for one in listeners if one["api_name"] == "files_run"]
    form = {
        "upload": claim,
        "task": "generation",
        "output_type": "jsonl",
        "weights": "auto",
        **OPTIONS,
        **given,
    }
    question = question_over(served.shelf, Path())
    body = {
        "data": [form[name] for name in question.inputs],
        "fn_index": run["id"],
        "session_hash": session,
    }
    httpx.post(
        f"{served.api}queue/join", json=body, headers={"accept-language": "en"}
    ).raise_for_status()
    address = f"{served.api}queue/data?session_hash={session}"
    with httpx.stream("GET", address, timeout=30) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                yield event
                if event["msg"] == "process_completed":
                    return


def claim_of(served, name, data):
    (path,) = upload(served, name, data).json()
    return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def outputs(served):
    folder = Path(served.server._folder.name)
    return sorted(folder.glob("answers-*/*"), key=lambda path: path.stat().st_mtime)


def test_over_http_a_file_goes_in_and_a_file_comes_out(served):
    *_, last = press(served, claim_of(served, "问.txt", "春\n秋\n".encode()))
    assert last["success"], last
    output = outputs(served)[-1]
    assert output.name == "问-generation.jsonl"
    answer = httpx.get(f"{served.url}{files_view.FILE_ROUTE}{output}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["prompt"] for line in lines] == ["春", "秋"]


def test_a_client_that_leaves_ends_its_file(served):
    closed, asked = served.generator.closed, len(served.generator.asked)
    claim = claim_of(served, "a.txt", "春\n" * 500)
    events = press(served, claim, generation_max_new_tokens=100)
    for event in events:
        if event["msg"] == "process_generating":
            break
    events.close()
    since = time.monotonic()
    while "maskplay_running 0.0" not in httpx.get(f"{served.url}metrics").text:
        assert time.monotonic() - since < 2, "the slot is still taken"
        time.sleep(0.02)
    assert served.generator.closed - closed == len(served.generator.asked) - asked
    assert len(served.generator.asked) - asked < 3


def test_a_place_of_this_machine_is_no_upload(served):
    claim = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    for one in (claim, {"path": "/etc/passwd"}):
        *_, last = press(served, one)
        assert not last["success"]
        assert "root:" not in json.dumps(last)


def test_a_file_too_large_for_questions_may_come_in_but_is_not_read(served):
    claim = claim_of(
        served, "a.txt", b"a" * 5_300_000
    )  # a base of facts may be so large
    *_, last = press(served, claim)
    assert not last["success"]
    assert "A file on this page may have 5 MB, got 5.1 MB" in last["output"]["error"]


def test_two_hundred_megabytes_are_refused_before_they_are_sent(served):
    status, sentence = post_upload(served, length=200 << 20)
    assert status == 413
    assert "The file is too large for this page: split it" in sentence
    assert "python -m demos TASK --input FILE --output FILE" in sentence


@pytest.fixture
def strict(monkeypatch):
    """A server that takes uploads of 100 kB."""
    monkeypatch.setattr("app.server.MAX_BYTES", 100_000)
    with serving(Settings(port=0), FakeShelf()) as running:
        yield running


def test_an_upload_without_a_length_is_refused_while_it_streams(strict):
    status, sentence = post_upload(strict, chunks=[b"a" * 60_000] * 2)
    assert status == 413
    assert "The file is too large for this page" in sentence
    assert upload(strict, "a.txt", b"a" * 90_000).status_code == 200
    assert left_over(strict) == []


def test_an_upload_that_breaks_off_leaves_nothing(strict):
    post_upload(strict, chunks=[b"a" * 60_000], leave=True)
    since = time.monotonic()
    while left_over(strict):
        assert time.monotonic() - since < 2, "the half file is still there"
        time.sleep(0.02)


def left_over(served):
    folder = Path(served.server._folder.name)
    return [path for path in folder.iterdir() if path.is_file()]


def post_upload(served, *, length=None, chunks=(), leave=False):
    """Begin an upload byte by byte; return the answer's status and sentence."""
    address = urlsplit(served.url)
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
    size = f"content-length: {length}" if length else "transfer-encoding: chunked"
    lines = (
        "POST /gradio_api/upload HTTP/1.1",
        f"host: {address.netloc}",
        "accept-language: en",
        "content-type: multipart/form-data; boundary=x",
        size,
        "\r\n",
    )
    with socket.create_connection((address.hostname, address.port), 10) as line:
        line.sendall("\r\n".join(lines).encode())
        for chunk in (head, *chunks) if chunks else ():
            line.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if leave:
            time.sleep(0.3)  # until it has been written somewhere
            assert left_over(served)
            return None
        answer = http.client.HTTPResponse(line)
        answer.begin()
        return answer.status, json.load(answer)["detail"]


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "http://127.0.0.1/", "https://example.org/x", ""]
)
def test_only_the_servers_own_folder_is_served(served, path):
    folder = served.server._folder.name
    assert httpx.get(f"{served.api}file={path}").status_code == 404
    for way_out in (f"{folder}/../../etc/passwd", f"{folder}/%2e%2e/secret"):
        assert httpx.get(f"{served.api}file={way_out}").status_code in {403, 404}


def test_nothing_is_left_when_the_server_ends():
    shelf = FakeShelf()
    with serving(Settings(port=0), shelf) as running:
        folder = Path(running.server._folder.name)
        (path,) = upload(running, "a.txt", b"a").json()
        assert Path(path).is_relative_to(folder)
    assert not folder.exists()
