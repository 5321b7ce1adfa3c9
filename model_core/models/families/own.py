"""Our own family: its published config is ours, field by field.

Changes when a head of ours is added.
"""

from dataclasses import MISSING, fields

from model_core.config import TransformerConfig
from model_core.models.families.family import REQUIRED, Family, Setting

MASKPLAY = Family(
    name="maskplay",
    model_types=frozenset({"maskplay"}),
    settings=tuple(
        Setting(
            each.name,
            (each.name,),
            REQUIRED if each.default is MISSING else each.default,
        )
        for each in fields(TransformerConfig)
    ),
    config_marks=frozenset({"norm_placement", "position_kind", "embedding_norm"}),
    tensor_mark=r"^token_embedding/embeddings$",
    heads=(
        "language_model",
        "masked_lm",
        "source_prior",
        "pooler",
        "span",
        "prompted_span",
        "classifier",
        "next_sentence",
        "replaced",
        "copy",
        "clauses",
        "half_pointer",
        "gplinker",
    ),
    attention="causal",
    tells=True,
)
