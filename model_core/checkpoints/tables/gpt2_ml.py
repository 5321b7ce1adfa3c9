"""GPT2_ML's weights: rows only.

The rules use the names of its TensorFlow checkpoint (Grover's, arXiv 1905.12616), where
kernels are (in, out). Changes when published GPT2_ML checkpoints show another name.
"""

from model_core.checkpoints.tables.rules import dense, norm, table
from model_core.checkpoints.weight_map import Renaming, WeightTable, as_is

_LAYER, _BLOCK = "layer{layer:02d}", "block_{layer}"

TABLE = WeightTable(
    body=(
        *table("token_embedding", "embeddings.word_embed"),
        *table("position_embedding", "embeddings.pos_embed"),
        *norm("embedding_norm", "embeddings.LayerNorm_embed_norm"),
        *dense(f"{_BLOCK}/attention/query", f"{_LAYER}.query_layer", as_is),
        *dense(f"{_BLOCK}/attention/key", f"{_LAYER}.key_layer", as_is),
        *dense(f"{_BLOCK}/attention/value", f"{_LAYER}.value_layer", as_is),
        *dense(
            f"{_BLOCK}/attention/output", f"{_LAYER}.context_projection_layer", as_is
        ),
        *norm(f"{_BLOCK}/attention_norm", f"{_LAYER}.LayerNorm_mlp_ln0"),
        *dense(f"{_BLOCK}/feed_forward/inner", f"{_LAYER}.intermediate", as_is),
        *dense(f"{_BLOCK}/feed_forward/outer", f"{_LAYER}.output", as_is),
        *norm(f"{_BLOCK}/feed_forward_norm", f"{_LAYER}.LayerNorm_mlp_ln1"),
    ),
    heads={"language_model": ()},
    renamings={
        "tensorflow": (
            Renaming(r"^newslm/", ""),
            Renaming(r"/", "."),
            Renaming(r"\.gamma$", ".weight"),
            Renaming(r"\.beta$", ".bias"),
            Renaming(r"\.kernel$", ".weight"),
            Renaming(r"_embed$", "_embed.weight"),
        ),
    },
)
