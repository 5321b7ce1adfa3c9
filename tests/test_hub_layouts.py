"""Each layout of the hub is pulled, loaded and answers in the part of its tab.

A loopback hub serves the repositories of ``hub_repositories``; the client, the shelf
and the parts are the program's own.
"""

import time

import numpy as np
import pytest

pytest.importorskip("transformers")

from model_core.interfaces import (
    DIALOGUE_PARTNER,
    MASK_FILLER,
    PASSAGE_READER,
    REPLACED_TOKEN_DETECTOR,
    SENTENCE_ENCODER,
    SENTENCE_REPHRASER,
    TEXT_GENERATOR,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    Blanked,
    DialogueOptions,
    GenerationOptions,
    ModelError,
    ReadingOptions,
    Relation,
    RephraseOptions,
    RewriteOptions,
    Turn,
)
from model_core.shelf import ModelShelf, ShelfSettings
from tests.fakehub import COMMIT, FakeHub, commit_of
from tests.hub_repositories import FOLDERS, REPOSITORIES

TEXT = "春风又绿江南岸"
TERABYTE = 10**12
PATIENCE_SECONDS = 120


def continues(model):
    options = GenerationOptions(max_new_tokens=3, min_new_tokens=3, seed=1)
    *_, frame = model.complete("春风", options)
    assert frame.candidates[0].text


def rewrites(model):
    options = RewriteOptions(part="title", max_new_tokens=3, num_beams=1)
    *_, frame = model.rewrite(TEXT, options)
    assert frame.rewritings[0].candidate.log_prob < 0


def points(model):
    asked = model.asking((Relation("春", "风", ""),))
    (found,) = asked.point((TEXT,), asked.decoders[0], floor=0.0)
    assert isinstance(found, tuple)


def converses(model):
    options = DialogueOptions(max_new_tokens=3, seed=1)
    *_, frame = model.reply([Turn("person", TEXT[:3])], options)
    assert frame.num_new_tokens


def reads(model):
    options = ReadingOptions(mode="span", num_answers=1)
    *_, frame = model.read("何时", (TEXT,), options)
    assert frame.answers


def fills(model):
    scores = model.log_probs((Blanked("春", "又绿"),), ("今", "天"))
    assert scores.shape == (1, 2)
    assert (scores < 0).all()


def encodes(model):
    vectors = model.encode((TEXT, "明月")).vectors
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def rephrases(model):
    options = RephraseOptions(num_samples=6, max_new_tokens=4, seed=1)
    *_, frame = model.rephrase(TEXT, options)
    assert frame.ranked
    assert all(one.text != TEXT for one in frame.rephrasings)


def inspects(model):
    (found,) = model.inspect((TEXT,))
    assert len(found.tokens) == len(TEXT)


ASK = {
    TEXT_GENERATOR: continues,
    TEXT_REWRITER: rewrites,
    TRIPLE_POINTER: points,
    DIALOGUE_PARTNER: converses,
    PASSAGE_READER: reads,
    MASK_FILLER: fills,
    SENTENCE_ENCODER: encodes,
    SENTENCE_REPHRASER: rephrases,
    REPLACED_TOKEN_DETECTOR: inspects,
}


@pytest.fixture(scope="module", name="hub")
def fixture_hub():
    with FakeHub({}) as hub:
        yield hub


@pytest.fixture(scope="module", name="shelf")
def fixture_shelf(hub, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    settings = ShelfSettings(
        cache_dir=cache, allow_local=True, memory_bytes=TERABYTE, rehearse=False
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "MASKPLAY_CACHE"):
            patch.delenv(name, raising=False)
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        patch.setenv("HF_ENDPOINT", hub.url)
        shelf = ModelShelf(settings)
        yield shelf
        shelf.close()


def ask(shelf, role, name):
    """Ask weights in a part; the first who asks has them loaded."""
    model = shelf.model(role, name, timeout_seconds=PATIENCE_SECONDS)
    ASK[role](model)
    return model.weights


@pytest.mark.parametrize(
    "repository", REPOSITORIES, ids=[one.name for one in REPOSITORIES]
)
def test_a_repository_is_pulled_and_answers(repository, hub, shelf, tmp_path):
    hub.repos[repository.name] = repository.written(tmp_path / "made")
    hub.requests.clear()
    weights = ask(shelf, repository.role, repository.name)
    assert hub.bodies(repository.weights), "another file was read"
    revision = "@" in repository.name
    assert weights.commit == (commit_of(repository.name) if revision else COMMIT)
    for role in repository.refused:
        with pytest.raises(ModelError) as refusal:
            shelf.model(role, repository.name)
        assert refusal.value.kind == "missing_head"
        assert role.zh in refusal.value.zh
        assert role.en in refusal.value.en
    shelf.unload(repository.name)


@pytest.mark.parametrize("family", FOLDERS)
def test_a_release_for_tensorflow_in_a_folder_answers(family, shelf, tmp_path):
    folder = FOLDERS[family]
    folder.written(tmp_path / "made")
    assert (tmp_path / "made" / folder.weights).exists()
    begun = time.monotonic()
    assert ask(shelf, folder.role, str(tmp_path / "made")).family == family
    assert time.monotonic() - begun < PATIENCE_SECONDS


def test_every_row_names_its_own_layout():
    names = [one.name for one in REPOSITORIES]
    assert len(names) == len(set(names))
    assert {one.role for one in REPOSITORIES} == set(ASK)
