"""Published figures beside those of the scores."""

from recipes import publishedcard
from recipes.dev_sets import DEV_SETS

SCORES = {
    "parameters": 8_700_000,
    "tasks": {
        "qa": {
            "examples": 9,
            "model": {"span": {"f1": 0.1}, "mlm": {"f1": 0.2}},
            "baseline": None,
            "by_source": {
                "cmrc2018-dev": {
                    "examples": 4,
                    "model": {"span": {"f1": 0.56}, "mlm": {"f1": 0.3}},
                    "baseline": {"f1": 0.26},
                }
            },
        }
    },
}


def test_every_published_figure_says_where_it_is_from_and_why_it_is_another():
    names = {one.name for one in DEV_SETS}
    for task in publishedcard.PUBLISHED:
        assert task["at"] in names
        assert task["unlike"]
        for one in task["models"]:
            assert one["source"]
            assert one["unlike"]
            assert any(character.isdigit() for character in one["figure"])


def test_the_best_mode_stands_above_what_others_published():
    lines = publishedcard.section(SCORES).splitlines()
    mine = next(n for n, line in enumerate(lines) if "本模型 · this one" in line)
    assert lines[mine].startswith("| 问答，CMRC 2018 dev · answers | **本模型")
    assert (
        "| 8.7 M 参数 parameters | **56.0**（4），基线 baseline 26.0 |" in lines[mine]
    )
    assert (
        "| BERT | 未写明 not told | EM 65.5，F1 84.5 | 任务摘要 · digest |"
        in lines[mine + 1]
    )
    columns = {line.count("|") for line in lines if line.startswith("|")}
    assert columns == {7}


def test_tasks_without_a_score_are_not_told():
    text = publishedcard.section(SCORES)
    assert "ALBERT" not in text
    assert publishedcard.section({"parameters": 1}) == ""


def test_the_core_on_clean_splits_stands_between():
    one = {"accuracy": 0.75}
    few = {"examples": 4, "model": {"x": one}, "baseline": None, "by_source": {}}
    clean = {
        "splits": 5,
        "examples": 160,
        "model": {"zero_shot": {"accuracy": 0.5}, "few_shot": {"accuracy": 0.61}},
        "baseline": {"accuracy": 0.58},
    }
    scores = {"parameters": 1, "tasks": {"eprstmt": few}, "splits": {"eprstmt": clean}}
    lines = publishedcard.section(scores).splitlines()
    mine = next(n for n, line in enumerate(lines) if "**75.0**（4） |" in line)
    assert "| **61.0**（5 × 32），基线 baseline 58.0 |" in lines[mine + 1]
    assert "微调 · fine-tuned | 412 MB | 65.4 |" in lines[mine + 2]
