"""The documented commands, one after the other, on a toy corpus."""

import json
import sys

import pytest

from model_core.interfaces import GenerationOptions
from model_core.roles.text_generator import NetworkTextGenerator
from recipes import __main__ as recipes
from recipes import evaluation, vocabulary
from tests.recipes.test_corpus import write_data

SIZE = ("--hidden-size", "64", "--layers", "1")


@pytest.fixture(name="command")
def fixture_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(vocabulary, "VOCABULARY_SIZE", 260)
    monkeypatch.setattr(vocabulary, "LATIN_PIECES", 40)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["recipes", *map(str, words)])
        recipes.main()
        return capsys.readouterr().out

    return run


def test_from_data_to_a_checkpoint_that_writes(command, tmp_path):
    data = write_data(tmp_path)
    assert "novels-held: 0 tokens" in command("data", "--data", data, "--no-tasks")
    legs = ("--rows", "8", "--length", "32", *SIZE)
    first = command("train", *legs, "--until-step", "2")
    assert json.loads(first) == {"step": 2, "tokens": 512}
    second = command("train", *legs, "--until-step", "3", "--decay-from", "2")
    assert json.loads(second)["step"] == 3
    command("export", *SIZE, "--output", "made")
    held = tmp_path / "runs/corpus/modern-held.jsonl"
    asked = ("evaluate", "--task", "generation", "--weights", "made", "--input")
    assert json.loads(command(*asked, held))["documents"] == 2
    generator = NetworkTextGenerator(evaluation.load(tmp_path / "made"))
    options = GenerationOptions(max_new_tokens=4, style="五言绝句", seed=0)
    *_, frame = generator.complete("白日", options)
    assert frame.candidates[0].finish
    with pytest.raises(ValueError, match=r"expected documents in .*novels-held"):
        command(*asked, tmp_path / "runs/corpus/novels-held.jsonl")
