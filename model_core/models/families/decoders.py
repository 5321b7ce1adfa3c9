"""Families that continue a text: every position sees itself and the past.

Changes when such a family is added or its published configs show another key.
"""

from model_core.models.families.family import Family, Setting
from model_core.models.families.rows import GPT_SETTINGS, SIZES, SPREAD

_FOUR_TIMES = {"intermediate_size": lambda read: 4 * read["hidden_size"]}

GPT2 = Family(
    name="gpt2",
    model_types=frozenset({"gpt2"}),
    settings=(
        *GPT_SETTINGS,
        Setting(
            "max_position_embeddings",
            ("n_positions", "max_position_embeddings", "n_ctx"),
            1024,
        ),
        Setting("hidden_act", ("activation_function",), "gelu_new"),
        Setting("tied_head", ("tie_word_embeddings",), default=True),
    ),
    constants={
        "type_vocab_size": 0,
        "norm_placement": "pre",
        "embedding_norm": False,
        "final_norm": True,
        "position_kind": "learned",
    },
    derived=_FOUR_TIMES,
    accepted={
        "scale_attn_weights": (True,),
        "scale_attn_by_inverse_layer_idx": (False,),
        "add_cross_attention": (False,),
    },
    config_marks=frozenset({"n_embd", "n_layer", "n_head"}),
    tensor_mark=r"(^|[./])h[._/]*0[./]attn[./]c_attn[./]w(eight.*)?$|^wte\.weight$",
    heads=("language_model",),
    attention="causal",
)

GPT = Family(
    name="gpt",
    model_types=frozenset({"openai-gpt"}),
    settings=(
        *GPT_SETTINGS,
        Setting("max_position_embeddings", ("n_positions", "n_ctx"), 512),
        Setting("hidden_act", ("afn",), "gelu"),
    ),
    constants={
        "type_vocab_size": 0,
        "norm_placement": "post",
        "embedding_norm": False,
        "final_norm": False,
        "position_kind": "learned",
        "segments_are_tokens": True,
    },
    derived=_FOUR_TIMES,
    # what this family calls gelu is the approximation by tanh
    adjusted={
        "hidden_act": lambda read, _: (
            "gelu_new" if read["hidden_act"] == "gelu" else read["hidden_act"]
        )
    },
    config_marks=frozenset({"n_embd", "n_layer", "n_head", "afn"}),
    tensor_mark=r"tokens_embed",
    heads=("language_model",),
    attention="causal",
)

GPT2_ML = Family(
    name="gpt2_ml",
    model_types=frozenset({"gpt2_ml"}),
    settings=(
        *SIZES,
        Setting("max_position_embeddings", ("max_position_embeddings",), 1024),
        Setting("hidden_act", ("hidden_act",), "gelu"),
        Setting("layer_norm_eps", ("layer_norm_eps",), 1e-5),
        SPREAD,
        Setting("dropout", ("hidden_dropout_prob",), 0.1),
        Setting("attention_dropout", ("attention_probs_dropout_prob",), 0.1),
    ),
    constants={
        "type_vocab_size": 0,
        "norm_placement": "sandwich",
        "embedding_norm": True,
        "final_norm": False,
        "position_kind": "learned",
    },
    config_marks=frozenset({"hidden_size", "num_hidden_layers"}),
    tensor_mark=r"^newslm/|^gpt2_ml\.",
    heads=("language_model",),
    attention="causal",
)

DECODERS = (GPT2, GPT, GPT2_ML)
