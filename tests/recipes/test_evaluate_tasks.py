import json

import pytest

from recipes.asking import ASKS
from recipes.evaluate_tasks import BASELINES, OTHER_BASELINES, asks_of, evaluate_task
from recipes.scoring import SCORES
from recipes.tasks_data import PARSERS
from tests.fake_passage_reader import FakePassageReader


def write(path, *records):
    text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records)
    path.write_text(text, encoding="utf8")
    return path


def question(source, asked, answer):
    return {
        "source": source,
        "passage": "小明住在北京。小红住在上海。",
        "question": asked,
        "answers": [{"text": answer, "start": 4}],
        "yes_no": None,
    }


@pytest.fixture(name="questions")
def fixture_questions(tmp_path):
    return write(
        tmp_path / "dev.jsonl",
        question("cmrc", "小明住在哪里？", "北京"),
        question("cjrc", "小红住在哪里？", "上海"),
    )


def test_a_report_has_every_mode_the_baseline_and_each_source(questions):
    reader = FakePassageReader({"小明住在哪里？": ("北京",)})
    report = evaluate_task("qa", questions, asks_of(reader))
    assert report.keys() == {
        "task",
        "examples",
        "model",
        "baseline",
        "by_source",
        "other_baselines",
    }
    assert (report["task"], report["examples"]) == ("qa", 2)
    for mode in reader.modes:
        scores = report["model"][mode]
        assert (scores["exact_match"], scores["f1"]) == (0.5, 0.5)
        assert scores["seconds"] >= 0
        assert report["by_source"]["cmrc"]["model"][mode]["f1"] == 1.0
        assert report["by_source"]["cjrc"]["model"][mode]["f1"] == 0.0
    # the sentence has six characters, two of them right
    assert report["baseline"] == {"exact_match": 0.0, "f1": 0.5}
    assert report["by_source"]["cjrc"]["examples"] == 1
    json.dumps(report)


def test_without_a_model_the_baseline_alone_is_scored(questions):
    report = evaluate_task("qa", questions, limit=1)
    assert (report["examples"], report["model"]) == (1, {})


def test_a_baseline_learns_from_the_file_beside_or_from_the_one_given(tmp_path):
    dev = write(tmp_path / "dev.jsonl", {"text": "春夏秋冬", "summary": "春夏"})
    assert evaluate_task("summary", dev)["baseline"] is None
    write(tmp_path / "train.jsonl", {"text": "", "summary": "两字"})
    assert evaluate_task("summary", dev)["baseline"]["rouge_l"] == 1.0
    other = write(tmp_path / "other.jsonl", {"text": "", "summary": "四个字呢"})
    told = evaluate_task("summary", dev, train=other)
    assert told["baseline"]["rouge_l"] == pytest.approx(2 / 3, abs=1e-4)


def test_an_answer_is_scored_where_there_is_no_baseline(tmp_path):
    said = ("史记", "作者", "司马迁")
    names = ("subject", "predicate", "object")
    record = {"text": "司马迁的史记", "triples": [dict(zip(names, said, strict=True))]}
    path = write(tmp_path / "some.jsonl", record)
    report = evaluate_task("triples", path, lambda _: {"some": lambda _: [[said]]})
    assert report["model"]["some"]["f1"] == 1.0
    assert (report["baseline"], report["other_baselines"]) == (None, {})


def test_what_memory_alone_gives_stands_beside(tmp_path):
    triple = {
        "subject": "史记",
        "predicate": "作者",
        "object": "司马迁",
        "subject_type": "书",
        "object_type": "人",
    }
    record = {"text": "司马迁的史记", "triples": [triple]}
    write(tmp_path / "train.jsonl", record)
    report = evaluate_task("triples", write(tmp_path / "dev.jsonl", record))
    assert report["baseline"]["f1"] == 1.0
    assert report["other_baselines"]["remembered_pairs"]["f1"] == 1.0
    assert report["by_source"] == {}


def test_every_task_is_read_asked_scored_and_has_a_baseline():
    assert PARSERS.keys() == ASKS.keys() == SCORES.keys() == BASELINES.keys()
    assert OTHER_BASELINES.keys() <= BASELINES.keys()
