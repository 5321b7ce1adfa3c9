import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from demos.summary.task import SummaryRequest
from model_core.interfaces import Relation
from model_core.roles.parts import Parts
from model_core.training.lineage import lineage
from recipes import curve, curvecard, modelcard, playcard, told
from recipes.asking import AskSettings
from recipes.dev_sets import DEV_SETS
from recipes.evaluate_tasks import BASELINES, OTHER_BASELINES
from recipes.showing import Shown
from recipes.told import Told

SHIPPED = Path(__file__).parents[2] / "assets" / "embedded"
CONFIG = {
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "num_attention_heads": 1,
    "vocab_size": 99,
}
BITS = {"bits_per_character": 6.0837, "characters": 100}
SCORES = {
    "parameters": 1_500_000,
    "modern": BITS,
    "novels": BITS,
    "poems": BITS,
    "poems_per_form": 4,
    "poems_form": {"五言绝句": 0.75},
}
FACTS = {
    "step": 20,
    "tokens": 2_000_000,
    "seconds": 3600.0,
    "curve": [],
    "device": ["tensorflow"],
}
REPORT = {
    "task": "qa",
    "examples": 40,
    "model": {
        "mlm": {"exact_match": 0.5, "f1": 0.61234, "seconds": 8.0},
        "span": {"exact_match": 0.25, "f1": 0.5, "seconds": 4.0},
    },
    "baseline": {"exact_match": 0.025, "f1": 0.125},
    "by_source": {
        "cmrc": {
            "examples": 30,
            "model": {"mlm": {"f1": 0.7}, "span": {"f1": 0.6}},
            "baseline": {"f1": 0.1},
        },
        "cjrc": {
            "examples": 10,
            "model": {"mlm": {"f1": 0.3}, "span": {"f1": 0.2}},
            "baseline": {"f1": 0.2},
        },
        "yes_no": {
            "examples": 2,
            "model": {"mlm": {"yes_no_accuracy": 1.0}},
            "baseline": {"yes_no_accuracy": 0.0},
        },
    },
    "other_baselines": {"naive_bayes": {"exact_match": 0.3, "f1": 0.4}},
}
PARTS = Parts(
    ("generation", "title"),
    (Relation("人物", "父亲", "人物"), Relation("人物", "母亲", "人物")),
    conditions=("正面", "负面"),
)
TOLD = Told(
    ("language_model", "span"),
    {"title": 0.3, "cloze": 0.1, "styled": 0.0},
    {"hide": 0.1, "clip": 0.1},
    {"qa": (Shown("谁？", "甲", "乙", 0.0), Shown("何时？", "今", "今", 1.0))},
)
SPLITS = {
    "task": "fewshot",
    "name": "eprstmt",
    "splits": 2,
    "examples": 64,
    "tokens": 5_700_000,
    "model": {"few_shot": {"accuracy": 0.6, "spread": 0.1}},
    "baseline": {"accuracy": 0.55, "spread": 0.0},
    "other_baselines": {"naive_bayes": {"accuracy": 0.5, "spread": 0.0}},
    "by_split": {
        "few_shot": [0.5, 0.7],
        "baseline": [0.55, 0.55],
        "naive_bayes": [0.5, 0.5],
    },
}


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), encoding="utf8")
    return tmp_path


def card(folder, facts=FACTS, known=None, scores=SCORES):
    if known:
        told.write(known, folder)
        PARTS.save(folder / "parts.json")
    modelcard.write_card(folder, scores, facts)
    return (folder / "README.md").read_text(encoding="utf8")


def sections(splits=None, shipped=None, **changed):
    reports = {"qa": {**REPORT, **changed}}
    scores = {"parameters": 9, "tasks": reports, "splits": splits or {}}
    if shipped:
        scores["splits_shipped"] = shipped
    return playcard.play_sections(PARTS, TOLD, scores)


def write_runs(folder, runs):
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf8"))
    config["training"] = {"runs": runs}
    path.write_text(json.dumps(config), encoding="utf8")


def test_the_card_of_the_core_says_nothing_of_plays(folder):
    text = card(folder)
    assert "2.0 M 词元，20 步，1.0 小时" in text
    assert "| 6.084 | 100 字" in text
    assert "五言绝句 合格 · form kept | 75.0% | 4 首" in text
    assert "python -m recipes release  " in text
    assert "六出戏" not in text
    assert "一段接一段" not in text
    assert "绕圈" not in text
    assert "分数与词元" not in text
    assert json.loads((folder / "scores.json").read_text(encoding="utf8")) == SCORES


