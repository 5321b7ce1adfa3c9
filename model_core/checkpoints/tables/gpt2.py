"""GPT2's weights: rows only.

The rules use PyTorch's names without the ``transformer.`` prefix. GPT2's Conv1D kernels
are (in, out) already, and query, key and value lie fused side by side. Changes when
published GPT2 checkpoints show another name.
"""

from model_core.checkpoints.tables.rules import keras_h5
from model_core.checkpoints.weight_map import (
    Renaming,
    Rule,
    Twin,
    WeightTable,
    row_as_vector,
    third,
    without_window,
)

QUERY, KEY, VALUE = third(0), third(1), third(2)

BODY = (
    Rule("token_embedding/embeddings", "wte.weight"),
    Rule("position_embedding/embeddings", "wpe.weight"),
    Rule("block_{layer}/attention_norm/gamma", "h.{layer}.ln_1.weight"),
    Rule("block_{layer}/attention_norm/beta", "h.{layer}.ln_1.bias"),
    Rule("block_{layer}/attention/query/kernel", "h.{layer}.attn.c_attn.weight", QUERY),
    Rule("block_{layer}/attention/query/bias", "h.{layer}.attn.c_attn.bias", QUERY),
    Rule("block_{layer}/attention/key/kernel", "h.{layer}.attn.c_attn.weight", KEY),
    Rule("block_{layer}/attention/key/bias", "h.{layer}.attn.c_attn.bias", KEY),
    Rule("block_{layer}/attention/value/kernel", "h.{layer}.attn.c_attn.weight", VALUE),
    Rule("block_{layer}/attention/value/bias", "h.{layer}.attn.c_attn.bias", VALUE),
    Rule("block_{layer}/attention/output/kernel", "h.{layer}.attn.c_proj.weight"),
    Rule("block_{layer}/attention/output/bias", "h.{layer}.attn.c_proj.bias"),
    Rule("block_{layer}/feed_forward_norm/gamma", "h.{layer}.ln_2.weight"),
    Rule("block_{layer}/feed_forward_norm/beta", "h.{layer}.ln_2.bias"),
    Rule("block_{layer}/feed_forward/inner/kernel", "h.{layer}.mlp.c_fc.weight"),
    Rule("block_{layer}/feed_forward/inner/bias", "h.{layer}.mlp.c_fc.bias"),
    Rule("block_{layer}/feed_forward/outer/kernel", "h.{layer}.mlp.c_proj.weight"),
    Rule("block_{layer}/feed_forward/outer/bias", "h.{layer}.mlp.c_proj.bias"),
    Rule("final_norm/gamma", "ln_f.weight"),
    Rule("final_norm/beta", "ln_f.bias"),
)

TWINS = (
    Twin(
        "lm_head.weight",
        "wte.weight",
        head="language_model",
        reason="the config does not say that the output head is one of its own",
    ),
)

IGNORED = (
    r"h\.\d+\.attn\.bias",  # the causal mask as a buffer, drawn afresh here
    r"h\.\d+\.attn\.masked_bias",
)

PYTORCH = (Renaming(r"^transformer\.", ""),)
# the same names: in Keras's files these biases are kept as (1, units)
ROWS = (Renaming(r"^(h\.\d+\.(?:attn|mlp)\.\w+\.bias)$", r"\1", row_as_vector),)

# github.com/openai/gpt-2: projections are convolutions over a window of one
OPENAI = (
    Renaming(r"/", "."),
    Renaming(r"^model\.", ""),
    Renaming(r"^h(\d+)\.", r"h.\1."),
    Renaming(r"^(wte|wpe)$", r"\1.weight"),
    Renaming(r"\.g$", ".weight"),
    Renaming(r"\.w$", ".weight", without_window),
    Renaming(r"\.b$", ".bias"),
)

TABLE = WeightTable(
    body=BODY,
    heads={"language_model": (Rule("language_model/embeddings", "lm_head.weight"),)},
    twins=TWINS,
    ignored=IGNORED,
    renamings={
        "pytorch": PYTORCH,
        "keras_h5": (*keras_h5("transformer", "lm_head"), *PYTORCH, *ROWS),
        "tensorflow": OPENAI,
    },
)
