"""Train, export, evaluate and release on weights that know nothing: every command of
the plays, on a toy vocabulary and the showcase.
"""

import json
import shutil
import sys
from pathlib import Path

import pytest

from model_core.roles.parts import load_parts
from model_core.training.snapshot import load_facts
from model_core.training.trainer import Trainer
from recipes import __main__ as recipes
from recipes import (
    curve,
    dev_sets,
    evaluation,
    export,
    joint,
    manners,
    modelcard,
    playcard,
    releasing,
    told,
    vocabulary,
)
from recipes.dev_sets import SHOWCASE, SHOWN_SETS
from recipes.evaluate_tasks import evaluate_task
from recipes.modelcard import SOURCES
from recipes.scoring import SCORES
from recipes.showing import Shown
from recipes.told import Told

SIZE = ("--hidden-size", "64", "--layers", "1")
RELATIONS = [
    {"subject_type": "图书作品", "predicate": "作者", "object_type": "人物"},
    {"subject_type": "人物", "predicate": "父亲", "object_type": "人物"},
]
FILES = {
    "title": "title/dev.jsonl",
    "triples": "triples/dev.jsonl",
    "qa": "qa/dev.jsonl",
    "kgqa": "kgqa/dev.jsonl",
    "fewshot": "fewshot/eprstmt/dev_0.jsonl",
    "summary": "summary/dev.jsonl",
}


def write_data(folder):
    """Copy the showcase; its examples teach the baselines too."""
    shutil.copytree(SHOWCASE, folder)
    for path in [*folder.rglob("dev*.jsonl")]:
        shutil.copy(path, path.with_name(path.name.replace("dev", "train")))
    return folder


def write_corpus(folder, data):
    folder.mkdir(parents=True)
    texts = "".join(path.read_text(encoding="utf8") for path in data.rglob("*.jsonl"))
    characters = sorted(set(texts + "很不") - set("\n "))  # and words of patterns
    tokens = [*vocabulary.MARKS, *characters]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf8")
    (folder / "relations.json").write_text(json.dumps(RELATIONS), encoding="utf8")
    export.write_tokenizer_settings(folder)
    held = json.dumps({"style": "散文", "text": "从前有座山。"}, ensure_ascii=False)
    for name in ("modern", "novels", "poems"):
        (folder / f"{name}-held.jsonl").write_text(held + "\n", encoding="utf8")
    return len(tokens)


@pytest.fixture(scope="module", name="place")
def fixture_place(tmp_path_factory):
    place = tmp_path_factory.mktemp("plays")
    size = write_corpus(place / "corpus", write_data(place / "data"))
    with pytest.MonkeyPatch.context() as patch:
        learn_nothing(patch, size)
        asked = ("--corpus", place / "corpus", *SIZE)
        for run, start in (("first", ()), ("second", ("--start", place / "first"))):
            train = ("train", "--stage", "plays", "--run", place / run, *start)
            call(patch, *train, *asked)
        written = ("--run", place / "second", "--output", place / "made")
        call(patch, "export", "--stage", "plays", *asked, *written)
    return place


def learn_nothing(patch, vocabulary_size):
    """Let a leg of training save what it begins with."""
    patch.setattr(vocabulary, "VOCABULARY_SIZE", vocabulary_size)
    patch.setattr(joint, "streams", lambda *_: {})
    patch.setattr(Trainer, "run", lambda self, *_, **__: self.save())
    patch.setattr("signal.signal", lambda *_: None)


def call(patch, *words):
    patch.setattr(sys, "argv", ["recipes", *map(str, words)])
    recipes.main()


def test_a_run_remembers_what_it_began_with_and_how_it_was_asked(place):
    assert load_facts(place / "first")["before"] == []
    (before,) = load_facts(place / "second")["before"]
    assert before["step"] == 0
    assert before["device"] == load_facts(place / "first")["device"]
    settings = load_facts(place / "second")["settings"]
    assert settings["shares"] == joint.SHARES
    assert settings["options"].keys() == playcard.WORDS["options"].keys()
    assert settings["shares"].keys() == playcard.WORDS["steps"].keys()


