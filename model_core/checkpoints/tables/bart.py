"""The weights of BART, mBART and Pegasus: rows only.

Changes when published checkpoints of these families show another name.
"""

from collections.abc import Iterator

from model_core.checkpoints.tables.rules import dense, keras_h5, norm, table
from model_core.checkpoints.weight_map import (
    Array,
    Renaming,
    Rule,
    Twin,
    WeightTable,
    row_as_vector,
)


def _of_real_positions(rows: Array) -> Array:
    """Leave the first two rows out: BART counts positions from 2."""
    return rows[2:]


def _side(side: str, prefix: str, layer: str) -> Iterator[Rule]:
    """Yield the rows of encoder or decoder."""
    block, source = f"{prefix}block_{{{layer}}}", f"{side}.layers.{{{layer}}}"
    parts = [("attention", "self_attn", "self_attn_layer_norm", "attention_norm")]
    if prefix:
        parts.append(
            (
                "source_attention",
                "encoder_attn",
                "encoder_attn_layer_norm",
                "source_norm",
            )
        )
    for ours, theirs, their_norm, our_norm in parts:
        for name, letter in (
            ("query", "q_proj"),
            ("key", "k_proj"),
            ("value", "v_proj"),
            ("output", "out_proj"),
        ):
            yield from dense(f"{block}/{ours}/{name}", f"{source}.{theirs}.{letter}")
        yield from norm(f"{block}/{our_norm}", f"{source}.{their_norm}")
    yield from dense(f"{block}/feed_forward/inner", f"{source}.fc1")
    yield from dense(f"{block}/feed_forward/outer", f"{source}.fc2")
    yield from norm(f"{block}/feed_forward_norm", f"{source}.final_layer_norm")
    yield from norm(f"{prefix}embedding_norm", f"{side}.layernorm_embedding")
    yield from norm(f"{prefix}final_norm", f"{side}.layer_norm")


_PYTORCH = (Renaming(r"^model\.", ""),)


def _table(*positions: Rule, carried: tuple[str, ...] = ()) -> WeightTable:
    return WeightTable(
        body=(
            *table("token_embedding", "shared"),
            *positions,
            *_side("encoder", "", "layer"),
            *_side("decoder", "decoder/", "decoder_layer"),
        ),
        heads={
            "language_model": (
                Rule("language_model/bias", "final_logits_bias", row_as_vector),
            )
        },
        twins=tuple(
            Twin(
                name,
                "shared.weight",
                head="language_model",
                reason="token embeddings apart from the shared one are not supported",
            )
            for name in (
                "encoder.embed_tokens.weight",
                "decoder.embed_tokens.weight",
                "lm_head.weight",
            )
        ),
        ignored=carried,
        carried=carried,
        left_out={"final_logits_bias": "head_bias"},
        renamings={
            "pytorch": _PYTORCH,
            "keras_h5": (
                *keras_h5(r"model(?:\.shared)?", "final_logits_bias"),
                Renaming(r"^final_logits_bias\.final", "final"),
                Renaming(r"^model\.(?=model\.)", ""),
                *_PYTORCH,
            ),
        },
    )


BART = MBART = _table(
    *(
        Rule(
            f"{prefix}position_embedding/embeddings",
            f"{side}.embed_positions.weight",
            _of_real_positions,
        )
        for side, prefix in (("encoder", ""), ("decoder", "decoder/"))
    )
)
# Pegasus' positions are sinusoids, recomputed here
PEGASUS = _table(carried=(r"(encoder|decoder)\.embed_positions\.weight",))
