"""What bfloat16 costs on the embedded weights, on Keras as on a graphics card."""

from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest

from model_core.checkpoints.load import load_network
from model_core.decoding.logits import TopK
from model_core.decoding.loop import SamplingOptions, generate
from model_core.engines.base import TokenBatch, causal_steps
from model_core.engines.keras_engine import KerasEngine
from model_core.tokenizers.load import load_tokenizer

ASSETS = Path(__file__).parents[2] / "assets"
WEIGHTS = ASSETS / "embedded"
SAMPLE = ASSETS / "samples" / "triples" / "historians.txt"
LARGEST, MEAN, NATS = 0.4, 0.05, 0.01
NEW_TOKENS = 48

pytestmark = pytest.mark.slow


@pytest.fixture(name="engines", scope="module")
def fixture_engines():
    return [
        KerasEngine(
            load_network(WEIGHTS, heads=("language_model",), dtype=kind).network
        )
        for kind in ("float32", "bfloat16")
    ]


@pytest.fixture(name="rows", scope="module")
def fixture_rows():
    tokenizer = load_tokenizer(WEIGHTS)
    sentences = SAMPLE.read_text(encoding="utf8").replace("\n", "").split("。")
    return [tokenizer.encode(text).token_ids[:60] for text in sentences if text[20:]]


def test_logits_are_close_and_texts_as_likely(engines, rows):
    ones = [[1] * len(row) for row in rows]
    batch = TokenBatch.from_rows(rows, segments=ones)
    whole, half = (
        engine.read(batch, "causal", ("language_model",))["logits"]
        for engine in engines
    )
    assert half.dtype == np.float32
    apart = np.abs(whole - half)[batch.padding_mask]
    assert apart.max() < LARGEST
    assert apart.mean() < MEAN
    assert abs(nats(whole, batch) - nats(half, batch)) < NATS
    same = whole.argmax(-1) == half.argmax(-1)
    assert same[batch.padding_mask].mean() > 0.95


def nats(logits, batch):
    """Of a token, in the mean."""
    best = logits.max(-1, keepdims=True)
    log_probs = logits - best - np.log(np.exp(logits - best).sum(-1, keepdims=True))
    there = np.take_along_axis(log_probs[:, :-1], batch.token_ids[:, 1:, None], -1)
    return -there[..., 0][batch.padding_mask[:, 1:]].mean()


def test_greedy_texts_are_mostly_the_same(engines, rows):
    options = SamplingOptions(NEW_TOKENS, rules=(TopK(1),))
    whole, half = (
        list(generate(causal_steps(engine), [row[:16] for row in rows], options))[-1]
        for engine in engines
    )
    lengths = [
        len(list(takewhile(lambda pair: pair[0] == pair[1], zip(*both, strict=True))))
        for both in zip(
            (row.token_ids for row in whole.rows),
            (row.token_ids for row in half.rows),
            strict=True,
        )
    ]
    assert np.mean([length == NEW_TOKENS for length in lengths]) >= 0.6, lengths
