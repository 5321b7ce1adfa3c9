"""BERT's weights, and those of its kin that only add to them: rows only.

The rules use PyTorch's names without the ``bert.`` prefix. Changes when published
checkpoints of BERT, RoBERTa, ERNIE, NEZHA or RoFormer show another name.
"""

from model_core.checkpoints.tables.rules import OLD_NORM_NAMES, dense, norm, table
from model_core.checkpoints.weight_map import (
    Array,
    Renaming,
    Rule,
    Twin,
    WeightTable,
    transposed,
)

_LAYER, _BLOCK = "encoder.layer.{layer}", "block_{layer}"
BODY = (
    *table("token_embedding", "embeddings.word_embeddings"),
    *table("position_embedding", "embeddings.position_embeddings"),
    *table("segment_embedding", "embeddings.token_type_embeddings"),
    *table("task_embedding", "embeddings.task_type_embeddings"),
    *norm("embedding_norm", "embeddings.LayerNorm"),
    *dense("embedding_projection", "embeddings_project"),
    *dense(f"{_BLOCK}/attention/query", f"{_LAYER}.attention.self.query"),
    *dense(f"{_BLOCK}/attention/key", f"{_LAYER}.attention.self.key"),
    *dense(f"{_BLOCK}/attention/value", f"{_LAYER}.attention.self.value"),
    *dense(f"{_BLOCK}/attention/output", f"{_LAYER}.attention.output.dense"),
    *norm(f"{_BLOCK}/attention_norm", f"{_LAYER}.attention.output.LayerNorm"),
    *dense(f"{_BLOCK}/feed_forward/inner", f"{_LAYER}.intermediate.dense"),
    *dense(f"{_BLOCK}/feed_forward/outer", f"{_LAYER}.output.dense"),
    *norm(f"{_BLOCK}/feed_forward_norm", f"{_LAYER}.output.LayerNorm"),
)

_SPAN = dense("span/dense", "qa_outputs")
HEADS = {
    "masked_lm": (
        *dense("masked_lm/transform", "cls.predictions.transform.dense"),
        *norm("masked_lm/norm", "cls.predictions.transform.LayerNorm"),
        Rule("masked_lm/bias", "cls.predictions.bias"),
    ),
    "pooler": dense("pooler/dense", "pooler.dense"),
    "span": _SPAN,
    "classifier": (
        *dense("classifier/dense", "pooler.dense"),
        *dense("classifier/output", "classifier"),
    ),
    "next_sentence": (
        *dense("next_sentence/dense", "pooler.dense"),
        *dense("next_sentence/output", "cls.seq_relationship"),
    ),
    "prompted_span": (
        *dense("prompted_span/start", "linear_start"),
        *dense("prompted_span/end", "linear_end"),
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
    # NEZHA's and RoFormer's sinusoids, recomputed here
    r"encoder\.layer\.\d+\.attention\.self\.relative_positions_encoding\..*",
    r"encoder\.embed_positions\.weight",
)

_TENSORFLOW = (
    Renaming(r"/", "."),
    Renaming(r"^bert\.", ""),
    Renaming(r"^encoder\.layer_(\d+)\.", r"encoder.layer.\1."),
    Renaming(r"_embeddings$", "_embeddings.weight"),
    *OLD_NORM_NAMES,
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
    Renaming(r"^[^/]+/(?=(bert|mlm___cls|nsp___cls|cls|qa_outputs|classifier)/)", ""),
    Renaming(r"^(mlm|nsp)___cls/", "cls/"),
    Renaming(r"/layer_\._(\d+)/", r"/layer_\1/"),
    Renaming(r"_embeddings/(weight|embeddings)$", "_embeddings"),
    *_TENSORFLOW,
)


def kin(prefix: str, **renamings: tuple[Renaming, ...]) -> WeightTable:
    """Return the table of a family whose tensors are BERT's under another prefix."""
    own = renamings.get("pytorch", ())
    # files made for other readers keep BERT's own prefix
    pytorch = (Renaming(rf"^({prefix}|bert)\.", ""), *OLD_NORM_NAMES, *own)
    others = {
        layout: tuple(
            Renaming(
                r.pattern.replace("bert", f"(?:{prefix}|bert)"),
                r.replacement,
                r.reshape,
            )
            for r in rows
        )
        for layout, rows in (("tensorflow", _TENSORFLOW), ("keras_h5", _KERAS_H5))
    }
    return WeightTable(
        body=BODY,
        heads=HEADS,
        twins=TWINS,
        ignored=IGNORED,
        renamings={"pytorch": pytorch, **others},
    )


def _of_real_positions(rows: Array) -> Array:
    """Leave the first two rows out: RoBERTa counts positions from 2."""
    return rows[2:]


_ROBERTA_NAMES = (
    # the same name: this table begins with rows of no position
    Renaming(r"^(embeddings\.position_embeddings\.weight)$", r"\1", _of_real_positions),
    Renaming(r"^lm_head\.dense\.", "cls.predictions.transform.dense."),
    Renaming(r"^lm_head\.layer_norm\.", "cls.predictions.transform.LayerNorm."),
    Renaming(r"^lm_head\.decoder\.", "cls.predictions.decoder."),
    Renaming(r"^lm_head\.bias$", "cls.predictions.bias"),
)
_ROBERTA_CLASSIFIER = (
    *dense("classifier/dense", "classifier.dense"),
    *dense("classifier/output", "classifier.out_proj"),
)

TABLE = kin("bert")
NEZHA = kin("nezha")
ERNIE = kin(
    "ernie",
    pytorch=(
        Renaming(r"^encoder\.(?=(embeddings|encoder|pooler)\.)", ""),  # UIE's
    ),
)
_roberta = kin("roberta", pytorch=_ROBERTA_NAMES)
ROBERTA = WeightTable(
    body=_roberta.body,
    heads={
        **{name: HEADS[name] for name in ("masked_lm", "pooler", "span")},
        "classifier": _ROBERTA_CLASSIFIER,
    },
    twins=TWINS,
    ignored=IGNORED,
    renamings={"pytorch": _roberta.renamings["pytorch"]},
)
_roformer = kin("roformer")
ROFORMER = WeightTable(
    body=_roformer.body,
    heads={
        "masked_lm": HEADS["masked_lm"],
        "pooler": HEADS["pooler"],
        "span": _SPAN,
        "classifier": _ROBERTA_CLASSIFIER,
    },
    twins=TWINS,
    ignored=IGNORED,
    renamings=_roformer.renamings,
)
