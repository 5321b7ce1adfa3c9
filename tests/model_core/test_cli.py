"""``python -m model_core`` keeps the contract: inspect and logits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model_core import __main__ as terminal
from model_core.interfaces import ModelError
from tests.model_core.checkpoints.checkpoint_files import TINY, write_own, write_tensors

ROOT = Path(__file__).parents[2]
IDS = [[1, 2, 3, 4], [5, 6, 0, 0]]
MASK = [[1, 1, 1, 1], [1, 1, 0, 0]]


@pytest.fixture
def folder(tmp_path):
    write_own(tmp_path / "model", heads=("language_model", "pooler"))
    return tmp_path / "model"


@pytest.fixture
def ask(folder, tmp_path):
    """Run ``logits`` over an input and return status and arrays."""

    def run(values, *options):
        source, target = tmp_path / "ids.json", tmp_path / "out.npz"
        source.write_text(json.dumps(values))
        paths = ["--input", str(source), "--output", str(target)]
        status = terminal.main(["logits", str(folder), *paths, *options])
        if not target.exists():
            return status, None
        with np.load(target) as arrays:
            return status, dict(arrays)

    return run


def test_inspect_tells_what_is_there(folder, capsys):
    assert terminal.main(["inspect", str(folder)]) == 0
    text = capsys.readouterr().out
    for part in ("maskplay", "language_model, pooler", "safetensors", "sound: "):
        assert part in text


def test_inspect_as_json(folder, capsys):
    assert terminal.main(["inspect", str(folder), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["ok"] is True
    assert values["family"] == "maskplay"
    assert values["files"] == ["model.safetensors"]
    assert values["config"]["hidden_size"] == TINY.hidden_size
    assert values["num_parameters"] > 0


def test_inspect_fails_where_a_tensor_is_wrong(folder, capsys):
    write_tensors(folder / "model.safetensors", {"x\x1b[2J": np.ones(3, "float32")})
    assert terminal.main(["inspect", str(folder)]) == 1
    text = capsys.readouterr().out
    assert "NOT sound" in text
    assert "token_embedding/embeddings" in text
    assert "\\x1b[2J" in text
    assert "\x1b" not in text


def test_inspect_fails_where_a_file_is_broken(folder, capsys):
    (folder / "model.safetensors").write_bytes(b"broken")
    assert terminal.main(["inspect", str(folder), "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["ok"] is False
    assert "the header claims" in json.loads(captured.out)["error"]
    assert "error: model.safetensors" in captured.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./nowhere", "there is no such folder"),
        ("/nowhere/at/all", "there is no such folder"),
        ("../nowhere-at-all", "there is no such folder"),
    ],
)
def test_a_path_that_is_no_folder_is_refused(name, message, capsys):
    assert terminal.main(["inspect", name]) == 1
    assert message in capsys.readouterr().err


def test_a_file_is_refused(folder, capsys):
    assert terminal.main(["inspect", str(folder / "config.json")]) == 1
    assert "is a file; expected the folder" in capsys.readouterr().err


def test_another_name_is_one_of_the_hub(folder, monkeypatch, capsys):
    asked = []

    class Hub:
        def __init__(self, cache_dir, offline):
            asked.append((cache_dir, offline))

        def snapshot(self, repo_id, on_progress):
            asked.append(repo_id)
            return type(
                "Snapshot",
                (),
                {"folder": folder, "commit": "c" * 40, "repo_id": "owner/name"},
            )

    monkeypatch.setattr(terminal, "HubClient", Hub)
    arguments = ["inspect", "owner/name@v1", "--offline", "--cache-dir", "/c", "--json"]
    assert terminal.main(arguments) == 0
    assert asked == [(Path("/c"), True), "owner/name@v1"]
    values = json.loads(capsys.readouterr().out)
    assert values["commit"] == "c" * 40
    assert values["repository"] == "owner/name"


def test_failures_of_the_hub_are_told_in_both_languages(monkeypatch, capsys):
    def fail(*_, **__):
        raise ModelError("offline", "没有网络", "no network")

    monkeypatch.setattr(terminal, "HubClient", fail)
    assert terminal.main(["inspect", "owner/name"]) == 1
    assert "没有网络 / no network" in capsys.readouterr().err


def test_logits_writes_the_heads_by_name(ask):
    status, arrays = ask({"token_ids": IDS, "padding_mask": MASK})
    assert status == 0
    assert set(arrays) == {"logits", "pooled"}
    assert arrays["logits"].shape == (2, 4, TINY.vocab_size)
    assert arrays["logits"].dtype == np.float32
    assert np.isfinite(arrays["logits"]).all()


def test_padding_and_segments_matter_as_they_should(ask):
    _, plain = ask({"token_ids": IDS, "padding_mask": MASK})
    changed = [IDS[0], [5, 6, 9, 9]]
    _, padded = ask({"token_ids": changed, "padding_mask": [[True] * 4, MASK[1]]})
    np.testing.assert_allclose(
        padded["logits"][1, :2], plain["logits"][1, :2], atol=1e-5
    )
    segments = [[0, 0, 1, 1], [0, 0, 0, 0]]
    _, other = ask({"token_ids": IDS, "segment_ids": segments, "padding_mask": MASK})
    assert np.abs(other["logits"][0, 2:] - plain["logits"][0, 2:]).max() > 1e-3
    np.testing.assert_allclose(other["logits"][1], plain["logits"][1], atol=1e-5)


def test_the_engine_is_chosen_by_name(ask, capsys):
    status, _ = ask({"token_ids": IDS}, "--engine", "keras")
    assert status == 0
    assert "logits: 2x4x11" in capsys.readouterr().out
    status, _ = ask({"token_ids": IDS}, "--engine", "nonsense")
    assert status == 1
    assert "engine must be one of" in capsys.readouterr().err


def test_without_a_language_model_the_hidden_states_are_given(tmp_path, capsys):
    reference = pytest.importorskip("tests.model_core.reference_models")
    reference.save_safetensors(reference.bert("BertForQuestionAnswering"), tmp_path)
    (tmp_path / "ids.json").write_text(json.dumps({"token_ids": IDS}))
    paths = ["--input", str(tmp_path / "ids.json"), "--output", str(tmp_path / "out")]
    assert terminal.main(["logits", str(tmp_path), *paths]) == 0
    with np.load(tmp_path / "out") as arrays:
        assert set(arrays) == {"hidden", "start_logits", "end_logits"}
        assert arrays["start_logits"].shape == (2, 4)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "must have token_ids"),
        ({"token_ids": IDS, "input_ids": IDS}, "received ['input_ids', 'token_ids']"),
        ([IDS], "expected a JSON object"),
        ({"token_ids": [[1, 2], [3]]}, "must be a rectangle, received rows of [2, 1]"),
        ({"token_ids": []}, "list of rows"),
        ({"token_ids": [[]]}, "list of rows"),
        ({"token_ids": [1, 2]}, "list of rows"),
        ({"token_ids": "x"}, "list of rows"),
        ({"token_ids": [[11]]}, "row 0 holds '11', accepted are integers from 0 to 10"),
        ({"token_ids": [[1], [-1]]}, "row 1 holds '-1'"),
        ({"token_ids": [[1.0]]}, "holds '1.0'"),
        ({"token_ids": [[True]]}, "holds 'True'"),
        ({"token_ids": [[10**30]]}, "accepted are integers from 0 to 10"),
        ({"token_ids": [[1] * 7]}, "a row has 7 ids, this checkpoint reads at most 6"),
        ({"token_ids": IDS, "segment_ids": [[2] * 4] * 2}, "segment_ids: row 0 holds"),
        (
            {"token_ids": IDS, "segment_ids": [[0] * 4]},
            "segment_ids must have the shape",
        ),
        ({"token_ids": IDS, "segment_ids": [0]}, "segment_ids must be a list of rows"),
        (
            {"token_ids": IDS, "padding_mask": [[2] * 4] * 2},
            "padding_mask: row 0 holds",
        ),
        ({"token_ids": IDS, "padding_mask": [[1] * 4, [0] * 4]}, "has no real token"),
        ({"token_ids": IDS, "decoder_token_ids": IDS}, "this family has no decoder"),
    ],
)
def test_wrong_input_is_refused_before_the_framework_loads(
    values, message, ask, capsys
):
    status, arrays = ask(values)
    assert status == 1
    assert arrays is None
    assert message in capsys.readouterr().err


def test_a_missing_input_file_is_told(folder, capsys):
    paths = ["--input", "nowhere.json", "--output", "out.npz"]
    assert terminal.main(["logits", str(folder), *paths]) == 1
    assert "nowhere.json: cannot be read" in capsys.readouterr().err


def test_the_module_runs_as_a_program(folder):
    done = subprocess.run(
        [sys.executable, "-m", "model_core", "inspect", str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "family:             maskplay" in done.stdout
