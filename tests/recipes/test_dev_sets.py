import json

import pytest

from model_core.interfaces import PASSAGE_READER
from recipes.dev_sets import (
    DEV_SETS,
    FEWSHOT_SETS,
    SHOWCASE,
    SHOWN_SETS,
    DevSet,
    answered,
    files_of,
)
from recipes.evaluate_tasks import BASELINES
from recipes.patterns import PATTERNS
from recipes.task_files import load_task_data
from tests.fake_passage_reader import FakePassageReader

QA = DevSet("qa", "qa", "qa")


def load(one, path):
    return load_task_data(one.task, path)


def test_every_task_is_scored_and_few_shot_before_and_after_learning():
    assert {one.task for one in DEV_SETS} == BASELINES.keys()
    assert {one.name for one in DEV_SETS if one.learn} == set(FEWSHOT_SETS)
    assert set(FEWSHOT_SETS) <= PATTERNS.keys()


def test_a_missing_file_is_told_at_once(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected dev\.jsonl .* in .*title"):
        files_of(tmp_path)


def test_the_showcase_is_complete_and_true_to_itself():
    files = files_of(SHOWCASE, SHOWN_SETS)
    data = {one.name: load(one, path) for one, path in files.items()}
    assert {one.task for one in SHOWN_SETS} == BASELINES.keys()
    assert all(3 <= len(one.examples) <= 5 for one in data.values())
    for example in data["qa"].examples:
        for answer in example.answers:
            assert example.passage.startswith(answer.text, answer.start)
    for example in data["triples"].examples:
        for triple in example.triples:
            assert triple.subject in example.text
            assert triple.object in example.text
    assert all(example.fact in data["kgqa"].facts for example in data["kgqa"].examples)
    for name in ("eprstmt", "tnews"):
        labels = {one.label for one in data[name].labels}
        assert {example.label for example in data[name].examples} <= labels


def test_a_set_is_put_to_the_player_of_its_task(tmp_path):
    (tmp_path / "qa").mkdir()
    record = {"passage": "小明在北京。", "question": "在哪？", "yes_no": None}
    record["answers"] = [{"text": "北京", "start": 3}]
    line = json.dumps(record, ensure_ascii=False) + "\n"
    (tmp_path / "qa/dev.jsonl").write_text(line * 3, encoding="utf8")
    roles = []

    def play(role):
        roles.append(role)
        return FakePassageReader({"在哪？": ("北京",)})

    ((one, answers),) = answered(files_of(tmp_path, (QA,)), play, limit=2)
    assert (one, roles) == (QA, [PASSAGE_READER])
    assert set(answers.answers) == {"mlm", "seq2seq"}
    assert answers.answers["mlm"] == ["北京", "北京"]
