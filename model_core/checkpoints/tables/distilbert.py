"""DistilBERT's weights: rows only. Changes when its checkpoints show another name."""

from model_core.checkpoints.tables.rules import (
    OLD_NORM_NAMES,
    dense,
    keras_h5,
    norm,
    table,
)
from model_core.checkpoints.weight_map import (
    Renaming,
    Rule,
    Twin,
    WeightTable,
)

_LAYER, _BLOCK = "transformer.layer.{layer}", "block_{layer}"
_PYTORCH = (Renaming(r"^distilbert\.", ""), *OLD_NORM_NAMES)

TABLE = WeightTable(
    body=(
        *table("token_embedding", "embeddings.word_embeddings"),
        *table("position_embedding", "embeddings.position_embeddings"),
        *norm("embedding_norm", "embeddings.LayerNorm"),
        *dense(f"{_BLOCK}/attention/query", f"{_LAYER}.attention.q_lin"),
        *dense(f"{_BLOCK}/attention/key", f"{_LAYER}.attention.k_lin"),
        *dense(f"{_BLOCK}/attention/value", f"{_LAYER}.attention.v_lin"),
        *dense(f"{_BLOCK}/attention/output", f"{_LAYER}.attention.out_lin"),
        *norm(f"{_BLOCK}/attention_norm", f"{_LAYER}.sa_layer_norm"),
        *dense(f"{_BLOCK}/feed_forward/inner", f"{_LAYER}.ffn.lin1"),
        *dense(f"{_BLOCK}/feed_forward/outer", f"{_LAYER}.ffn.lin2"),
        *norm(f"{_BLOCK}/feed_forward_norm", f"{_LAYER}.output_layer_norm"),
    ),
    heads={
        "masked_lm": (
            *dense("masked_lm/transform", "vocab_transform"),
            *norm("masked_lm/norm", "vocab_layer_norm"),
            Rule("masked_lm/bias", "vocab_projector.bias"),
        ),
        "span": dense("span/dense", "qa_outputs"),
        "classifier": (
            *dense("classifier/dense", "pre_classifier"),
            *dense("classifier/output", "classifier"),
        ),
    },
    twins=(
        Twin(
            "vocab_projector.weight",
            "embeddings.word_embeddings.weight",
            head="masked_lm",
            reason="an output head untied from the token embedding is not supported",
        ),
    ),
    ignored=(r"embeddings\.position_ids",),
    renamings={
        "pytorch": _PYTORCH,
        "keras_h5": (
            *keras_h5("distilbert", r"vocab_\w+", "qa_outputs", r"(?:pre_)?classifier"),
            *_PYTORCH,
        ),
    },
)
