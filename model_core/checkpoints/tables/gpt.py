"""GPT's weights: GPT2's parts under other names. Rows only.

Changes when published GPT checkpoints show another name.
"""

from model_core.checkpoints.tables import gpt2
from model_core.checkpoints.tables.rules import keras_h5
from model_core.checkpoints.weight_map import Renaming, Twin, WeightTable

_PYTORCH = (
    *gpt2.PYTORCH,
    Renaming(r"^tokens_embed\.", "wte."),
    Renaming(r"^positions_embed\.", "wpe."),
)

TABLE = WeightTable(
    body=gpt2.BODY,
    heads=gpt2.TABLE.heads,
    twins=(
        Twin(
            "lm_head.weight",
            "wte.weight",
            head="language_model",
            reason="an output head untied from the token embedding is not supported",
        ),
    ),
    ignored=(*gpt2.IGNORED, r"position_ids"),
    renamings={
        "pytorch": _PYTORCH,
        "keras_h5": (*keras_h5("transformer", "lm_head"), *_PYTORCH, *gpt2.ROWS),
    },
)
