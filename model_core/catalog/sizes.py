"""How many parameters published weights have: their size on disk and in memory.

Changes with the rows of the catalogue. Worked out from the shapes of their public
configs, heads included; a test works them out again.
"""

MEGABYTE = 1_000_000
FLOAT32_BYTES = 4

MILLIONS: dict[str, float] = {
    "uer/gpt2-distil-chinese-cluecorpussmall": 59.5,
    "uer/gpt2-chinese-cluecorpussmall": 102.1,
    "uer/gpt2-medium-chinese-cluecorpussmall": 325.0,
    "uer/gpt2-large-chinese-cluecorpussmall": 736.7,
    "uer/gpt2-xlarge-chinese-cluecorpussmall": 1511.0,
    "uer/gpt2-chinese-poem": 102.1,
    "uer/gpt2-chinese-couplet": 102.1,
    "uer/gpt2-chinese-lyric": 102.1,
    "uer/gpt2-chinese-ancient": 105.3,
    "thu-coai/CDial-GPT_LCCC-base": 95.5,
    "thu-coai/CDial-GPT_LCCC-large": 95.5,
    "hfl/chinese-roberta-wwm-ext": 102.3,
    "hfl/chinese-roberta-wwm-ext-large": 325.5,
    "google-bert/bert-base-chinese": 102.3,
    "hfl/chinese-macbert-base": 102.3,
    "hfl/rbt3": 38.5,
    "hfl/rbt6": 59.8,
    "hfl/rbtl3": 61.0,
    "nghuyong/ernie-3.0-base-zh": 118.0,
    "xusenlin/uie-base": 117.4,
    "sijunhe/nezha-cn-base": 101.9,
    "microsoft/DialoGPT-small": 124.4,
    "microsoft/DialoGPT-medium": 354.8,
    "Tongjilibo/nezha_gpt_dialog": 101.9,
    "junnyu/wobert_chinese_plus_base": 124.5,
    "junnyu/roformer_chinese_base": 124.1,
    "junnyu/roformer_chinese_char_base": 94.9,
    "junnyu/roformer_v2_chinese_char_base": 94.2,
    "voidful/albert_chinese_tiny": 4.0,
    "voidful/albert_chinese_base": 10.1,
    "hfl/chinese-electra-180g-small-generator": 3.4,
    "distilbert/distilbert-base-multilingual-cased": 135.4,
    "imxly/t5-pegasus-small": 95.3,
    "imxly/t5-pegasus": 275.0,
    "csebuetnlp/mT5_multilingual_XLSum": 582.4,
    "IDEA-CCNL/Randeng-Pegasus-238M-Summary-Chinese": 236.9,
    "IDEA-CCNL/Randeng-Pegasus-523M-Summary-Chinese": 521.5,
    "fnlp/bart-base-chinese": 140.2,
    "uer/roberta-base-chinese-extractive-qa": 101.7,
    "luhua/chinese_pretrain_mrc_roberta_wwm_ext_large": 324.5,
    "luhua/chinese_pretrain_mrc_macbert_large": 324.5,
    "Tongjilibo/simbert-chinese-tiny": 6.7,
    "Tongjilibo/simbert-chinese-small": 12.7,
    "Tongjilibo/simbert-chinese-base": 97.2,
    "junnyu/roformer_chinese_sim_char_ft_base": 95.5,
    "hfl/chinese-xlnet-base": 116.7,
    "uer/roberta-base-finetuned-jd-binary-chinese": 102.3,
    "uer/roberta-base-finetuned-dianping-chinese": 102.3,
    "uer/roberta-base-finetuned-chinanews-chinese": 102.3,
    "IDEA-CCNL/Erlangshen-Roberta-110M-Sentiment": 102.3,
    "IDEA-CCNL/Erlangshen-Roberta-110M-Similarity": 102.3,
    "IDEA-CCNL/Erlangshen-Roberta-110M-NLI": 102.3,
    "hfl/chinese-electra-180g-small-discriminator": 12.3,
    "hfl/chinese-electra-180g-base-discriminator": 102.3,
    "Tongjilibo/gpt2-ml_15g_corpus": 1393.9,
    "Tongjilibo/gpt2-ml_30g_corpus": 1393.9,
    "mymusise/CPM-Generate-distill": 108.9,
    "TsinghuaAI/CPM-Generate": 2597.1,
    "Babelscape/mrebel-large": 611.1,
    "fnlp/bart-large-chinese": 407.4,
    "uer/bart-base-chinese-cluecorpussmall": 117.1,
    "uer/pegasus-base-chinese-cluecorpussmall": 214.7,
    "uer/t5-small-chinese-cluecorpussmall": 54.9,
    "uer/t5-base-chinese-cluecorpussmall": 214.5,
    "uer/t5-v1_1-small-chinese-cluecorpussmall": 65.8,
    "uer/t5-v1_1-base-chinese-cluecorpussmall": 230.8,
    "nghuyong/ernie-3.0-xbase-zh": 296.1,
    "nghuyong/ernie-3.0-medium-zh": 75.5,
    "nghuyong/ernie-3.0-mini-zh": 27.0,
    "nghuyong/ernie-3.0-micro-zh": 23.4,
    "nghuyong/ernie-3.0-nano-zh": 17.9,
    "sijunhe/nezha-cn-large": 325.0,
    "sijunhe/nezha-base-wwm": 101.9,
    "sijunhe/nezha-large-wwm": 325.0,
    "junnyu/wobert_chinese_base": 111.9,
    "voidful/albert_chinese_small": 4.7,
    "voidful/albert_chinese_large": 15.7,
    "voidful/albert_chinese_xlarge": 53.7,
    "voidful/albert_chinese_xxlarge": 205.2,
    "clue/albert_chinese_tiny": 4.1,
    "hfl/chinese-electra-180g-base-generator": 22.3,
    "hfl/chinese-xlnet-mid": 208.9,
}
"""Millions of scalars by repository."""


def num_parameters(repo_id: str) -> int:
    """Return how many scalars a repository's weights have; 0 where it is not known."""
    return round(MILLIONS.get(repo_id, 0.0) * MEGABYTE)


def about_bytes(repo_id: str) -> int:
    """Return about how much comes down, as most of them are published in float32."""
    return FLOAT32_BYTES * num_parameters(repo_id)