@pytest.mark.parametrize(
    "switched",
    [("--average", "0.99"), ("--accumulate", "2"), ("--freeze", "token_embedding")],
)
def test_what_an_optimizer_was_begun_with_cannot_be_switched(
    place, monkeypatch, switched
):
    learn_nothing(monkeypatch, size_of(place))
    asked = ("--corpus", place / "corpus", "--run", place / "first", *SIZE)
    with pytest.raises(SystemExit, match=f"was begun with {switched[0]}") as refused:
        call(monkeypatch, "train", "--stage", "plays", *asked, *switched)
    assert "\n" not in str(refused.value)


def test_an_older_snapshot_goes_on_without_these_facts(place, monkeypatch):
    shutil.copytree(place / "first", place / "older")
    path = place / "older" / "snapshot.json"
    document = json.loads(path.read_text(encoding="utf8"))
    for name in ("before", "settings"):
        del document["facts"][name]
    path.write_text(json.dumps(document), encoding="utf8")
    learn_nothing(monkeypatch, size_of(place))
    asked = ("--corpus", place / "corpus", *SIZE)
    train = ("train", "--stage", "plays", "--run", place / "older")
    call(monkeypatch, *train, *asked, "--start", place / "second")
    assert [run["step"] for run in load_facts(place / "older")["before"]] == [0, 0]


def size_of(place):
    text = (place / "corpus/vocab.txt").read_text(encoding="utf8")
    return len(text.split("\n")) - 1


@pytest.mark.parametrize("task", FILES)
def test_every_task_is_evaluated_beside_its_baseline(place, task, monkeypatch, capsys):
    file = place / "data" / FILES[task]
    asked = ("--task", task, "--input", file, "--limit", "1")
    call(monkeypatch, "evaluate", *asked, "--weights", place / "made")
    report = json.loads(capsys.readouterr().out)
    assert (report["task"], report["examples"]) == (task, 1)
    assert FILES.keys() == SCORES.keys()
    for scores in report["model"].values():
        assert scores.keys() - {"seconds"} == report["baseline"].keys()
        assert all(value >= 0 for value in scores.values())
    modes = {"qa": {"seq2seq", "mlm", "span"}, "triples": {"half_pointer", "gplinker"}}
    assert modes.get(task, set()) <= report["model"].keys()


def without(file, folder, name):
    """Return a file of the showcase's copy in a folder that lacks one beside it."""
    shutil.copytree(SHOWCASE / Path(file).parent, folder)
    (folder / name).unlink(missing_ok=True)
    return folder / Path(file).name


@pytest.mark.parametrize(
    ("task", "lacks", "told"),
    [
        ("kgqa", "triples.jsonl", r"expected triples\.jsonl or triples\.jsonl\.xz"),
        ("fewshot", "labels.json", r"labels\.json"),
        ("fewshot", "train_0.jsonl", "--learn needs train examples"),
        ("title", "dev.jsonl", r"dev\.jsonl"),
    ],
)
def test_a_file_that_is_needed_is_missed_before_the_weights_are_read(
    tmp_path, monkeypatch, task, lacks, told
):
    file = without(FILES[task], tmp_path / "alone", lacks)
    asked = ("--task", task, "--input", file, "--learn", "--weights", tmp_path / "none")
    with pytest.raises(SystemExit, match=told) as missed:
        call(monkeypatch, "evaluate", *asked)
    assert "\n" not in str(missed.value)


