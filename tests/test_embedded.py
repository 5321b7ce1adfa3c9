"""The shipped weights: small enough, complete, described, and able to write."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from demos.generation.examples import EXAMPLES
from demos.generation.poem import FORMS, keeps_form
from demos.generation.task import GenerationRequest, generate
from model_core.interfaces import TEXT_GENERATOR
from model_core.roles.text_generator import NetworkTextGenerator
from model_core.shelf import ModelShelf, ShelfSettings

FOLDER = Path(__file__).parents[1] / "assets" / "embedded"
LARGEST_BYTES = 40 * 10**6


@pytest.fixture(scope="module", name="generator")
def fixture_generator():
    shelf = ModelShelf(ShelfSettings(weights="embedded", offline=True))
    shelf.start()
    yield shelf.model(TEXT_GENERATOR, "embedded", timeout_seconds=120)
    shelf.close()


def answer(generator, prompt, **fields):
    *_, result = generate(GenerationRequest(prompt, **fields), generator)
    return result


def test_the_shipped_folder_is_small_and_complete():
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert sum(sizes.values()) < LARGEST_BYTES
    assert sizes.keys() >= {
        "model.safetensors",
        "config.json",
        "vocab.txt",
        "tokenizer_config.json",
        "generation.json",
        "README.md",
        "scores.json",
    }


def test_the_card_reports_the_scores_that_were_measured():
    card = (FOLDER / "README.md").read_text(encoding="utf8")
    scores = json.loads((FOLDER / "scores.json").read_text(encoding="utf8"))
    for source in ("modern", "novels", "poems"):
        assert f"{scores[source]['bits_per_character']:.3f}" in card
    for form, share in scores["poems_form"].items():
        assert f"{form} 合格" in card
        assert f"{share:.1%}" in card


def test_the_vocabulary_has_the_marks_that_later_tasks_need():
    tokens = (FOLDER / "vocab.txt").read_text(encoding="utf8").split("\n")
    marks = {
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "[标题]",
        "[摘要]",
        "[无答案]",
    }
    assert marks <= set(tokens)
    assert len(tokens) - 1 == 8000


def test_text_streams_and_only_grows(generator, monkeypatch):
    monkeypatch.setattr(NetworkTextGenerator, "frame_seconds", 0.0)
    request = GenerationRequest(
        "春天来了", max_new_tokens=24, min_new_tokens=24, seed=1
    )
    texts = [result.candidates[0].text for result in generate(request, generator)]
    assert len(texts[-1]) == 24
    assert all(later.startswith(text) for text, later in pairwise(texts))
    assert generator.weights.name == "embedded"


def test_the_same_seed_writes_the_same_text(generator):
    first, second = (
        answer(generator, "明月", style="七言绝句", seed=11, num_return=2)
        for _ in range(2)
    )
    assert first.candidates == second.candidates


def test_most_quatrains_keep_their_form(generator):
    """The share over hundreds of poems is in the model card; this is a smoke alarm."""
    for style in ("五言绝句", "七言绝句"):
        result = answer(generator, "春", style=style, num_return=4, seed=5)
        texts = ["春" + candidate.text for candidate in result.candidates]
        assert sum(keeps_form(text, FORMS[style]) for text in texts) >= 3


def test_every_example_is_one_the_embedded_weights_can_follow(generator):
    assert {example.style for example in EXAMPLES} - {""} <= set(generator.styles)
