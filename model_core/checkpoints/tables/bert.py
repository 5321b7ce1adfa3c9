"""BERT's weights: rows only.

The rules use PyTorch's names without the ``bert.`` prefix. Changes when published BERT
checkpoints show another name.
"""

from model_core.checkpoints.weight_map import (
    Renaming,
    Rule,
    Twin,
    WeightTable,
    transposed,
)

BODY = (
    Rule("token_embedding/embeddings", "embeddings.word_embeddings.weight"),
    Rule("position_embedding/embeddings", "embeddings.position_embeddings.weight"),
    Rule("segment_embedding/embeddings", "embeddings.token_type_embeddings.weight"),
    Rule("embedding_norm/gamma", "embeddings.LayerNorm.weight"),
    Rule("embedding_norm/beta", "embeddings.LayerNorm.bias"),
    Rule(
        "block_{layer}/attention/query/kernel",
        "encoder.layer.{layer}.attention.self.query.weight",
        transposed,
    ),
    Rule(
        "block_{layer}/attention/query/bias",
        "encoder.layer.{layer}.attention.self.query.bias",
    ),
    Rule(
        "block_{layer}/attention/key/kernel",
        "encoder.layer.{layer}.attention.self.key.weight",
        transposed,
    ),
    Rule(
        "block_{layer}/attention/key/bias",
        "encoder.layer.{layer}.attention.self.key.bias",
    ),
    Rule(
        "block_{layer}/attention/value/kernel",
        "encoder.layer.{layer}.attention.self.value.weight",
        transposed,
    ),
    Rule(
        "block_{layer}/attention/value/bias",
        "encoder.layer.{layer}.attention.self.value.bias",
    ),
    Rule(
        "block_{layer}/attention/output/kernel",
        "encoder.layer.{layer}.attention.output.dense.weight",
        transposed,
    ),
    Rule(
        "block_{layer}/attention/output/bias",
        "encoder.layer.{layer}.attention.output.dense.bias",
    ),
    Rule(
        "block_{layer}/attention_norm/gamma",
        "encoder.layer.{layer}.attention.output.LayerNorm.weight",
    ),
    Rule(
        "block_{layer}/attention_norm/beta",
        "encoder.layer.{layer}.attention.output.LayerNorm.bias",
    ),
    Rule(
        "block_{layer}/feed_forward/inner/kernel",
        "encoder.layer.{layer}.intermediate.dense.weight",
        transposed,
    ),
    Rule(
        "block_{layer}/feed_forward/inner/bias",
        "encoder.layer.{layer}.intermediate.dense.bias",
    ),
    Rule(
        "block_{layer}/feed_forward/outer/kernel",
        "encoder.layer.{layer}.output.dense.weight",
        transposed,
    ),
    Rule(
        "block_{layer}/feed_forward/outer/bias",
        "encoder.layer.{layer}.output.dense.bias",
    ),
    Rule(
        "block_{layer}/feed_forward_norm/gamma",
        "encoder.layer.{layer}.output.LayerNorm.weight",
    ),
    Rule(
        "block_{layer}/feed_forward_norm/beta",
        "encoder.layer.{layer}.output.LayerNorm.bias",
    ),
)

HEADS = {
    "masked_lm": (
        Rule(
            "masked_lm/transform/kernel",
            "cls.predictions.transform.dense.weight",
            transposed,
        ),
        Rule("masked_lm/transform/bias", "cls.predictions.transform.dense.bias"),
        Rule("masked_lm/norm/gamma", "cls.predictions.transform.LayerNorm.weight"),
        Rule("masked_lm/norm/beta", "cls.predictions.transform.LayerNorm.bias"),
        Rule("masked_lm/bias", "cls.predictions.bias"),
    ),
    "pooler": (
        Rule("pooler/dense/kernel", "pooler.dense.weight", transposed),
        Rule("pooler/dense/bias", "pooler.dense.bias"),
    ),
    "span": (
        Rule("span/dense/kernel", "qa_outputs.weight", transposed),
        Rule("span/dense/bias", "qa_outputs.bias"),
    ),
}

TWINS = (
    Twin(
        "cls.predictions.decoder.weight",
        "embeddings.word_embeddings.weight",
        head="masked_lm",
        reason="an output head untied from the token embedding is not supported yet",
    ),
    Twin(
        "cls.predictions.decoder.bias",
        "cls.predictions.bias",
        head="masked_lm",
        reason="it is unclear which bias of the output head counts",
    ),
)

IGNORED = (
    r"embeddings\.position_ids",  # a buffer, recomputed here
    r"embeddings\.token_type_ids",  # a buffer, an argument here
    r"cls\.seq_relationship\.(weight|bias)",  # next-sentence head, no use here
)

_NORM_NAMES = (
    Renaming(r"LayerNorm\.gamma$", "LayerNorm.weight"),
    Renaming(r"LayerNorm\.beta$", "LayerNorm.bias"),
)
_TENSORFLOW = (
    Renaming(r"/", "."),
    Renaming(r"^bert\.", ""),
    Renaming(r"^encoder\.layer_(\d+)\.", r"encoder.layer.\1."),
    Renaming(r"_embeddings$", "_embeddings.weight"),
    *_NORM_NAMES,
    Renaming(r"^cls\.predictions\.output_bias$", "cls.predictions.bias"),
    Renaming(r"^cls\.seq_relationship\.output_weights$", "cls.seq_relationship.weight"),
    Renaming(r"^cls\.seq_relationship\.output_bias$", "cls.seq_relationship.bias"),
    Renaming(r"^cls\.squad\.output_weights$", "qa_outputs.weight"),
    Renaming(r"^cls\.squad\.output_bias$", "qa_outputs.bias"),
    Renaming(r"\.kernel$", ".weight", transposed),
)
_KERAS_H5 = (
    Renaming(r":0$", ""),
    # the name of the model that saved it, e.g. tf_bert_for_masked_lm_1/
    Renaming(r"^[^/]+/(?=(bert|mlm___cls|nsp___cls|cls|qa_outputs)/)", ""),
    Renaming(r"^(mlm|nsp)___cls/", "cls/"),
    Renaming(r"/layer_\._(\d+)/", r"/layer_\1/"),
    Renaming(r"_embeddings/(weight|embeddings)$", "_embeddings"),
    *_TENSORFLOW,
)

TABLE = WeightTable(
    body=BODY,
    heads=HEADS,
    twins=TWINS,
    ignored=IGNORED,
    renamings={
        "pytorch": (Renaming(r"^bert\.", ""), *_NORM_NAMES),
        "tensorflow": _TENSORFLOW,
        "keras_h5": _KERAS_H5,
    },
)