def test_a_release_scores_the_plays_and_writes_their_card(place, monkeypatch, capsys):
    few = tuple(one for one in SHOWN_SETS if one.name in ("triples", "eprstmt"))
    files = dev_sets.files_of(place / "data", few)
    monkeypatch.setattr(dev_sets, "files_of", lambda *_: files)
    monkeypatch.setattr(releasing, "files_of", lambda *_: files)
    monkeypatch.setattr(evaluation, "poems_that_keep_form", lambda *_: {"五言绝句": 0})
    monkeypatch.setattr(vocabulary, "VOCABULARY_SIZE", size_of(place))
    measured = ("--data", place / "data", "--task-limit", "2", "--chars", "9")
    where = ("--run", place / "second", "--output", place / "released")
    where += ("--own", f"pointing={place / 'second'}", "--machine", "two_cores")
    failed = ("--failures", place / "local" / "failures.md")
    corpus = ("--corpus", place / "corpus", *SIZE)
    before = ("--manners", "1", "--history", place / "history.json")
    curve.write([curve.Release("2026-01-01", 5, 0.0, {})], place / "history.json")
    asked = []
    monkeypatch.setattr(releasing.manners, "report", lambda *a: asked.append(a))
    monkeypatch.setattr(modelcard, "manner_rows", lambda *_: ["| manners |\n"])
    call(
        monkeypatch,
        *("release", "--stage", "plays", *corpus, *measured, *where, *failed, *before),
    )
    scores = json.loads(capsys.readouterr().out)
    assert scores["tasks"].keys() == {"triples", "eprstmt"}
    assert scores["tasks"]["eprstmt"]["examples"] == 2
    card = (place / "released/README.md").read_text(encoding="utf8")
    assert "### 三元组 · Triples（2 例 · examples）" in card
    assert "- 图书作品：作者" in card
    assert "鞋子又轻又软" in card
    assert "AVX2" in card
    assert told.read(place / "released").examples.keys() == {"triples", "eprstmt"}
    assert "`pointing.safetensors`" in card
    assert load_parts(place / "released").own_weights.keys() == {"pointing"}
    ((_, summarizer, corpus, texts, amount),) = asked
    assert (summarizer, texts) == (None, [])  # no such set
    assert amount == manners.Amount(1, 50)
    assert corpus == place / "corpus"
    assert "| manners |\n" in card
    assert (
        card.index("| manners |")
        < card.index("## 分数与词元")
        < card.index("## 六出戏")
    )
    history = curve.read(place / "released/history.json")
    assert [(one.tokens, one.part) for one in history] == [
        (0, ""),
        (0, "pointing"),
        (5, ""),
    ]
    assert set(history[1].figures) == {"triples"}
    assert history[1].figures["triples"].over == 2
    assert "### " not in (place / "local/failures.md").read_text(encoding="utf8")


def test_a_release_of_plays_asks_for_the_data_before_it_begins(place, monkeypatch):
    asked = ("--stage", "plays", "--corpus", place / "corpus")
    with pytest.raises(SystemExit, match="needs --data DIR"):
        call(monkeypatch, "release", *asked, "--output", place / "nothing")
    assert not (place / "nothing").exists()


def test_baselines_are_scored_anew_and_what_the_model_said_stays(place, monkeypatch):
    file = place / "data" / FILES["kgqa"]
    said = {"tree": lambda examples: [one.fact for one in examples]}
    report = evaluate_task("kgqa", file, lambda _: said, limit=1)
    ((source, part),) = report["by_source"].items()
    old = dict.fromkeys(report["baseline"], 0.1234)
    before = {"baseline": old, "by_source": {source: {**part, "baseline": old}}}
    bits = {name: {"bits_per_character": 1, "characters": 9} for name in SOURCES}
    scores = {"parameters": 9, "poems_form": {}, "tasks": {"kgqa": report}, **bits}
    folder = shutil.copytree(place / "made", place / "judged again")
    shifted = scores | {"tasks": {"kgqa": {**report, **before}}}
    (folder / "scores.json").write_text(json.dumps(shifted), encoding="utf8")
    write_told(folder)
    monkeypatch.setattr(dev_sets, "DEV_SETS", SHOWN_SETS)
    where = ("--weights", folder, "--history", folder / "history.json")
    call(monkeypatch, "card", *where, "--data", place / "data", "--keep-examples")
    assert json.loads((folder / "scores.json").read_text(encoding="utf8")) == scores
    card = (folder / "README.md").read_text(encoding="utf8")
    assert playcard._scores(scores["tasks"]) in card
    assert "| 问甲 |" in card


