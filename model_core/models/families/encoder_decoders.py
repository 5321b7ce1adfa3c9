"""Families that read a source and write a target.

Changes when such a family is added or its published configs show another key.
"""

from typing import Any

from model_core.models.families.family import (
    Adjustment,
    Family,
    Setting,
    UnsupportedModelError,
    shown,
)
from model_core.models.families.rows import BART_ALIKE, BART_SETTINGS, SIZES, SPREAD


def _scale(read: dict[str, Any], values: Any) -> float:
    return float(read["hidden_size"] ** 0.5) if values.get("scale_embedding") else 1.0


def _scales_head(read: dict[str, Any], values: Any) -> bool:
    """T5 1.0 divides states by the root of the width, 1.1 and mT5 never did.

    Older files say so by not tying the head, which newer ones always do.
    """
    says = values.get("scale_decoder_outputs")
    if says is not None:
        return bool(says)
    return values.get("model_type") == "t5" and bool(read["tied_head"])


def _gated_activation(says: Any) -> str:
    """Return the activation beside the gate's, which is linear."""
    if isinstance(says, list) and len(says) == 2 and says[1] == "linear":  # noqa: PLR2004
        return str(says[0])
    raise UnsupportedModelError(
        'bert4keras T5 config: hidden_act must be [activation, "linear"], received '
        f"{shown(says)}"
    )


_T5_BODY = {
    "norm_kind": "rms",
    "norm_placement": "pre",
    "embedding_norm": False,
    "final_norm": True,
    "position_kind": "buckets",
    "attention_bias": False,
    "feed_forward_bias": False,
    "scaled_attention": False,
}

T5 = Family(
    name="t5",
    # not umt5: every block of it has scores of distances of its own
    model_types=frozenset({"t5", "mt5"}),
    settings=(
        Setting("vocab_size", ("vocab_size",)),
        Setting("hidden_size", ("d_model",)),
        Setting("num_hidden_layers", ("num_layers",)),
        Setting("num_decoder_layers", ("num_decoder_layers",), None),
        Setting("num_attention_heads", ("num_heads",)),
        Setting("intermediate_size", ("d_ff",)),
        Setting("attention_head_size", ("d_kv",)),
        Setting("relative_buckets", ("relative_attention_num_buckets",), 32),
        Setting("relative_distance", ("relative_attention_max_distance",), 128),
        Setting("max_position_embeddings", ("n_positions",), 512),
        Setting("hidden_act", ("feed_forward_proj",), "relu"),
        Setting("layer_norm_eps", ("layer_norm_epsilon",), 1e-6),
        Setting("dropout", ("dropout_rate",), 0.1),
        Setting("tied_head", ("tie_word_embeddings",), None),
    ),
    constants=_T5_BODY,
    derived={"num_decoder_layers": lambda read: read["num_hidden_layers"]},
    adjusted={
        "gated_feed_forward": lambda read, _: read["hidden_act"].startswith("gated-"),
        "hidden_act": lambda read, _: (
            "gelu_new"
            if read["hidden_act"] == "gated-gelu"
            else read["hidden_act"].removeprefix("gated-")
        ),
        # T5 1.0 ties its head, 1.1 and mT5 do not
        "tied_head": lambda read, values: (
            values.get("model_type") == "t5"
            if read["tied_head"] is None
            else read["tied_head"]
        ),
        "head_scale": lambda read, values: (
            read["hidden_size"] ** -0.5 if _scales_head(read, values) else 1.0
        ),
    },
    config_marks=frozenset({"d_kv", "d_ff", "d_model"}),
    tensor_mark=r"SelfAttention",
    heads=("language_model",),
    attention="bidirectional",
)

# What bert4keras trains and names as T5 1.1: T5-PEGASUS as it was first published.
# The scores of distances stand before the source as well, and states are scaled before
# the head though it is untied; its Keras 3 fork writes both as switches.
T5_BERT4KERAS = Family(
    name="t5_bert4keras",
    model_types=frozenset({"t5_bert4keras"}),
    settings=(
        *SIZES,
        Setting("attention_head_size", ("attention_head_size",)),
        Setting("dropout", ("hidden_dropout_prob",), 0.0),
        SPREAD,
    ),
    constants={
        **_T5_BODY,
        "layer_norm_eps": 1e-6,
        "relative_distance": 128,
        "gated_feed_forward": True,
        "tied_head": False,
    },
    adjusted={
        "num_decoder_layers": lambda read, _: read["num_hidden_layers"],
        "hidden_act": lambda _, values: _gated_activation(values.get("hidden_act")),
        "head_scale": lambda read, values: (
            read["hidden_size"] ** -0.5 if values.get("logit_scale", 1) else 1.0
        ),
        "source_distances": lambda _, values: bool(
            values.get("cross_position_bias", 1)
        ),
    },
    config_marks=frozenset({"attention_head_size", "hidden_act", "hidden_size"}),
    tensor_mark=r"^encoder[./]block.*SelfAttention",
    heads=("language_model",),
    attention="bidirectional",
)


def _bart(name: str, marks: frozenset[str], **constants: Any) -> Family:
    """Return a family of BART's kind: they differ in norms and positions."""
    adjusted: dict[str, Adjustment] = {"embedding_scale": _scale}
    return Family(
        name=name,
        model_types=frozenset({name}),
        settings=BART_SETTINGS,
        constants={
            "layer_norm_eps": 1e-5,
            "head_bias": True,
            "position_kind": "learned",
            **constants,
        },
        adjusted=adjusted,
        alike=BART_ALIKE,
        config_marks=marks,
        tensor_mark=r"encoder\.layers\.0\.self_attn",
        heads=("language_model",),
        attention="bidirectional",
    )


_MARKS = frozenset({"encoder_layers", "decoder_layers", "d_model"})
BART = _bart(
    "bart", _MARKS, norm_placement="post", embedding_norm=True, final_norm=False
)
MBART = _bart(
    "mbart", _MARKS, norm_placement="pre", embedding_norm=True, final_norm=True
)
PEGASUS = _bart(
    "pegasus",
    _MARKS,
    norm_placement="pre",
    embedding_norm=False,
    final_norm=True,
    position_kind="sinusoidal",
)

ENCODER_DECODERS = (T5, T5_BERT4KERAS, BART, MBART, PEGASUS)
