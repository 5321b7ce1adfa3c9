"""GPT2_ML's weights: rows only.

The rules use the names of its TensorFlow checkpoint (Grover's, arXiv 1905.12616), where
kernels are (in, out); bert4torch's PyTorch files use BERT's. Changes when published
GPT2_ML checkpoints show another name.
"""

from model_core.checkpoints.tables.rules import dense, norm, table
from model_core.checkpoints.weight_map import Renaming, WeightTable, as_is, transposed

_LAYER, _BLOCK = "layer.{layer}", "block_{layer}"

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
            Renaming(r"^layer0*(\d+)\.", r"layer.\1."),
            Renaming(r"\.gamma$", ".weight"),
            Renaming(r"\.beta$", ".bias"),
            Renaming(r"\.kernel$", ".weight"),
            Renaming(r"_embed$", "_embed.weight"),
        ),
        "pytorch": (
            Renaming(r"^gpt2_ml\.", ""),
            Renaming(r"^embeddings\.word_embeddings\.", "embeddings.word_embed."),
            Renaming(r"^embeddings\.position_embeddings\.", "embeddings.pos_embed."),
            Renaming(r"^embeddings\.LayerNorm\.", "embeddings.LayerNorm_embed_norm."),
            Renaming(r"^encoder\.layer\.", "layer."),
            Renaming(r"attention\.output\.LayerNorm", "LayerNorm_mlp_ln0"),
            Renaming(r"output\.LayerNorm", "LayerNorm_mlp_ln1"),
            Renaming(r"attention\.output\.dense", "context_projection_layer"),
            Renaming(r"attention\.self\.(query|key|value)\.", r"\1_layer."),
            Renaming(r"(intermediate|output)\.dense\.", r"\1."),
            # the same names: PyTorch's kernels are (out, in)
            Renaming(
                r"^(layer\.\d+\.(?:\w+_layer|intermediate|output)\.weight)$",
                r"\1",
                transposed,
            ),
        ),
    },
)