def write_told(folder):
    shown = {"kgqa": (Shown("问甲", "答乙", "答丙", 0.0),)}
    told.write(Told(("span",), {"title": 1.0}, {"hide": 0.1}, shown), folder)


def test_sets_that_are_named_are_answered_anew_and_so_is_the_showcase(
    place, monkeypatch
):
    few = tuple(one for one in SHOWN_SETS if one.name in ("eprstmt", "summary"))
    monkeypatch.setattr(dev_sets, "DEV_SETS", few)
    monkeypatch.setattr(releasing, "SHOWN_SETS", few[:1])
    monkeypatch.setattr(releasing.manners, "numbers_kept", lambda _, texts: len(texts))
    bits = {name: {"bits_per_character": 1, "characters": 9} for name in SOURCES}
    old = {
        "task": "fewshot",
        "examples": 2,
        "model": {"zero_shot": {"accuracy": 0.123, "seconds": 1.0}},
        "baseline": {"accuracy": 0.5},
        "by_source": {},
        "other_baselines": {},
    }
    folder = shutil.copytree(place / "made", place / "answered again")
    scores = {"parameters": 9, "poems_form": {}, "tasks": {"eprstmt": old}, **bits}
    (folder / "scores.json").write_text(json.dumps(scores), encoding="utf8")
    splits = {**old, "name": "eprstmt", "splits": 2, "tokens": 10**6, "by_split": {}}
    splits |= {"model": {}, "baseline": {"accuracy": 0.5, "spread": 0.0}}
    splits["by_split"] = {"baseline": [0.5, 0.5]}
    (folder / "splits.json").write_text(json.dumps(splits), encoding="utf8")
    write_told(folder)
    where = ("--weights", folder, "--history", folder / "history.json")
    file = folder / "splits.json"
    call(monkeypatch, "card", *where, "--splits", file, "--splits-shipped", file)
    scores = json.loads((folder / "scores.json").read_text(encoding="utf8"))
    assert scores["tasks"]["eprstmt"] == old
    assert scores["splits"] == scores["splits_shipped"] == {"eprstmt": splits}
    assert told.read(folder).examples.keys() == {"eprstmt"}

    with pytest.raises(SystemExit, match=r"eprstmt, summary, received \['qa'\]"):
        call(monkeypatch, "card", *where, "--data", place / "data", "--score", "qa")
    monkeypatch.setattr(dev_sets, "DEV_SETS", few[:1])
    asked = ("--data", place / "data", "--score", "eprstmt")
    call(monkeypatch, "card", *where, *asked, "--keep-examples")
    scores = json.loads((folder / "scores.json").read_text(encoding="utf8"))
    assert scores["tasks"]["eprstmt"]["examples"] == 5
    assert scores["tasks"]["eprstmt"]["model"]["zero_shot"]["accuracy"] != 0.123
    assert "manners" not in scores


def test_free_writing_is_scored_anew_and_the_plays_stay_as_they_were(
    place, monkeypatch
):
    folder = shutil.copytree(place / "made", place / "shipped")
    kept = {"something else": {"examples": 3}}  # a core without plays tells none
    (folder / "scores.json").write_text(json.dumps({"tasks": kept}), encoding="utf8")
    where = ("--weights", folder, "--history", folder / "history.json")
    corpus = ("--corpus", place / "corpus", "--chars", 1, "--poems", 1)
    call(monkeypatch, "card", *where, *corpus)
    scores = json.loads((folder / "scores.json").read_text(encoding="utf8"))
    assert (scores["tasks"], scores["poems_per_form"]) == (kept, 1)
    card = (folder / "README.md").read_text(encoding="utf8")
    assert f"| {scores['modern']['bits_per_character']:.3f} |" in card
    assert [set(one.figures) for one in curve.read(folder / "history.json")] == [
        {"modern", "novels", "poems"}
    ]
