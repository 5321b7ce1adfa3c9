"""T5's weights, of mT5 too: rows only.

Block 0 of either side holds the scores of distances that all blocks share. Changes
when published T5 checkpoints show another name.
"""

from collections.abc import Iterator

from model_core.checkpoints.tables.rules import dense, keras_h5, norm
from model_core.checkpoints.weight_map import (
    Renaming,
    Rule,
    Twin,
    WeightTable,
    transposed,
)

_TABLES = "relative_attention_bias.weight"


def _side(side: str, prefix: str, layer: str) -> Iterator[Rule]:
    """Yield the rows of encoder or decoder."""
    block = f"{prefix}block_{{{layer}}}"
    parts = [("attention", "SelfAttention", "attention_norm")]
    if prefix:
        parts.append(("source_attention", "EncDecAttention", "source_norm"))
    source = f"{side}.block.{{{layer}}}.layer"
    for place, (ours, theirs, norm_name) in enumerate(parts):
        for name, letter in (
            ("query", "q"),
            ("key", "k"),
            ("value", "v"),
            ("output", "o"),
        ):
            kernel, _ = dense(
                f"{block}/{ours}/{name}", f"{source}.{place}.{theirs}.{letter}"
            )
            yield kernel
        gamma, _ = norm(f"{block}/{norm_name}", f"{source}.{place}.layer_norm")
        yield gamma
    last = f"{source}.{len(parts)}"
    for name, theirs in (("inner", "wi_0"), ("gate", "wi_1"), ("outer", "wo")):
        kernel, _ = dense(
            f"{block}/feed_forward/{name}", f"{last}.DenseReluDense.{theirs}"
        )
        yield kernel
    gamma, _ = norm(f"{block}/feed_forward_norm", f"{last}.layer_norm")
    yield gamma
    yield Rule(
        f"{prefix}position_bias/embeddings",
        f"{side}.block.0.layer.0.SelfAttention.{_TABLES}",
    )
    yield Rule(f"{prefix}final_norm/gamma", f"{side}.final_layer_norm.weight")


# without a gate the first projection is called wi
_PYTORCH = (
    Renaming(r"DenseReluDense\.wi\.", "DenseReluDense.wi_0.", unless=r"\.wi_1\."),
)
# Mesh TensorFlow's names; of a table it keeps (heads, buckets)
_TENSORFLOW = (
    Renaming(r"^shared/embedding$", "shared/weight"),
    Renaming(r"/block_0*(\d+)/layer_0*(\d+)/", r"/block/\1/layer/\2/"),
    Renaming(r"/layer/(\d+)/(?:rms|layer)_norm/scale$", r"/layer/\1/layer_norm/weight"),
    Renaming(
        r"^(encoder|decoder)/(?:rms_norm|final_layer_norm)/scale$",
        r"\1/final_layer_norm/weight",
    ),
    Renaming(r"(Attention/[qkvo])$", r"\1/weight", transposed),
    Renaming(
        r"relative_attention_bias$", r"relative_attention_bias/weight", transposed
    ),
    Renaming(r"(DenseReluDense/w\w+)/kernel$", r"\1/weight", transposed),
    Renaming(r"^decoder/logits/kernel$", "lm_head/weight", transposed),
    Renaming(r"/", "."),
)

TABLE = WeightTable(
    body=(
        Rule("token_embedding/embeddings", "shared.weight"),
        *_side("encoder", "", "layer"),
        *_side("decoder", "decoder/", "decoder_layer"),
    ),
    heads={"language_model": (Rule("language_model/embeddings", "lm_head.weight"),)},
    twins=(
        *(
            Twin(
                f"{side}.embed_tokens.weight",
                "shared.weight",
                head="language_model",
                reason="encoder and decoder with token embeddings of their own are "
                "not supported",
            )
            for side in ("encoder", "decoder")
        ),
        Twin(
            "lm_head.weight",
            "shared.weight",
            head="language_model",
            reason="the config says that the output head is the token embedding",
        ),
    ),
    # some files hold a table for the distances to the source, which nothing reads
    ignored=(rf"decoder\.block\.0\.layer\.1\.EncDecAttention\.{_TABLES}",),
    renamings={
        "pytorch": _PYTORCH,
        "tensorflow": (*_TENSORFLOW, *_PYTORCH),
        "keras_h5": (*keras_h5("shared", "encoder", "decoder", "lm_head"), *_PYTORCH),
    },
)
