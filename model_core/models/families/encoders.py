"""Families that read a text in both directions.

Changes when such a family is added or its published configs show another key.
"""

from typing import Any

from model_core.models.families.family import Family, Setting
from model_core.models.families.rows import (
    BERT_SETTINGS,
    LABELS,
    NO_DECODER,
    POSITIONS,
    SPREAD,
)

_POST: dict[str, Any] = {
    "norm_placement": "post",
    "embedding_norm": True,
    "final_norm": False,
    "position_kind": "learned",
}
_BERT_MARKS = frozenset(
    {"hidden_size", "num_hidden_layers", "intermediate_size", "type_vocab_size"}
)
_BERT_HEADS = (
    "masked_lm",
    "pooler",
    "span",
    "classifier",
    "next_sentence",
    "prompted_span",
)
_EMBEDDING = Setting("embedding_size", ("embedding_size",), None)


def _factorised(read: dict[str, Any], _: Any) -> int:
    """Where both widths are one, these families have no projection between them."""
    width = read["embedding_size"]
    return 0 if width in (None, read["hidden_size"]) else int(width)


BERT = Family(
    name="bert",
    model_types=frozenset({"bert"}),
    settings=(*BERT_SETTINGS, _EMBEDDING),  # narrower in small SimBERTs
    constants=_POST,
    adjusted={"embedding_size": _factorised},
    accepted={"position_embedding_type": ("absolute",), **NO_DECODER},
    config_marks=_BERT_MARKS,
    tensor_mark=(
        r"^(?!(roberta|ernie|nezha|roformer|electra|generator)[./])"
        r".*encoder[./]layer[._/0-9]+attention[./]self[./]query"
    ),
    heads=_BERT_HEADS,
    attention="bidirectional",
)

ROBERTA = Family(
    name="roberta",
    model_types=frozenset({"roberta", "xlm-roberta"}),
    settings=BERT_SETTINGS,
    constants=_POST,
    # the first two rows of its table are of no position
    adjusted={
        "max_position_embeddings": lambda read, _: read["max_position_embeddings"] - 2
    },
    accepted={
        "position_embedding_type": ("absolute",),
        "pad_token_id": (1,),
        **NO_DECODER,
    },
    config_marks=_BERT_MARKS,
    tensor_mark=r"^roberta[./]encoder",
    heads=("masked_lm", "pooler", "span", "classifier"),
    attention="bidirectional",
)

ERNIE = Family(
    name="ernie",
    model_types=frozenset({"ernie", "uie"}),
    settings=(
        *BERT_SETTINGS,
        Setting("task_type_vocab_size", ("task_type_vocab_size",), 3),
    ),
    constants=_POST,
    adjusted={
        "task_type_vocab_size": lambda read, values: (
            read["task_type_vocab_size"] if values.get("use_task_id") else 0
        )
    },
    accepted={"position_embedding_type": ("absolute",), **NO_DECODER},
    config_marks=_BERT_MARKS | {"use_task_id"},
    tensor_mark=r"task_type_embeddings",
    heads=_BERT_HEADS,
    attention="bidirectional",
)

NEZHA = Family(
    name="nezha",
    model_types=frozenset({"nezha"}),
    settings=(
        *BERT_SETTINGS,
        Setting("relative_distance", ("max_relative_position",), 64),
    ),
    # its config's embedding_size is not used by its reference either
    constants=_POST | {"position_kind": "relative"},
    # its first configs only say that positions are relative, and mean up to 64
    accepted={"use_relative_position": (True,), **NO_DECODER},
    config_marks=_BERT_MARKS | {"max_relative_position|use_relative_position"},
    tensor_mark=r"encoder[./]layer[._/0-9]+attention[./]self[./]query",
    heads=_BERT_HEADS,
    attention="bidirectional",
)


ROFORMER = Family(
    name="roformer",
    model_types=frozenset({"roformer"}),
    settings=(
        *BERT_SETTINGS,
        _EMBEDDING,
        Setting("attention_bias", ("use_bias",), default=True),
        Setting("feed_forward_bias", ("use_bias",), default=True),
        Setting("pooler_act", ("pooler_activation",), "tanh"),
    ),
    constants=_POST | {"position_kind": "rotary", "rotary_style": "neighbours"},
    adjusted={
        "embedding_size": _factorised,
        "pooling_act": lambda read, _: read["hidden_act"],
        # RoFormer V2: no biases, norms without any weight, a cloze head without a layer
        "norm_kind": lambda _, values: (
            "bare_rms" if values.get("norm_type") == "rms_norm" else "layer"
        ),
        "masked_lm_transform": lambda _, values: values.get("norm_type") != "rms_norm",
    },
    # RoFormer-Sim calls itself a decoder, as it also writes: it reads both ways (UniLM)
    accepted={"rotary_value": (False,), **NO_DECODER, "is_decoder": (False, True)},
    config_marks=_BERT_MARKS | {"rotary_value"},
    tensor_mark=r"^roformer[./]encoder",
    heads=("masked_lm", "pooler", "span", "classifier"),
    attention="bidirectional",
)

