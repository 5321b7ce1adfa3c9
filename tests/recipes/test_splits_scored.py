"""Few-shot over the splits of a task, and the command that takes a folder of them."""

import json
import sys

import pytest

from model_core.interfaces import MASK_FILLER
from recipes import __main__ as recipes
from recipes import evaluate_command, evaluation, splits_scored
from tests.fake_mask_filler import FakeMaskFiller
from tests.fakes import FakePlayer

LONGEST = evaluate_command.LONGEST_LESSON_SECONDS


class PatientFiller(FakeMaskFiller):
    """Learns only where nobody looks at the clock."""

    def learn(self, sentences, words, answers, options):
        assert options.max_seconds == LONGEST
        return super().learn(sentences, words, answers, options)


REPORTS = [
    {
        "task": "fewshot",
        "examples": 2,
        "model": {"zero_shot": {"accuracy": right}},
        "baseline": {"accuracy": 0.5},
        "other_baselines": {"naive_bayes": {"accuracy": 1 - right}},
    }
    for right in (0.25, 0.75)
]


def write(folder, name, *labels):
    rows = ({"text": f"{name}{n}", "label": x} for n, x in enumerate(labels))
    (folder / name).write_text("\n".join(map(json.dumps, rows)), encoding="utf8")


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
    folder = tmp_path / "eprstmt"
    folder.mkdir()
    for number in range(2):
        write(folder, f"train_{number}.jsonl", "Positive", "Negative")
        write(folder, f"dev_{number}.jsonl", "Positive", "Negative", "Positive")
    labels = [
        {"label": "Positive", "zh": "好"},
        {"label": "Negative", "zh": "差"},
    ]
    (folder / "labels.json").write_text(json.dumps(labels), encoding="utf8")
    return folder


def test_every_split_has_its_own_train_file(folder):
    first, second = splits_scored.read_splits(folder)
    assert [e.text for e in first.examples] == [f"dev_0.jsonl{n}" for n in range(3)]
    assert [e.text for e in second.train] == ["train_1.jsonl0", "train_1.jsonl1"]
    assert first.folder == "eprstmt"


def test_what_is_no_folder_of_splits_is_named(folder):
    (folder / "train_1.jsonl").unlink()
    with pytest.raises(ValueError, match=r"a train file beside each of dev_1\.jsonl"):
        splits_scored.read_splits(folder)
    (folder / "dev_1.jsonl").unlink()
    with pytest.raises(ValueError, match=r"dev_1\.jsonl and so on .* received dev_0"):
        splits_scored.read_splits(folder)


def test_means_are_over_splits_and_each_split_is_told(folder):
    reports = iter(REPORTS)
    told = splits_scored.score(
        splits_scored.read_splits(folder), lambda _: next(reports)
    )
    assert (told["name"], told["splits"], told["examples"]) == ("eprstmt", 2, 4)
    assert told["model"] == {"zero_shot": {"accuracy": 0.5, "spread": 0.25}}
    assert told["baseline"] == {"accuracy": 0.5, "spread": 0.0}
    assert told["other_baselines"]["naive_bayes"]["accuracy"] == 0.5
    assert told["by_split"] == {
        "zero_shot": [0.25, 0.75],
        "baseline": [0.5, 0.5],
        "naive_bayes": [0.75, 0.25],
    }


def test_the_command_takes_a_folder_and_learns_to_the_last_step(
    folder, tmp_path, monkeypatch, capsys
):
    filler = PatientFiller()
    player = FakePlayer({MASK_FILLER.name: filler})
    monkeypatch.setattr(evaluation, "load_player", lambda *_: player)
    config = {"training": {"runs": [{"tokens": 5}, {"tokens": 7}]}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf8")
    asked = ("--task", "fewshot", "--learn", "--weights", tmp_path, "--input")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["recipes", "evaluate", *map(str, words)])
        recipes.main()

    run(*asked, folder)
    told = json.loads(capsys.readouterr().out)
    assert (told["splits"], told["tokens"]) == (2, 12)
    assert told["model"].keys() == {"zero_shot", "few_shot"}
    assert len(filler.lessons) == filler.closed == 2
    with pytest.raises(SystemExit, match="received none"):
        run(*asked, tmp_path)