def test_totals_are_over_all_runs_and_each_stands_by_itself(folder):
    plays = {**FACTS, "step": 5, "device": ["jax"], "before": lineage(FACTS)}
    text = card(folder, plays)
    assert "4.0 M 词元，25 步，2.0 小时" in text
    assert "  1. 2.0 M 词元 tokens，20 步 steps，1.0 小时 hours，TensorFlow\n" in text
    assert "  2. 2.0 M 词元 tokens，5 步 steps，1.0 小时 hours，JAX\n" in text
    assert "Keras + TensorFlow、JAX\n" in text


def test_a_card_claims_no_machine_that_a_run_did_not_note(folder):
    text = card(folder, {**FACTS, "device": ["torch"]})
    assert "Keras + torch\n" in text
    assert "CPU" not in text.split("重做")[0]


def test_a_part_with_weights_of_its_own_is_told_with_its_runs(folder):
    assert "own-weights" not in card(folder)
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf8"))
    runs = [{"step": step, "tokens": 10**6, "seconds": 900.0} for step in (3, 4)]
    config["training"] = {"runs": [], "own_weights": {"pointing": runs}}
    path.write_text(json.dumps(config), encoding="utf8")
    own = {"pointing": "pointing.safetensors"}
    Parts(("pointing",), own_weights=own).save(folder / "parts.json")
    (folder / "pointing.safetensors").write_bytes(bytes(1_200_000))
    text = card(folder)
    assert "`pointing.safetensors`，1.2 MB" in text
    assert "2.0 M 词元 tokens，7 步 steps，0.5 小时 hours" in text
    assert "own-weights --run runs/triples-2 --part pointing" in text
    assert "--part generation" not in text


def test_weights_that_began_elsewhere_are_told_apart(folder):
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf8"))
    runs = [{"step": 3, "tokens": 10**6, "seconds": 900.0}]
    config["training"] = {
        "runs": [], "own_weights": {"words": runs, "title": runs}, "apart": ["words"],
    }  # fmt: skip
    path.write_text(json.dumps(config), encoding="utf8")
    own = {name: f"{name}.safetensors" for name in ("words", "title")}
    Parts(("words", "title"), own_weights=own).save(folder / "parts.json")
    for name in own.values():
        (folder / name).write_bytes(bytes(9))
    words, title = (
        next(line for line in card(folder).splitlines() if f"（`{name}`，" in line)
        for name in own.values()
    )
    assert "that did not begin with these" in words
    assert "begun with these" in title


def test_a_card_is_written_again_from_what_lies_beside_it(folder):
    first = card(folder, known=TOLD)
    write_runs(folder, lineage(FACTS))
    path = folder / "README.md"
    path.write_text("lost", encoding="utf8")
    modelcard.rewrite_card(folder, "")
    assert path.read_text(encoding="utf8") == first

    better = SCORES | {"modern": {**SCORES["modern"], "bits_per_character": 5.5}}
    (folder / "scores.json").write_text(json.dumps(better), encoding="utf8")
    modelcard.rewrite_card(folder, "## curve\n\n")
    text = path.read_text(encoding="utf8")
    assert "| 5.500 | 100 字" in text
    assert text.index("## curve") < text.index("## 一份权重")


def test_a_core_has_no_plays_to_tell(folder):
    first = card(folder)
    write_runs(folder, lineage(FACTS))
    modelcard.rewrite_card(folder, "")
    assert (folder / "README.md").read_text(encoding="utf8") == first
    assert "## 一份权重" not in first


def test_plays_stand_between_scores_and_data_with_their_own_commands(folder):
    text = card(folder, known=TOLD)
    assert text.index("## 分数") < text.index("## 一份权重") < text.index("## 数据 ·")
    assert "release --stage plays --run runs/plays --data DIR" in text
    assert "question-answering, text-classification]" in text


def test_the_machine_and_the_size_are_told_where_somebody_noted_it(folder):
    text = card(folder, known=Told(machine="two_cores"))
    assert "AVX2" in text.split("重做")[0]
    assert "2×64 连六出戏的步子在内，每小时 2.0 M" in text
    assert all(name in modelcard.WORDS["machines"] for name in ("two_cores",))
    assert "AVX2" not in card(folder, known=Told(heads=("span",)))


