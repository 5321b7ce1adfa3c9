"""ALBERT's weights: rows only; layers of a group share theirs.

Changes when published ALBERT checkpoints show another name.
"""

from dataclasses import replace

from model_core.checkpoints.tables import bert
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
    transposed,
)

_LAYER = "encoder.albert_layer_groups.{group}.albert_layers.0"
_BLOCK = "block_{layer}"
BODY = (
    *table("token_embedding", "embeddings.word_embeddings"),
    *table("position_embedding", "embeddings.position_embeddings"),
    *table("segment_embedding", "embeddings.token_type_embeddings"),
    *norm("embedding_norm", "embeddings.LayerNorm"),
    *dense("embedding_projection", "encoder.embedding_hidden_mapping_in"),
    *dense(f"{_BLOCK}/attention/query", f"{_LAYER}.attention.query"),
    *dense(f"{_BLOCK}/attention/key", f"{_LAYER}.attention.key"),
    *dense(f"{_BLOCK}/attention/value", f"{_LAYER}.attention.value"),
    *dense(f"{_BLOCK}/attention/output", f"{_LAYER}.attention.dense"),
    *norm(f"{_BLOCK}/attention_norm", f"{_LAYER}.attention.LayerNorm"),
    *dense(f"{_BLOCK}/feed_forward/inner", f"{_LAYER}.ffn"),
    *dense(f"{_BLOCK}/feed_forward/outer", f"{_LAYER}.ffn_output"),
    *norm(f"{_BLOCK}/feed_forward_norm", f"{_LAYER}.full_layer_layer_norm"),
)

_PYTORCH = (Renaming(r"^albert\.", ""), *OLD_NORM_NAMES)

TABLE = WeightTable(
    body=BODY,
    heads={
        "masked_lm": (
            *dense("masked_lm/transform", "predictions.dense"),
            *norm("masked_lm/norm", "predictions.LayerNorm"),
            Rule("masked_lm/bias", "predictions.bias"),
        ),
        "pooler": dense("pooler/dense", "pooler"),
        "span": dense("span/dense", "qa_outputs"),
        "classifier": (
            *dense("classifier/dense", "pooler"),
            *dense("classifier/output", "classifier"),
        ),
        "next_sentence": (
            *dense("next_sentence/dense", "pooler"),
            *dense("next_sentence/output", "sop_classifier.classifier"),
        ),
    },
    twins=(
        Twin(
            "predictions.decoder.weight",
            "embeddings.word_embeddings.weight",
            head="masked_lm",
            reason="an output head untied from the token embedding is not supported",
        ),
        Twin(
            "predictions.decoder.bias",
            "predictions.bias",
            head="masked_lm",
            reason="it is unclear which bias of the output head counts",
        ),
    ),
    ignored=(r"embeddings\.(position_ids|token_type_ids)",),
    renamings={
        "pytorch": _PYTORCH,
        "keras_h5": (
            *keras_h5(
                "albert", "predictions", "sop_classifier", "classifier", "qa_outputs"
            ),
            *_PYTORCH,
        ),
        "tensorflow": (
            Renaming(r"/", "."),
            Renaming(r"^(bert|albert)\.", ""),
            Renaming(r"_embeddings$", "_embeddings.weight"),
            Renaming(
                r"^encoder\.transformer\.group_(\d+)\.inner_group_0\.",
                r"encoder.albert_layer_groups.\1.albert_layers.0.",
            ),
            Renaming(r"attention_1\.self\.", "attention."),
            Renaming(r"attention_1\.output\.dense", "attention.dense"),
            Renaming(r"ffn_1\.intermediate\.output\.dense", "ffn_output"),
            Renaming(r"ffn_1\.intermediate\.dense", "ffn"),
            Renaming(r"\.LayerNorm_1\.", ".full_layer_layer_norm."),
            Renaming(
                r"albert_layers\.0\.LayerNorm\.", "albert_layers.0.attention.LayerNorm."
            ),
            Renaming(r"(LayerNorm|layer_norm)\.gamma$", r"\1.weight"),
            Renaming(r"(LayerNorm|layer_norm)\.beta$", r"\1.bias"),
            Renaming(r"^cls\.predictions\.output_bias$", "predictions.bias"),
            Renaming(r"^cls\.predictions\.transform\.", "predictions."),
            Renaming(r"^pooler\.dense\.", "pooler."),
            Renaming(r"^output_weights$", "classifier.weight"),
            Renaming(r"^output_bias$", "classifier.bias"),
            Renaming(
                r"^cls\.seq_relationship\.output_weights$",
                "sop_classifier.classifier.weight",
            ),
            Renaming(
                r"^cls\.seq_relationship\.output_bias$",
                "sop_classifier.classifier.bias",
            ),
            Renaming(r"\.kernel$", ".weight", transposed),
        ),
    },
)

# github.com/brightmart/albert_zh as first published: BERT's names, one layer for all,
# and a projection that has no bias
_SHARED = Renaming(r"^encoder\.layer_shared\.", "encoder.layer.0.", unless="")
_PROJECTION = "embeddings.word_embeddings_2"
ZH = WeightTable(
    body=(
        *(
            replace(
                rule, source=rule.source.replace("layer.{layer}.", "layer.{group}.")
            )
            for rule in bert.BODY
            if not rule.target.startswith("embedding_projection")
        ),
        Rule("embedding_projection/kernel", f"{_PROJECTION}.weight", transposed),
    ),
    heads={
        name: bert.HEADS[name]
        for name in ("masked_lm", "pooler", "span", "classifier", "next_sentence")
    },
    twins=bert.TWINS,
    ignored=bert.IGNORED,
    renamings={
        "pytorch": (*bert.TABLE.renamings["pytorch"], _SHARED),
        "tensorflow": (
            *bert.TABLE.renamings["tensorflow"],
            _SHARED,
            # a variable of its own, (embedding_size, hidden_size)
            Renaming(rf"^({_PROJECTION})$", r"\1.weight", transposed),
        ),
    },
)
