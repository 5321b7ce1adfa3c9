"""The newer targets of pretraining through the commands, on a toy corpus."""

import itertools
import json
import sys

import numpy as np
import pytest

from model_core.training.snapshot import load_facts
from recipes import __main__ as recipes
from recipes import encoding, joint, teaching, vocabulary
from recipes.pretraining import Leg, PlainText
from tests.recipes.test_corpus import write_data

SIZE = ("--hidden-size", "64", "--layers", "1")
LEG = ("--rows", "8", "--length", "48", *SIZE)
TARGETS = (
    *("--whole-words", "1", "--spans", "0.4", "--sentences", "0.4"),
    *("--gap-rows", "0.25", "--prefix-rows", "0.25", "--cloze-rows", "0.25"),
)


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


def test_from_data_to_a_core_that_met_every_target(command, tmp_path):
    folder = tmp_path / "runs/corpus"
    data = ("data", "--data", write_data(tmp_path), "--no-tasks")
    command(*data, "--no-words")
    assert encoding.load("modern-train", folder).words is None
    lines = command("words").splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "modern-train", "novels-train", "poems-train", "news-train",
    ]  # fmt: skip
    corpus = encoding.load("modern-train", folder)
    begun = sum(int(corpus.begins(n).sum()) for n in range(corpus.num_documents))
    assert lines[0] == f"modern-train: {begun} words"
    assert corpus.num_documents < begun < len(corpus.token_ids)
    command(*data, "--vocabulary", folder / "vocab.txt")
    again = encoding.load("modern-train", folder)
    np.testing.assert_array_equal(again.words, corpus.words)
    told = json.loads(command("train", *LEG, *TARGETS, "--until-step", "3"))
    assert told == {"step": 3, "tokens": 3 * 8 * 48}
    assert load_facts(tmp_path / "runs/core")["settings"]["plain"] == {
        "prefix_rows": 0.25,
        "cloze_rows": 0.25,
        "sources": {"modern": 0.5, "novels": 0.15, "poems": 0.35},
        "whole_words": 1.0,
        "spans": 0.4,
        "sentences": 0.4,
        "gap_rows": 0.25,
    }
    plain = PlainText(0.25, 0.25, whole_words=1.0, spans=1.0, gap_rows=0.25)
    made = joint.language_batches(folder, Leg(length=48, rows=8), 0, plain)
    tokens = vocabulary.read(folder / "vocab.txt")
    seen = {
        tokens[token]
        for batch in itertools.islice(made, 10)
        for token in np.unique(batch.inputs["token_ids"])
    }
    assert "[MASK]" in seen


def test_a_stage_keeps_its_own_share_of_blanks_unless_told():
    parser = recipes.build_parser()
    options = parser.parse_args(["train"])
    assert teaching._plain(options, 0.375) == PlainText(cloze_rows=0.375)
    assert teaching._joint_options(options) == joint.Options()
    told = parser.parse_args(["train", "--cloze-rows", "0", "--source", "poems=1"])
    assert teaching._plain(told, 0.375) == PlainText(
        cloze_rows=0, sources={"poems": 1.0}
    )


def test_news_are_refused_to_free_writing(command):
    with pytest.raises(SystemExit, match="it has blanks to fill and gaps only"):
        command("train", *LEG, "--source", "news=1", "--until-step", "1")
