import json
import math
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

from demos.generation.task import GenerationRequest
from model_core.checkpoints.own_weights import changes
from model_core.checkpoints.reader import open_checkpoint
from model_core.engines.improving import ImprovingEngine
from model_core.engines.keras_engine import KerasEngine
from model_core.models.network import arrays_by_name
from model_core.roles import loaded
from model_core.roles.parts import load_parts
from recipes import evaluation
from tests.model_core.playing_checkpoint import write_playing
from tests.model_core.tiny_checkpoint import write_checkpoint


@pytest.fixture(scope="module", name="model")
def fixture_model(tmp_path_factory):
    folder = write_checkpoint(tmp_path_factory.mktemp("scored"), max_positions=256)
    return evaluation.load(folder, "keras")  # one engine throughout


def test_every_token_is_scored_once_with_context_before_it():
    ids = list(range(1000))
    windows = list(evaluation.cut_windows(ids))
    scored = [t for w in windows for t in w.token_ids[w.first_scored :]]
    assert scored == ids[2:]
    assert max(len(w.token_ids) for w in windows) <= evaluation.WINDOW_TOKENS
    assert all(w.first_scored >= evaluation.STRIDE_TOKENS for w in windows[1:])


def test_uniform_logits_cost_the_logarithm_of_the_vocabulary():
    window = evaluation.Window([0, 1, 2, 3], 2)
    nats = evaluation.window_nats(np.zeros((4, 50), "float32"), window)
    assert nats == pytest.approx(2 * math.log(50))


def test_bits_per_character_count_the_end_and_the_person_s_characters(model, tmp_path):
    path = tmp_path / "held.jsonl"
    record = {"style": "散文", "text": "春风又绿江南岸，明月何时照我还。"}
    path.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf8")
    scores = evaluation.bits_per_character(model, path, 1000)
    assert scores["characters"] == 16
    assert scores["documents"] == 1
    assert scores["unknown_tokens"] == 0
    ids = evaluation.document_ids(model.tokenizer, "散文", record["text"])
    full = model.engine.read(
        evaluation.TokenBatch(
            np.array([ids], "int32"),
            np.ones((1, len(ids)), "int32"),
            np.ones((1, len(ids)), bool),
        ),
        "causal",
    )["logits"][0].astype("float64")
    log_probs = full - np.log(np.exp(full).sum(-1, keepdims=True))
    bits = -sum(log_probs[i - 1, ids[i]] for i in range(2, len(ids))) / math.log(2)
    assert scores["bits_per_character"] == pytest.approx(bits / 16, abs=1e-3)


def test_free_writing_is_scored_with_its_own_weights(tmp_path):
    folder = write_playing(tmp_path)
    with open_checkpoint(folder) as reader:
        shared = {name: np.array(reader.read(name)) for name in reader.keys()}  # noqa: SIM118
    name = "block_1/feed_forward/inner/kernel"
    own = {**shared, name: shared[name] + np.float32(0.5)}
    save_file(changes(shared, own), folder / "generation.safetensors")
    named = {"generation": "generation.safetensors"}
    replace(load_parts(folder), own_weights=named).save(folder / "parts.json")
    found = arrays_by_name(evaluation.load(folder).engine.network)[name]
    np.testing.assert_allclose(found, shared[name] + 0.5, atol=1e-5)


def test_one_engine_answers_from_the_first_example_on(tmp_path, monkeypatch):
    """Kernels may still be on their way when weights are loaded."""
    folder = write_playing(tmp_path)

    def improving(_, network):
        first = KerasEngine(network)
        better = SimpleNamespace(name="better", device="cpu")

        def improved(_):
            time.sleep(0.2)
            return better

        return ImprovingEngine(first, (improved,))

    monkeypatch.setattr(loaded, "build_engine", improving)
    assert evaluation.load(folder).engine.name == "better"
    assert evaluation.load_player(folder).weights.engine == "better"


def test_poems_begin_with_the_openings_and_are_asked_for_at_the_pages_defaults():
    asked = []

    class Writer:
        def complete(self, prompt, options):
            asked.append((prompt, options))
            yield SimpleNamespace(candidates=[SimpleNamespace(text="去")])

    texts = evaluation.write_poems(Writer(), "五言绝句", 2)
    assert texts == [f"{opening}去" for opening in evaluation.POEM_OPENINGS[:2]]
    requests = (
        GenerationRequest(prompt, style="五言绝句", seed=seed)
        for seed, prompt in enumerate(evaluation.POEM_OPENINGS[:2])
    )
    assert asked == [(one.prompt, one.options) for one in requests]


def test_the_share_counts_poems_that_keep_the_form(model, monkeypatch):
    poems = {
        "五言绝句": [
            "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。",
            "白日依山尽。",
        ],
        "七言绝句": ["春", "秋"],
        "五言律诗": ["春", "秋"],
        "七言律诗": ["春", "秋"],
    }
    monkeypatch.setattr(evaluation, "write_poems", lambda _, style, __: poems[style])
    shares = evaluation.poems_that_keep_form(model, 2)
    assert shares == {
        "五言绝句": 0.5,
        "七言绝句": 0.0,
        "五言律诗": 0.0,
        "七言律诗": 0.0,
    }
