"""From a hub to text with nothing in between replaced: download, load, take over.

The repository is a tiny random GPT2 behind the default name of the generation tab.
"""

import time

import pytest

from model_core.catalog import DEFAULT_WEIGHTS
from model_core.interfaces import (
    SENTENCE_ENCODER,
    TEXT_GENERATOR,
    GenerationOptions,
    ModelError,
)
from model_core.shelf import ModelShelf, ShelfSettings
from tests.fakehub import COMMIT, FakeHub

pytest.importorskip("transformers")

from tests.model_core.reference_models import gpt2, save_bin
from tests.model_core.tiny_checkpoint import CHARACTERS

REPO = DEFAULT_WEIGHTS["generation"]
OPTIONS = GenerationOptions(max_new_tokens=4, min_new_tokens=4, seed=1)


@pytest.fixture(scope="module", name="files")
def fixture_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uer")
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens = [*marks, *CHARACTERS]
    tokens += [f"[unused{n}]" for n in range(61 - len(tokens))]
    save_bin(gpt2(), folder)
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf8")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch):
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "MASKPLAY_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


def wait_for(shelf, name, status, seconds=90):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        state = {s.name: s for s in shelf.states()}.get(name)
        if state and state.status in (status, "failed"):
            return state
        time.sleep(0.1)
    raise AssertionError(f"{name} did not become {status}: {shelf.states()}")


def last(generator, prompt="春风"):
    *_, frame = generator.complete(prompt, OPTIONS)
    return frame


def test_hub_weights_take_over_and_say_so(files, tmp_path, monkeypatch):
    with FakeHub({REPO: files}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        shelf = ModelShelf(ShelfSettings(weights="auto", cache_dir=tmp_path))
        shelf.start()
        embedded = shelf.model(TEXT_GENERATOR, "embedded", timeout_seconds=90)
        assert last(embedded).weights.name == "embedded"
        state = wait_for(shelf, REPO, "ready")
        assert state.status == "ready", state.failure
        assert state.info.commit == COMMIT
        frame = last(shelf.model(TEXT_GENERATOR, "auto"))
        assert frame.weights.name == REPO
        assert frame.weights.family == "gpt2"
        assert set(frame.candidates[0].text) <= set(CHARACTERS)
        shelf.close()
    # The hub is gone: the record and the files are enough.
    offline = ModelShelf(ShelfSettings(weights=REPO, offline=True, cache_dir=tmp_path))
    offline.start()
    again = last(offline.model(TEXT_GENERATOR, REPO, timeout_seconds=90))
    assert again.candidates == frame.candidates
    offline.close()


def test_a_repository_without_a_language_head_is_refused_by_what_it_can_play(
    files, tmp_path, monkeypatch
):
    from tests.model_core.reference_models import bert

    headless = tmp_path / "headless"
    save_bin(bert("BertModel"), headless)
    repo = {path.name: path.read_bytes() for path in headless.iterdir()}
    repo["vocab.txt"] = files["vocab.txt"]
    with FakeHub({"me/headless": repo}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        settings = ShelfSettings(weights="me/headless", cache_dir=tmp_path / "cache")
        shelf = ModelShelf(settings)
        shelf.start()
        state = wait_for(shelf, "me/headless", "ready")
        assert state.status == "ready", state.failure
        vectors = shelf.model(SENTENCE_ENCODER, "me/headless", timeout_seconds=5)
        assert vectors.weights.name == "me/headless"
        with pytest.raises(ModelError) as caught:
            shelf.model(TEXT_GENERATOR, "me/headless", timeout_seconds=5)
        assert caught.value.kind == "missing_head"
        assert "turn sentences into vectors" in caught.value.en
        embedded = shelf.model(TEXT_GENERATOR, "embedded", timeout_seconds=60)
        assert last(embedded).weights.name == "embedded"
        shelf.close()
