"""Families that read a source and write a target.

Changes when such a family is added or its published configs show another key.
"""

from typing import Any

from model_core.models.families.family import Adjustment, Family, Setting
from model_core.models.families.rows import BART_ALIKE, BART_SETTINGS


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


T5 = Family(
    name="t5",
    model_types=frozenset({"t5", "mt5", "umt5"}),
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
    constants={
        "norm_kind": "rms",
        "norm_placement": "pre",
        "embedding_norm": False,
        "final_norm": True,
        "position_kind": "buckets",
        "attention_bias": False,
        "feed_forward_bias": False,
        "scaled_attention": False,
    },
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

ENCODER_DECODERS = (T5, BART, MBART, PEGASUS)