def test_weights_are_published_with_one_command(folder):
    assert "hf upload OWNER/NAME assets/embedded . --repo-type model" in card(folder)


def test_overlap_is_told_where_it_was_checked(folder):
    assert "## 重合" not in card(folder)
    found = {"touched": 3, "share": 0.25, "mostly": 1}
    one = {"texts": 9, "long": 4, "short": 8, "lm": found, "train": found}
    by_set = {"title text": 2}
    source = {"documents": 50, "touched": 2, "by_set": by_set}
    noted = {
        "checked": "2026-01-01",
        "sets": {"title text": one},
        "sources": {"lm/a": source},
    }
    (folder / "overlap.json").write_text(json.dumps(noted), encoding="utf8")
    text = card(folder, known=TOLD)
    assert "| title text | 9 | 4 | 3 (75.0%) | 3 (75.0%) | 25.0% | 25.0% |" in text
    assert "- lm/a: 2 / 50（title text 2）" in text
    places = [text.index(f"## {name}") for name in ("六出戏的数据", "重合", "数据 ·")]
    assert places == sorted(places)


@pytest.mark.parametrize("file", ["pointing", "generation", "title-summary", "mine"])
def test_any_weights_of_their_own_have_a_line_and_a_command(folder, file):
    parts = file.split("-") if file != "mine" else ["facts"]
    told.write(TOLD, folder)
    write_runs(folder, [])
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf8"))
    runs = [{"step": 3, "tokens": 10**6, "seconds": 900.0}]
    config["training"]["own_weights"] = dict.fromkeys(parts, runs)
    path.write_text(json.dumps(config), encoding="utf8")
    own = dict.fromkeys(parts, f"{file}.safetensors")
    Parts(tuple(parts), own_weights=own).save(folder / "parts.json")
    (folder / f"{file}.safetensors").write_bytes(bytes(9))
    modelcard.write_card(folder, SCORES, FACTS)
    text = (folder / "README.md").read_text(encoding="utf8")
    assert f"`{file}.safetensors`" in text
    assert f"--part {'+'.join(parts)}" in text


def test_scores_stand_beside_their_baseline_with_the_number_of_examples():
    text = sections()
    assert "### 问答 · Question answering（40 例 · examples）" in text
    assert "| | exact_match | f1 | 秒/例 s each |" in text
    assert "| **mlm** | 50.0 | 61.2 | 0.20 |" in text
    assert (
        "| 基线 与问题重合最多的一句 · sentence of most overlap | 2.5 | 12.5 |" in text
    )
    assert (
        "| 参照 朴素贝叶斯，同样的训练样本 · naive Bayes, same examples | 30.0" in text
    )
    assert "- cmrc（30 例）：mlm 70.0，span 60.0，基线 baseline 10.0" in text
    assert "- cjrc（10 例）：mlm 30.0，span 20.0，基线 baseline 20.0" in text
    assert "- yes_no" not in text
    assert "| 谁？ | 甲 | 乙 | 0 |" in text


def test_what_has_no_baseline_is_told_without():
    parts = {
        name: {**part, "baseline": None} for name, part in REPORT["by_source"].items()
    }
    text = sections(baseline=None, other_baselines={}, by_source=parts)
    assert "| | exact_match | f1 | 秒/例 s each |" in text
    assert "| **mlm** | 50.0 | 61.2 | 0.20 |" in text
    assert "- cmrc（30 例）：mlm 70.0，span 60.0\n" in text
    assert "| 基线" not in text


def test_few_examples_are_told_with_their_error():
    scores = {"few_shot": {"accuracy": 0.5, "seconds": 8.0}}
    alone = {"baseline": None, "by_source": {}, "other_baselines": {}}
    text = sections(task="fewshot", examples=25, model=scores, **alone)
    assert "误差，95% · error：few_shot ±19.6" in text
    assert "误差" not in sections()


def test_a_breach_of_the_rule_is_called_one():
    text = sections()
    assert "破规矩的地方 · A breach of the rule" in text
    assert "have learned no label of any dev file" in text


def test_clean_means_over_splits_stand_beside_their_baselines():
    assert "干净的一行" not in sections()
    text = sections(splits={"eprstmt": SPLITS})
    assert "（5.7 M 词元" in text
    assert "| eprstmt | **few_shot** | 60.0 ± 10.0 | 50.0、70.0 | 2 × 32 |" in text
    assert "| 55.0 ± 0.0 | 55.0、55.0 | 2 × 32 |" in text
    assert text.index("干净的一行") < text.index("## 例子")
    assert "这一份权重" not in text.partition("### 少样本，干净的一行")[2]


