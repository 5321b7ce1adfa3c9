"""XLNet's weights, content stream only: rows only.

Its projections are (width, heads, head size), applied from the left. Changes when
published XLNet checkpoints show another name.
"""

from model_core.checkpoints.tables.rules import LAST_PARTS, dense, keras_h5, norm
from model_core.checkpoints.weight_map import Array, Renaming, Rule, Twin, WeightTable


def _side_by_side(array: Array) -> Array:
    """Lay heads side by side: (width, heads, head size) becomes a kernel."""
    return array.reshape(len(array), -1)


def _back(array: Array) -> Array:
    """Turn (width, heads, head size) into the kernel that leads back to the width."""
    return array.reshape(len(array), -1).T


_LAYER, _BLOCK = "layer.{layer}", "block_{layer}"
_PYTORCH = (Renaming(r"^transformer\.", ""),)
_TENSORFLOW = (
    Renaming(r"^model/", ""),
    Renaming(r"^transformer/word_embedding/lookup_table$", "word_embedding/weight"),
    Renaming(r"^transformer/mask_emb/", ""),
    # these lie in the file once for all layers
    Renaming(r"^transformer/(r_[wrs]_bias|seg_embed)$", r"layer/{layer}/rel_attn/\1"),
    Renaming(r"^transformer/layer_(\d+)/", r"layer/\1/"),
    Renaming(r"/LayerNorm/", "/layer_norm/"),
    Renaming(r"/rel_attn/([qkvor])/kernel$", r"/rel_attn/\1"),
    Renaming(r"^sequnece_summary/", "sequence_summary/"),  # so it is spelled
    Renaming(r"^(?:classification|regression)_[^/]+/logit/", "logits_proj/"),
    Renaming(r"/", "."),
    *LAST_PARTS,
)

TABLE = WeightTable(
    body=(
        Rule("token_embedding/embeddings", "word_embedding.weight"),
        *(
            Rule(
                f"{_BLOCK}/attention/{name}/kernel",
                f"{_LAYER}.rel_attn.{letter}",
                _side_by_side,
            )
            for name, letter in (
                ("query", "q"),
                ("key", "k"),
                ("value", "v"),
                ("distance", "r"),
            )
        ),
        Rule(f"{_BLOCK}/attention/output/kernel", f"{_LAYER}.rel_attn.o", _back),
        Rule(f"{_BLOCK}/attention/content_bias", f"{_LAYER}.rel_attn.r_w_bias"),
        Rule(f"{_BLOCK}/attention/distance_bias", f"{_LAYER}.rel_attn.r_r_bias"),
        Rule(f"{_BLOCK}/attention/segment_bias", f"{_LAYER}.rel_attn.r_s_bias"),
        Rule(f"{_BLOCK}/attention/segment_pair", f"{_LAYER}.rel_attn.seg_embed"),
        *norm(f"{_BLOCK}/attention_norm", f"{_LAYER}.rel_attn.layer_norm"),
        *dense(f"{_BLOCK}/feed_forward/inner", f"{_LAYER}.ff.layer_1"),
        *dense(f"{_BLOCK}/feed_forward/outer", f"{_LAYER}.ff.layer_2"),
        *norm(f"{_BLOCK}/feed_forward_norm", f"{_LAYER}.ff.layer_norm"),
    ),
    heads={
        "language_model": (Rule("language_model/bias", "lm_loss.bias"),),
        "classifier": (
            *dense("classifier/dense", "sequence_summary.summary"),
            *dense("classifier/output", "logits_proj"),
        ),
    },
    twins=(
        Twin(
            "lm_loss.weight",
            "word_embedding.weight",
            head="language_model",
            reason="an output head untied from the token embedding is not supported",
        ),
    ),
    # what the query stream of pretraining starts with
    ignored=(r"mask_emb",),
    carried=(r"mask_emb",),
    renamings={
        "pytorch": _PYTORCH,
        "tensorflow": _TENSORFLOW,
        "keras_h5": (
            *keras_h5("transformer", "lm_loss", "sequence_summary", "logits_proj"),
            *_PYTORCH,
        ),
    },
)
