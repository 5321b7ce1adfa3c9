"""BERT's weights, and those of its kin that only add to them: rows only.

The rules use PyTorch's names without the ``bert.`` prefix. Changes when published
checkpoints of BERT, RoBERTa, ERNIE, NEZHA or RoFormer show another name.
"""

from model_core.checkpoints.tables.rules import (
    OLD_NORM_NAMES,
    dense,
    keras_h5,
    norm,
    table,
)
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

# small SimBERTs have embeddings narrower than their states, as ALBERT has
_NARROW = Renaming(r"^encoder\.embedding_hidden_mapping_in\.", "embeddings_project.")
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
    Renaming(r"^output_weights$", "classifier.weight"),
    Renaming(r"^output_bias$", "classifier.bias"),
    Renaming(r"\.kernel$", ".weight", transposed),
    _NARROW,
)
_HEAD_ROOTS = ("cls", "qa_outputs", "classifier")


def kin(
    prefix: str, *own: Renaming, roots: tuple[str, ...] = _HEAD_ROOTS
) -> WeightTable:
    """Return the table of a family whose tensors are BERT's under another prefix.

    Args:
        prefix: What stands before the body's names; files made for other readers keep
            BERT's own.
        own: What its names differ in besides.
        roots: First parts of the heads' names in Keras's files.
    """
    pytorch = (Renaming(rf"^({prefix}|bert)\.", ""), *OLD_NORM_NAMES, *own)
    tensorflow = tuple(
        Renaming(
            r.pattern.replace("bert", f"(?:{prefix}|bert)"), r.replacement, r.reshape
        )
        for r in _TENSORFLOW
    )
    return WeightTable(
        body=BODY,
        heads=HEADS,
        twins=TWINS,
        ignored=IGNORED,
        renamings={
            "pytorch": pytorch,
            "tensorflow": tensorflow,
            "keras_h5": (*keras_h5(prefix, "bert", *roots), *pytorch),
        },
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

TABLE = kin("bert", _NARROW)
NEZHA = kin("nezha")
ERNIE = kin(
    "ernie",
    # UIE's
    Renaming(r"^encoder\.(?=(embeddings|encoder|pooler)\.)", "", unless=""),
)
_roberta = kin(
    "roberta", *_ROBERTA_NAMES, roots=("lm_head", "qa_outputs", "classifier")
)
ROBERTA = WeightTable(
    body=_roberta.body,
    heads={
        **{name: HEADS[name] for name in ("masked_lm", "pooler", "span")},
        "classifier": _ROBERTA_CLASSIFIER,
    },
    twins=TWINS,
    ignored=IGNORED,
    # its first checkpoints were fairseq's, which are PyTorch's
    renamings={
        layout: _roberta.renamings[layout] for layout in ("pytorch", "keras_h5")
    },
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
    carried=(r"encoder\.embed_positions\.weight",),
    renamings=_roformer.renamings,
)
