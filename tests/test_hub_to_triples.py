"""mREBEL from the hub and from a folder, by way of the terminal and of the tab.

The repository is a tiny mBART-50 that was taught two sentences, in mREBEL's layout.
"""

import io
import json

import pytest

pytest.importorskip("transformers")

from app.metrics import Metrics
from app.runs import Runs
from app.tabs import triples
from app.wiring import Desk
from demos.__main__ import open_shelf
from demos.terminal.session import Streams, run
from model_core.interfaces import TEXT_REWRITER, ModelError
from model_core.shelf import ModelShelf, ShelfSettings
from tests.fakehub import FakeHub
from tests.model_core.reference_models import save_safetensors
from tests.model_core.written_checkpoint import (
    BAND,
    REPO,
    TRIPLES,
    WRITER,
    write_written,
)


@pytest.fixture(scope="module", name="folder")
def fixture_folder(tmp_path_factory):
    return write_written(tmp_path_factory.mktemp("mrebel"), save_safetensors)


@pytest.fixture(name="hub")
def fixture_hub(folder, tmp_path, monkeypatch):
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MASKPLAY_CACHE", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    with FakeHub({REPO: files}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def in_terminal(*arguments):
    out, err = io.StringIO(), io.StringIO()
    streams = Streams(io.BytesIO(), out, err)
    status = run(["triples", *arguments], open_shelf, streams)
    assert status == 0, err.getvalue()
    return out.getvalue()


def said(record):
    return {
        (o["subject_type"], o["subject"], o["predicate"], o["object_type"], o["object"])
        for o in record["triples"]
    }


@pytest.mark.parametrize("place", ["hub", "name", "folder"])
def test_a_terminal_lists_what_was_written(hub, folder, place):
    weights = {"hub": REPO, "name": "mrebel-large", "folder": str(folder)}[place]
    record = json.loads(in_terminal("--json", "--weights", weights, WRITER))
    assert said(record) == TRIPLES[WRITER]
    for one in record["triples"]:
        start = one["subject_start"]
        assert WRITER[start : start + len(one["subject"])] == one["subject"]
    assert bool(hub.bodies("model.safetensors")) == (place != "folder")


def test_a_terminal_says_what_was_written_where_nothing_is_asked_for(hub, folder):
    answer = in_terminal("--weights", str(folder), "--schema", "人物: 出生地", BAND)
    assert "has part, location of formation" in answer
    assert "照抄" in answer


def test_the_tab_answers_with_them_and_no_other_tab_does(hub, tmp_path):
    shelf = ModelShelf(ShelfSettings(weights=REPO, cache_dir=tmp_path, rehearse=False))
    with pytest.raises(ModelError) as caught:
        shelf.model(TEXT_REWRITER, REPO, timeout_seconds=0)
    assert caught.value.kind == "missing_head"
    assert "抽取三元组" in caught.value.zh  # what they can do
    assert not hub.bodies("model.safetensors")  # told before any download
    shelf.load(REPO)
    question = triples.question(shelf)
    values = {
        "text": BAND, "schema": "has part", "threshold": 0.5, "decoder": "auto",
        "weights": REPO,
    }  # fmt: skip
    desk = Desk(Runs(Metrics()), slots=1)
    *_, result = desk.ask(question, [values[name] for name in question.inputs])
    record = triples.as_json(result)
    assert said(record) == {row for row in TRIPLES[BAND] if row[2] == "has part"}
    assert record["unasked"] == ["location of formation"]
    assert record["weights"].startswith(f"{REPO}@")
    shelf.close()
