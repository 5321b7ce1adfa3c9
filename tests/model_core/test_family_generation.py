"""Cached decoding of every family: equal to recomputing, and to transformers' own."""

from dataclasses import replace

import numpy as np
import pytest
from keras import ops

from model_core.checkpoints.load import load_network
from model_core.decoding.logits import TopK
from model_core.decoding.loop import SamplingOptions, generate
from model_core.engines.base import PlainStepper, Writing
from model_core.engines.native.weights import unsupported
from model_core.engines.registry import build_engine
from tests.model_core import tiny
from tests.model_core.exact_engines import EXACT
from tests.model_core.reference_models import save_safetensors, torch
from tests.model_core.test_family_parity import ENCODER_DECODERS
from tests.model_core.test_family_parity import tiny as reference
from tests.model_core.zoo_cases import PegasusOfBert4keras
from tests.model_core.zoo_formats import write_safetensors
from tests.model_core.zoo_table import write_config

NEW_TOKENS = 32
SOURCES = [[3, 14, 15, 9, 26, 5, 35], [8, 9, 7], [31, 4, 15, 9, 26]]
START = 2

# every way of positions and norms that the config can describe, each with a cache
DECODED = {
    "learned": tiny.PRE_NORM,
    "sinusoidal": replace(tiny.PRE_NORM, position_kind="sinusoidal"),
    "rotary": tiny.ROTARY,
    "neighbours": replace(tiny.ROTARY, rotary_style="neighbours"),
    "relative": replace(tiny.POST_NORM, position_kind="relative", relative_distance=3),
    "buckets": replace(
        tiny.PRE_NORM, position_kind="buckets", relative_buckets=8, relative_distance=9
    ),
    "transfer": replace(
        tiny.POST_NORM,
        position_kind="transfer",
        embedding_norm=False,
        type_vocab_size=0,
        attention_bias=False,
    ),
    "sandwich": replace(tiny.PRE_NORM, norm_placement="sandwich", embedding_norm=True),
    "rms": replace(tiny.PRE_NORM, norm_kind="rms", gated_feed_forward=True),
    "shared": replace(tiny.POST_NORM, num_layer_groups=1, embedding_size=6),
    "projected first": replace(
        tiny.POST_NORM, embedding_size=6, projected_first=True, embedding_bias=False
    ),
}


@pytest.mark.parametrize("name", DECODED)
def test_a_cache_gives_what_recomputing_gives(name):
    config = DECODED[name]
    head = "masked_lm" if config.embedding_size else "language_model"
    network = tiny.build_network(config, (head,), seed=4)
    ids = tiny.random_ids(2, 12)
    segments = np.zeros_like(ids) if config.type_vocab_size else None
    whole = ops.convert_to_numpy(network(ids, segments, attention="causal")["logits"])
    lengths = np.array([5, 3], "int32")
    outputs, caches = network.prefill(
        ids[:, :5], lengths, capacity=12, segment_ids=None
    )
    for row, length in enumerate(lengths):
        received = ops.convert_to_numpy(outputs["logits"])[row]
        np.testing.assert_allclose(received, whole[row, length - 1], atol=2e-5)
    for step in range(6):
        places = lengths + step
        tokens = ids[np.arange(2), places]
        outputs, caches = network.decode_one_token(tokens, places, caches)
        received = ops.convert_to_numpy(outputs["logits"])
        expected = whole[np.arange(2), places]
        np.testing.assert_allclose(received, expected, atol=2e-5)


@pytest.fixture(name="model", scope="module", params=ENCODER_DECODERS)
def fixture_model(request):
    kind, config, changes = ENCODER_DECODERS[request.param]
    sizes = {} if config in ("T5", "MT5") else {"max_position_embeddings": 64}
    model = reference(kind, config, changes | sizes)
    with torch.no_grad():  # keeps the runner-up far enough for float32
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and "norm" not in name:
                parameter.mul_(1.5)
        if hasattr(model, "final_logits_bias"):
            model.final_logits_bias.mul_(0.1)
    return model


WRITERS = [
    pytest.param(name, marks=pytest.mark.slow) if name == "keras" else name
    for name in EXACT  # keras compiles every family; its logits are tried elsewhere
]


@pytest.mark.parametrize("engine_name", WRITERS)
def test_32_greedy_tokens_are_identical_in_a_padded_batch(model, engine_name, tmp_path):
    save_safetensors(model, tmp_path)
    loaded = load_network(tmp_path, heads=("language_model",))
    engine = build_engine(engine_name, loaded.network)
    stepper = PlainStepper(engine.stepper(Writing(start_ids=(START,))))
    options = SamplingOptions(max_new_tokens=NEW_TOKENS, rules=(TopK(1),))
    *_, frame = generate(stepper, SOURCES, options)
    expected = [greedy(model, source) for source in SOURCES]
    assert [list(row.token_ids) for row in frame.rows] == expected
    others = [greedy(model, [*source, 40, 41]) for source in SOURCES]
    assert len({tuple(tokens) for tokens in (*expected, *others)}) > 1


def test_distances_to_the_source_are_those_of_the_step(tmp_path):
    """T5-PEGASUS as bert4keras has it: a cache must know how far it has written."""
    model = PegasusOfBert4keras()
    write_config(tmp_path, model.config)
    write_safetensors(tmp_path, model.tensors)
    loaded = load_network(tmp_path, heads=("language_model",))
    assert "source_distances" in unsupported(loaded.config)
    engine = build_engine("keras", loaded.network)
    stepper = PlainStepper(engine.stepper(Writing(start_ids=(START,))))
    options = SamplingOptions(max_new_tokens=NEW_TOKENS, rules=(TopK(1),))
    *_, frame = generate(stepper, SOURCES, options)
    assert [list(row.token_ids) for row in frame.rows] == [
        greedy(model.model, source) for source in SOURCES
    ]


def greedy(model, source):
    """The reference's choice at every step, recomputed from scratch."""
    written = [START]
    with torch.no_grad():
        for _ in range(NEW_TOKENS):
            logits = model(
                input_ids=torch.tensor([source]),
                attention_mask=torch.ones(1, len(source), dtype=torch.long),
                decoder_input_ids=torch.tensor([written]),
            ).logits
            written.append(int(logits[0, -1].argmax()))
    return written[1:]
