"""The configs of published checkpoints, as far as sizes go, from their public pages."""

from collections.abc import Iterator
from typing import Any

Values = dict[str, Any]


def gpt2(layers: int, width: int, heads: int, vocab: int = 21128) -> Values:
    """A GPT2 with 1,024 positions."""
    return {
        "model_type": "gpt2",
        "n_layer": layers,
        "n_embd": width,
        "n_head": heads,
        "n_positions": 1024,
        "vocab_size": vocab,
        "activation_function": "gelu_new",
    }


def bert(layers: int = 12, width: int = 768, vocab: int = 21128, **more: Any) -> Values:
    """A BERT with heads of 64, four times as wide inside."""
    return {
        "model_type": "bert",
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": max(1, width // 64),
        "intermediate_size": 4 * width,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "vocab_size": vocab,
        "hidden_act": "gelu",
    } | more


def t5(layers: int, width: int, inner: int, heads: int, vocab: int) -> Values:
    """A T5 1.1: gated, with a head of its own."""
    return {
        "model_type": "mt5",
        "d_model": width,
        "d_kv": 64,
        "d_ff": inner,
        "num_layers": layers,
        "num_decoder_layers": layers,
        "num_heads": heads,
        "vocab_size": vocab,
        "feed_forward_proj": "gated-gelu",
        "tie_word_embeddings": False,
    }


def t5_first(layers: int, width: int, inner: int, heads: int, vocab: int) -> Values:
    """A T5 1.0: not gated, its head tied."""
    return t5(layers, width, inner, heads, vocab) | {
        "model_type": "t5",
        "feed_forward_proj": "relu",
        "tie_word_embeddings": True,
    }


