"""T5's weights, of mT5 too: rows only.

Block 0 of either side holds the scores of distances that all blocks share. Changes
when published T5 checkpoints show another name.
"""

from collections.abc import Iterator

from model_core.checkpoints.tables.rules import dense, norm
from model_core.checkpoints.weight_map import Renaming, Rule, Twin, WeightTable

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
        "pytorch": (
            # without a gate the first projection is called wi
            Renaming(r"DenseReluDense\.wi\.", "DenseReluDense.wi_0."),
        ),
    },
)
