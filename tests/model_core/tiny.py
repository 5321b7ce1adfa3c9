"""Tiny networks of every shape that the config can describe, with random weights."""

from dataclasses import replace

import keras
import numpy as np

from model_core.config import TransformerConfig
from model_core.models.network import Network, weights_by_name

VOCABULARY = 31
POSITIONS = 24

POST_NORM = TransformerConfig(
    vocab_size=VOCABULARY,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=24,
    max_position_embeddings=POSITIONS,
    type_vocab_size=2,
)
PRE_NORM = TransformerConfig(
    vocab_size=VOCABULARY,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=24,
    max_position_embeddings=POSITIONS,
    hidden_act="gelu_new",
    layer_norm_eps=1e-5,
    norm_placement="pre",
    embedding_norm=False,
    final_norm=True,
)
ROTARY = TransformerConfig(
    vocab_size=VOCABULARY,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=24,
    max_position_embeddings=POSITIONS,
    type_vocab_size=2,
    hidden_act="relu",
    norm_placement="pre",
    embedding_norm=False,
    final_norm=True,
    position_kind="rotary",
)
# everything that our own weights may have besides
RICH = replace(
    ROTARY,
    mark_vocab_size=5,
    num_conditions=2,
    condition_size=6,
    num_relations=3,
    num_labels=3,
)
RICH_POST_NORM = replace(
    POST_NORM,
    mark_vocab_size=5,
    num_conditions=3,
    condition_size=4,
    num_relations=2,
    num_labels=4,
)
CONFIGS = {
    "post_norm": POST_NORM,
    "pre_norm": PRE_NORM,
    "rotary": ROTARY,
    "rich": RICH,
}


def build_network(config, heads=("language_model",), dtype="float32", seed=0):
    """A network whose every weight, norms and biases included, is random."""
    keras.utils.set_random_seed(seed)
    network = Network(config, heads, dtype=dtype)
    rng = np.random.default_rng(seed)
    for weight in weights_by_name(network).values():
        weight.assign(rng.normal(0, 0.3, weight.shape).astype("float32"))
    return network


def random_ids(rows, length, seed=0):
    return np.random.default_rng(seed).integers(0, VOCABULARY, (rows, length), "int32")