def bart(kind: str, layers: int, width: int, inner: int, vocab: int) -> Values:
    """A BART or Pegasus with as many layers on both sides."""
    sides = ("encoder", "decoder")
    return {
        "model_type": kind,
        "d_model": width,
        "vocab_size": vocab,
        "max_position_embeddings": 1024,
        "activation_function": "gelu" if kind == "bart" else "relu",
        **{f"{side}_layers": layers for side in sides},
        **{f"{side}_ffn_dim": inner for side in sides},
        **{f"{side}_attention_heads": width // 64 for side in sides},
    }


def ernie(layers: int, width: int, heads: int = 12) -> Values:
    """An ERNIE 3.0 with its task types."""
    return bert(
        layers,
        width,
        40000,
        num_attention_heads=heads,
        model_type="ernie",
        max_position_embeddings=2048,
        type_vocab_size=4,
        use_task_id=True,
        task_type_vocab_size=3,
    )


def albert(layers: int, width: int, heads: int) -> Values:
    """An ALBERT, four times as wide inside."""
    return ALBERT | {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * width,
    }


def nezha(layers: int, width: int) -> Values:
    """A NEZHA with distances up to 64."""
    return bert(layers, width, model_type="nezha", max_relative_position=64)


def gpt2_ml() -> Values:
    """The one GPT2_ML of 1.4 billion."""
    return {
        "model_type": "gpt2_ml",
        "hidden_size": 1536,
        "num_hidden_layers": 48,
        "num_attention_heads": 24,
        "intermediate_size": 6144,
        "max_position_embeddings": 1024,
        "vocab_size": 21128,
    }


ALBERT: Values = {
    "model_type": "albert",
    "embedding_size": 128,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "vocab_size": 21128,
    "hidden_act": "gelu",
    "num_hidden_groups": 1,
    "inner_group_num": 1,
}
GPT: Values = {
    "model_type": "openai-gpt",
    "n_layer": 12,
    "n_embd": 768,
    "n_head": 12,
    "n_positions": 513,
    "vocab_size": 13088,
    "afn": "gelu",
}
XLNET: Values = {
    "model_type": "xlnet",
    "d_model": 768,
    "d_inner": 3072,
    "n_layer": 12,
    "n_head": 12,
    "untie_r": True,
    "vocab_size": 32000,
    "ff_activation": "relu",
}
SHAPES: dict[str, tuple[Values, tuple[str, ...]]] = {
    "uer/gpt2-distil-chinese-cluecorpussmall": (gpt2(6, 768, 12), ("language_model",)),
    "uer/gpt2-chinese-cluecorpussmall": (gpt2(12, 768, 12), ("language_model",)),
    "uer/gpt2-medium-chinese-cluecorpussmall": (
        gpt2(24, 1024, 16),
        ("language_model",),
    ),
    "uer/gpt2-large-chinese-cluecorpussmall": (gpt2(36, 1280, 20), ("language_model",)),
    "uer/gpt2-xlarge-chinese-cluecorpussmall": (
        gpt2(48, 1600, 25),
        ("language_model",),
    ),
    "uer/gpt2-chinese-poem": (gpt2(12, 768, 12), ("language_model",)),
    "uer/gpt2-chinese-couplet": (gpt2(12, 768, 12), ("language_model",)),
    "uer/gpt2-chinese-lyric": (gpt2(12, 768, 12), ("language_model",)),
    "uer/gpt2-chinese-ancient": (gpt2(12, 768, 12, 25370), ("language_model",)),
    "thu-coai/CDial-GPT_LCCC-base": (GPT, ("language_model",)),
    "thu-coai/CDial-GPT_LCCC-large": (GPT, ("language_model",)),
    "hfl/chinese-roberta-wwm-ext": (bert(), ("masked_lm",)),
    "hfl/chinese-roberta-wwm-ext-large": (bert(24, 1024), ("pooler",)),
    "google-bert/bert-base-chinese": (bert(), ("masked_lm",)),
    "hfl/chinese-macbert-base": (bert(), ("masked_lm",)),
    "hfl/rbt3": (bert(3), ("masked_lm",)),
    "hfl/rbt6": (bert(6), ("masked_lm",)),
    "hfl/rbtl3": (bert(3, 1024), ("masked_lm",)),
    "nghuyong/ernie-3.0-base-zh": (
        bert(
            vocab=40000,
            model_type="ernie",
            max_position_embeddings=2048,
            type_vocab_size=4,
            use_task_id=True,
            task_type_vocab_size=3,
        ),
        ("masked_lm",),
    ),
    "xusenlin/uie-base": (
        bert(
            vocab=40000,
            model_type="ernie",
            max_position_embeddings=2048,
            type_vocab_size=4,
            use_task_id=True,
            task_type_vocab_size=3,
        ),
        ("prompted_span",),
    ),
    "sijunhe/nezha-cn-base": (
        bert(model_type="nezha", max_relative_position=64),
        ("masked_lm",),
    ),
    "microsoft/DialoGPT-small": (gpt2(12, 768, 12, 50257), ("language_model",)),
    "microsoft/DialoGPT-medium": (gpt2(24, 1024, 16, 50257), ("language_model",)),
    "Tongjilibo/nezha_gpt_dialog": (
        bert(model_type="nezha", max_relative_position=64),
        ("masked_lm",),
    ),
    "junnyu/wobert_chinese_plus_base": (bert(vocab=50000), ("masked_lm",)),
    "junnyu/roformer_chinese_base": (
        bert(vocab=50000, model_type="roformer", rotary_value=False),
        ("masked_lm",),
    ),
    "junnyu/roformer_chinese_char_base": (
        bert(vocab=12000, model_type="roformer", rotary_value=False),
        ("masked_lm",),
    ),
    "junnyu/roformer_v2_chinese_char_base": (
        bert(
            vocab=12000,
            model_type="roformer",
            rotary_value=False,
            norm_type="rms_norm",
            use_bias=False,
        ),
        ("masked_lm",),
    ),
    "voidful/albert_chinese_tiny": (
        ALBERT
        | {
            "hidden_size": 312,
            "num_hidden_layers": 4,
            "num_attention_heads": 12,
            "intermediate_size": 1248,
        },
        ("masked_lm",),
    ),
    "voidful/albert_chinese_base": (
        ALBERT
        | {
            "hidden_size": 768,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "intermediate_size": 3072,
        },
        ("masked_lm",),
    ),
    "hfl/chinese-electra-180g-small-generator": (
        bert(
            12,
            64,
            model_type="electra",
            embedding_size=128,
            intermediate_size=256,
        ),
        ("masked_lm",),
    ),
    "distilbert/distilbert-base-multilingual-cased": (
        {
            "model_type": "distilbert",
            "dim": 768,
            "n_layers": 6,
            "n_heads": 12,
            "hidden_dim": 3072,
            "vocab_size": 119547,
            "max_position_embeddings": 512,
            "activation": "gelu",
        },
        ("masked_lm",),
    ),
    "imxly/t5-pegasus-small": (t5(8, 512, 1024, 6, 50000), ("language_model",)),
    "imxly/t5-pegasus": (t5(12, 768, 2048, 12, 50000), ("language_model",)),
    "csebuetnlp/mT5_multilingual_XLSum": (
        t5(12, 768, 2048, 12, 250112),
        ("language_model",),
    ),
    "IDEA-CCNL/Randeng-Pegasus-238M-Summary-Chinese": (
        bart("pegasus", 12, 768, 3072, 50000),
        ("language_model",),
    ),
    "IDEA-CCNL/Randeng-Pegasus-523M-Summary-Chinese": (
        bart("pegasus", 16, 1024, 4096, 50000),
        ("language_model",),
    ),
    "fnlp/bart-base-chinese": (
        bart("bart", 6, 768, 3072, 51271),
        ("language_model",),
    ),
    "uer/roberta-base-chinese-extractive-qa": (bert(), ("span",)),
    "luhua/chinese_pretrain_mrc_roberta_wwm_ext_large": (bert(24, 1024), ("span",)),
    "luhua/chinese_pretrain_mrc_macbert_large": (bert(24, 1024), ("span",)),
    "Tongjilibo/simbert-chinese-tiny": (
        bert(4, 312, 13685, num_attention_heads=12, embedding_size=128),
        ("pooler", "masked_lm"),
    ),
    "Tongjilibo/simbert-chinese-small": (
        bert(6, 384, 13685, num_attention_heads=12, embedding_size=128),
        ("pooler", "masked_lm"),
    ),
    "Tongjilibo/simbert-chinese-base": (bert(vocab=13685), ("pooler", "masked_lm")),
    "junnyu/roformer_chinese_sim_char_ft_base": (
        bert(vocab=12000, model_type="roformer", rotary_value=False, is_decoder=True),
        ("pooler", "masked_lm"),
    ),
    "hfl/chinese-xlnet-base": (XLNET, ("language_model",)),
    "uer/roberta-base-finetuned-jd-binary-chinese": (bert(), ("classifier",)),
    "uer/roberta-base-finetuned-dianping-chinese": (bert(), ("classifier",)),
    "uer/roberta-base-finetuned-chinanews-chinese": (
        bert(num_labels=7),
        ("classifier",),
    ),
    "IDEA-CCNL/Erlangshen-Roberta-110M-Sentiment": (bert(), ("classifier",)),
    "IDEA-CCNL/Erlangshen-Roberta-110M-Similarity": (bert(), ("classifier",)),
    "IDEA-CCNL/Erlangshen-Roberta-110M-NLI": (bert(num_labels=3), ("classifier",)),
    "hfl/chinese-electra-180g-small-discriminator": (
        bert(12, 256, model_type="electra", embedding_size=128),
        ("replaced",),
    ),
    "hfl/chinese-electra-180g-base-discriminator": (
        bert(model_type="electra", embedding_size=768),
        ("replaced",),
    ),
    "Tongjilibo/gpt2-ml_15g_corpus": (gpt2_ml(), ("language_model",)),
    "Tongjilibo/gpt2-ml_30g_corpus": (gpt2_ml(), ("language_model",)),
    "mymusise/CPM-Generate-distill": (gpt2(12, 768, 12, 30000), ("language_model",)),
    "TsinghuaAI/CPM-Generate": (gpt2(32, 2560, 32, 30000), ("language_model",)),
    "Babelscape/mrebel-large": (
        bart("mbart", 12, 1024, 4096, 250071),
        ("language_model",),
    ),
    "fnlp/bart-large-chinese": (
        bart("bart", 12, 1024, 4096, 51271),
        ("language_model",),
    ),
    "uer/bart-base-chinese-cluecorpussmall": (
        bart("bart", 6, 768, 3072, 21128),
        ("language_model",),
    ),
    "uer/pegasus-base-chinese-cluecorpussmall": (
        bart("pegasus", 12, 768, 3072, 21128),
        ("language_model",),
    ),
    "uer/t5-small-chinese-cluecorpussmall": (
        t5_first(6, 512, 2048, 8, 21228),
        ("language_model",),
    ),
    "uer/t5-base-chinese-cluecorpussmall": (
        t5_first(12, 768, 3072, 12, 21228),
        ("language_model",),
    ),
    "uer/t5-v1_1-small-chinese-cluecorpussmall": (
        t5(8, 512, 1024, 6, 21228),
        ("language_model",),
    ),
    "uer/t5-v1_1-base-chinese-cluecorpussmall": (
        t5(12, 768, 2048, 12, 21228),
        ("language_model",),
    ),
    "nghuyong/ernie-3.0-xbase-zh": (ernie(20, 1024, 16), ("masked_lm",)),
    "nghuyong/ernie-3.0-medium-zh": (ernie(6, 768), ("masked_lm",)),
    "nghuyong/ernie-3.0-mini-zh": (ernie(6, 384), ("masked_lm",)),
    "nghuyong/ernie-3.0-micro-zh": (ernie(4, 384), ("masked_lm",)),
    "nghuyong/ernie-3.0-nano-zh": (ernie(4, 312), ("masked_lm",)),
    "sijunhe/nezha-cn-large": (nezha(24, 1024), ("masked_lm",)),
    "sijunhe/nezha-base-wwm": (nezha(12, 768), ("masked_lm",)),
    "sijunhe/nezha-large-wwm": (nezha(24, 1024), ("masked_lm",)),
    "junnyu/wobert_chinese_base": (bert(vocab=33586), ("masked_lm",)),
    "voidful/albert_chinese_small": (albert(6, 384, 12), ("masked_lm",)),
    "voidful/albert_chinese_large": (albert(24, 1024, 16), ("masked_lm",)),
    "voidful/albert_chinese_xlarge": (albert(24, 2048, 16), ("masked_lm",)),
    "voidful/albert_chinese_xxlarge": (albert(12, 4096, 16), ("masked_lm",)),
    "clue/albert_chinese_tiny": (albert(4, 312, 12), ("pooler",)),
    "hfl/chinese-electra-180g-base-generator": (
        bert(12, 192, model_type="electra", embedding_size=768),
        ("masked_lm",),
    ),
    "hfl/chinese-xlnet-mid": (XLNET | {"n_layer": 24}, ("language_model",)),
}


def parameters() -> Iterator[tuple[str, int]]:
    """Yield how many scalars each of them has, worked out from its config."""
    import math

    from model_core.checkpoints.weight_shapes import expected_shapes
    from model_core.models.families import family_of

    for repo_id, (values, heads) in SHAPES.items():
        config = family_of(values, ()).config_from_json(values)
        shapes = expected_shapes(config, heads).values()
        yield repo_id, sum(map(math.prod, shapes))