_ALBERT_SETTINGS = (
    *BERT_SETTINGS,
    Setting("embedding_size", ("embedding_size",), 128),
    Setting("num_layer_groups", ("num_hidden_groups",), 1),
)
ALBERT = Family(
    name="albert",
    model_types=frozenset({"albert"}),
    settings=_ALBERT_SETTINGS,
    constants=_POST,
    accepted={
        "inner_group_num": (1,),
        "position_embedding_type": ("absolute",),
        **NO_DECODER,
    },
    config_marks=_BERT_MARKS | {"num_hidden_groups"},
    tensor_mark=r"albert_layer_groups|inner_group_0",
    heads=("masked_lm", "pooler", "span", "classifier", "next_sentence"),
    attention="bidirectional",
)

ALBERT_ZH = Family(
    name="albert_zh",
    model_types=frozenset({"albert_zh"}),
    # github.com/brightmart/albert_zh before Google's code: one layer for all, and words
    # are projected before anything is added to them
    settings=_ALBERT_SETTINGS,
    constants=_POST | {"projected_first": True, "embedding_bias": False},
    # its program knows only the tanh one, and calls it gelu
    adjusted={
        "hidden_act": lambda read, _: (
            "gelu_new" if read["hidden_act"] == "gelu" else read["hidden_act"]
        )
    },
    accepted={"position_embedding_type": ("absolute",), **NO_DECODER},
    config_marks=_BERT_MARKS | {"embedding_size"},
    tensor_mark=r"layer_shared",
    heads=("masked_lm", "pooler", "span", "classifier", "next_sentence"),
    attention="bidirectional",
)

ELECTRA = Family(
    name="electra",
    model_types=frozenset({"electra"}),
    settings=(*BERT_SETTINGS, _EMBEDDING),
    constants=_POST | {"pooling_act": "gelu"},
    adjusted={"embedding_size": _factorised},
    accepted={"position_embedding_type": ("absolute",), **NO_DECODER},
    config_marks=_BERT_MARKS | {"summary_type|embedding_size"},
    tensor_mark=r"^electra[./]|discriminator_predictions|generator_predictions",
    heads=("masked_lm", "replaced", "span", "classifier"),
    attention="bidirectional",
)

DISTILBERT = Family(
    name="distilbert",
    model_types=frozenset({"distilbert"}),
    settings=(
        Setting("vocab_size", ("vocab_size",)),
        Setting("hidden_size", ("dim",)),
        Setting("num_hidden_layers", ("n_layers",)),
        Setting("num_attention_heads", ("n_heads",)),
        Setting("intermediate_size", ("hidden_dim",)),
        POSITIONS,
        Setting("hidden_act", ("activation",), "gelu"),
        SPREAD,
        Setting("dropout", ("dropout",), 0.1),
        Setting("attention_dropout", ("attention_dropout",), 0.1),
        LABELS,
    ),
    constants=_POST | {"layer_norm_eps": 1e-12, "pooling_act": "relu"},
    config_marks=frozenset({"dim", "n_layers", "n_heads", "hidden_dim"}),
    tensor_mark=r"transformer[./]layer[._/0-9]+attention[./]q_lin",
    heads=("masked_lm", "span", "classifier"),
    attention="bidirectional",
)

XLNET = Family(
    name="xlnet",
    model_types=frozenset({"xlnet"}),
    settings=(
        Setting("vocab_size", ("vocab_size", "n_token")),
        Setting("hidden_size", ("d_model",)),
        Setting("num_hidden_layers", ("n_layer",)),
        Setting("num_attention_heads", ("n_head",)),
        Setting("intermediate_size", ("d_inner",)),
        Setting("attention_head_size", ("d_head",), None),
        Setting("hidden_act", ("ff_activation",), "gelu"),
        Setting("layer_norm_eps", ("layer_norm_eps",), 1e-12),
        SPREAD,
        Setting("dropout", ("dropout",), 0.1),
        LABELS,
    ),
    constants=_POST
    | {
        "position_kind": "transfer",
        "embedding_norm": False,
        "attention_bias": False,
        "head_bias": True,
        "pooling_place": "last",
    },
    derived={
        "attention_head_size": lambda read: (
            read["hidden_size"] // read["num_attention_heads"]
        )
    },
    accepted={
        "attn_type": ("bi",),
        "untie_r": (True,),
        "bi_data": (False,),
        "clamp_len": (-1,),
        "summary_type": ("last",),
        "summary_activation": ("tanh",),
    },
    config_marks=frozenset({"d_model", "d_inner", "untie_r"}),
    tensor_mark=r"rel_attn",
    heads=("language_model", "classifier"),
    attention="bidirectional",
)

ENCODERS = (
    BERT,
    ROBERTA,
    ERNIE,
    NEZHA,
    ROFORMER,
    ALBERT,
    ALBERT_ZH,
    ELECTRA,
    DISTILBERT,
    XLNET,
)