def test_means_of_the_weights_themselves_stand_in_a_table_of_their_own():
    core, shipped = "### 少样本，干净的一行", "### 少样本，这一份权重"
    learned = {**SPLITS["model"]["few_shot"], "accuracy": 0.75}
    better = {**SPLITS, "model": {"few_shot": learned}}
    text = sections(splits={"eprstmt": SPLITS}, shipped={"eprstmt": better})
    before, _, after = text.partition(shipped)
    assert "60.0 ±" in before.partition(core)[2]
    assert "| eprstmt | **few_shot** | 75.0 ±" in after
    assert core not in sections(shipped={"eprstmt": better})


def test_the_worst_are_chosen_by_their_rule_and_stand_uncut():
    long = Shown("谁" * 200, "甲" * 100, "乙" * 100, 0.25)
    known = replace(TOLD, examples={"qa": (*TOLD.examples["qa"], long)})
    text = playcard.play_sections(PARTS, known, {"tasks": {}})
    _, _, after = text.partition("### 最差的")
    assert "3 例，全对 1，一分没有 1" in after
    assert after.index("| 谁？ | 甲 | 乙 | 0 |") < after.index(long.asked)
    assert long.said in after
    assert "| 何时？" not in after
    right = replace(TOLD, examples={"qa": (Shown("何", "今", "今", 1.0),)})
    all_right = playcard.play_sections(PARTS, right, {"tasks": {}})
    assert "1 例，全对 1，一分没有 0" in all_right
    assert all_right.count("| 何 |") == 1


def test_the_card_says_how_long_a_summary_may_be():
    asked, usual = AskSettings().summary_chars, SummaryRequest("文").max_chars
    text = sections()
    assert f"摘要最多写 {asked} 字，页面默认 {usual} 字" in text
    assert (
        f"summaries of at most {asked} characters, the page's default is {usual}"
        in text
    )


def test_one_source_is_no_comparison():
    only = {"cmrc": REPORT["by_source"]["cmrc"]}
    assert "按来源" not in sections(by_source=only)


def test_what_was_trained_is_told_from_the_values():
    text = sections()
    assert "generation、title" in text
    assert "language_model、span" in text
    assert "正面、负面" in text
    assert "- 人物：父亲、母亲" in text
    assert "| 75% | 最难" in text
    assert "| 25% | 一次教两种读法" in text
    assert "`styled`" not in text
    assert "| `hide` | 0.1 | 源里被遮住" in text


def test_formats_are_drawn_as_their_module_draws_them():
    lines = playcard.drawn_formats().split("\n")
    assert lines[0].startswith("rewriting   [CLS][标题] source [SEP]")
    assert len(lines) == 6


def test_every_table_has_its_words():
    words = playcard.WORDS
    assert words["titles"].keys() == {one.name for one in DEV_SETS}
    others = {name for row in OTHER_BASELINES.values() for name in row}
    assert words["baselines"].keys() == BASELINES.keys() | others
    assert set(modelcard.WORDS["again"]["own"]) == {
        "pointing", "generation", "title", "words",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "longest", "told"),
    [
        ("一|二\n三<b>", 20, "一｜二 三&lt;b>"),
        ("一二三四五六", 6, "一二三四五六"),
        ("一二三四五六七", 6, "一二三四……"),
    ],
)
def test_a_cell_keeps_its_table_whole(text, longest, told):
    assert playcard.cell(text, longest) == told


def test_failures_come_before_what_went_well():
    rows = [Shown("好", "", "", 1.0), Shown("坏", "", "", 0.0)]
    text = playcard.failures({"title": rows})
    assert text.index("| 坏 |") < text.index("| 好 |")
    assert text.count("| 坏 |") == text.count("| 好 |") == 1


def test_the_shipped_card_is_what_the_files_beside_it_say(tmp_path):
    folder = tmp_path / "embedded"
    folder.mkdir()
    for path in SHIPPED.iterdir():  # sizes are told, so that the weights are needed
        shutil.copy(path, folder)
    told_before = (folder / "README.md").read_text(encoding="utf8")
    history = curvecard.section(curve.read(folder / "history.json"))
    modelcard.rewrite_card(folder, history)
    assert (folder / "README.md").read_text(encoding="utf8") == told_before
