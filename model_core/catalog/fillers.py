"""Encoders that fill blanks.

Changes when one is published.
"""

from dataclasses import replace

from model_core.catalog.card import MEGABYTE, ModelCard, Refusal

SHARED_BUT_SLOW = "文件小而算得慢 · a small file, yet slow"


def _bert(
    repo_id: str,
    title: str,
    *,
    megabytes: int = 0,
    license: str = "",  # noqa: A002 - the card's own word
    note: str = "",
) -> ModelCard:
    """Return a row of a BERT with a cloze head."""
    return ModelCard(
        name=repo_id.partition("/")[2],
        repo_id=repo_id,
        family="bert",
        head="masked_lm",
        tasks=("fewshot",),
        title=title,
        download_bytes=megabytes * MEGABYTE,
        license=license,
        note=note,
    )


def _filler(
    repo_id: str,
    title: str,
    family: str,
    *,
    megabytes: int = 0,
    license: str = "",  # noqa: A002 - the card's own word
    note: str = "",
) -> ModelCard:
    """Return a row of an encoder of another family with a cloze head."""
    card = _bert(repo_id, title, megabytes=megabytes, license=license, note=note)
    return replace(card, family=family)


FILLERS: tuple[ModelCard, ...] = (
    _bert(
        "hfl/chinese-roberta-wwm-ext",
        "RoBERTa-wwm-ext（12 层） · 12 layers",
        megabytes=412,
        license="apache-2.0",
    ),
    ModelCard(
        name="chinese-roberta-wwm-ext-large",
        repo_id="hfl/chinese-roberta-wwm-ext-large",
        family="bert",
        head="pooler",
        tasks=(),
        title="RoBERTa-wwm-ext-large（24 层） · 24 layers",
        license="apache-2.0",
        note="只作编码器微调用 · an encoder for fine-tuning only",
        refusals=(
            Refusal(
                "masked_lm",
                "「hfl/chinese-roberta-wwm-ext-large」发布时的完形填空头是随机数，"
                "填出的字没有意义；请改用 hfl/chinese-roberta-wwm-ext。",
                "hfl/chinese-roberta-wwm-ext-large was published with a random cloze "
                "head, so what it fills in means nothing; please use "
                "hfl/chinese-roberta-wwm-ext instead.",
            ),
        ),
    ),
    _bert("google-bert/bert-base-chinese", "BERT 中文版（12 层） · BERT, 12 layers"),
    _bert(
        "hfl/chinese-macbert-base",
        "MacBERT（12 层） · MacBERT, 12 layers",
        license="apache-2.0",
        note=(
            "预训练任务是改错而不是填空，填空效果可能较差 · "
            "trained to correct words rather than to fill blanks: cloze may be weak"
        ),
    ),
    _bert("hfl/rbt3", "RBT3（3 层小模型） · 3 layers", license="apache-2.0"),
    _bert("hfl/rbt6", "RBT6（6 层小模型） · 6 layers", license="apache-2.0"),
    _bert("hfl/rbtl3", "RBTL3（3 层宽模型） · 3 wide layers", license="apache-2.0"),
    _filler(
        "nghuyong/ernie-3.0-base-zh",
        "ERNIE 3.0（12 层） · ERNIE 3.0, 12 layers",
        "ernie",
        megabytes=474,
    ),
    _filler(
        "nghuyong/ernie-3.0-xbase-zh",
        "ERNIE 3.0 xbase（20 层） · ERNIE 3.0 xbase, 20 layers",
        "ernie",
    ),
    _filler(
        "nghuyong/ernie-3.0-medium-zh",
        "ERNIE 3.0 medium（6 层） · ERNIE 3.0 medium, 6 layers",
        "ernie",
    ),
    _filler(
        "nghuyong/ernie-3.0-mini-zh",
        "ERNIE 3.0 mini（6 窄层） · ERNIE 3.0 mini, 6 narrow layers",
        "ernie",
    ),
    _filler(
        "nghuyong/ernie-3.0-micro-zh",
        "ERNIE 3.0 micro（4 层） · ERNIE 3.0 micro, 4 layers",
        "ernie",
    ),
    _filler(
        "nghuyong/ernie-3.0-nano-zh",
        "ERNIE 3.0 nano（4 窄层） · ERNIE 3.0 nano, 4 narrow layers",
        "ernie",
    ),
    _filler(
        "sijunhe/nezha-cn-base",
        "NEZHA（12 层） · NEZHA, 12 layers",
        "nezha",
        license="afl-3.0",
    ),
    _filler(
        "sijunhe/nezha-cn-large",
        "NEZHA large（24 层） · NEZHA large, 24 layers",
        "nezha",
    ),
    _filler(
        "sijunhe/nezha-base-wwm",
        "NEZHA 全词遮盖（12 层） · NEZHA of whole words, 12 layers",
        "nezha",
    ),
    _filler(
        "sijunhe/nezha-large-wwm",
        "NEZHA large 全词遮盖（24 层） · NEZHA large of whole words, 24 layers",
        "nezha",
        license="afl-3.0",
    ),
    _filler(
        "junnyu/wobert_chinese_base",
        "WoBERT（以词为单位） · WoBERT, of words",
        "bert",
    ),
    _filler(
        "junnyu/wobert_chinese_plus_base",
        "WoBERT+（以词为单位） · WoBERT+, of words",
        "bert",
        megabytes=500,
        note="标签的词多半是一个词元 · a label's word is mostly one token",
    ),
    _filler(
        "junnyu/roformer_chinese_base",
        "RoFormer（以词为单位） · RoFormer, of words",
        "roformer",
        megabytes=499,
    ),
    _filler(
        "junnyu/roformer_chinese_char_base",
        "RoFormer（以字为单位） · RoFormer, of characters",
        "roformer",
        megabytes=380,
    ),
    _filler(
        "junnyu/roformer_v2_chinese_char_base",
        "RoFormer V2（以字为单位） · RoFormer V2, of characters",
        "roformer",
        megabytes=380,
    ),
    _filler(
        "voidful/albert_chinese_tiny",
        "ALBERT tiny（最小的中文模型） · ALBERT tiny, the smallest",
        "albert",
        megabytes=17,
    ),
    _filler(
        "voidful/albert_chinese_base",
        "ALBERT base（12 层共用一份权重） · ALBERT base, 12 layers of one",
        "albert",
    ),
    _filler(
        "voidful/albert_chinese_small",
        "ALBERT small（6 层共用一份权重） · ALBERT small, 6 layers of one",
        "albert",
    ),
    _filler(
        "voidful/albert_chinese_large",
        "ALBERT large（24 层共用一份权重） · ALBERT large, 24 layers of one",
        "albert",
    ),
    _filler(
        "voidful/albert_chinese_xlarge",
        "ALBERT xlarge（24 宽层共用一份权重） · ALBERT xlarge, 24 wide layers of one",
        "albert",
        note=SHARED_BUT_SLOW,
    ),
    _filler(
        "voidful/albert_chinese_xxlarge",
        "ALBERT xxlarge（12 极宽层共用一份权重） · ALBERT xxlarge, 12 widest layers",
        "albert",
        note=SHARED_BUT_SLOW,
    ),
    _filler(
        "hfl/chinese-electra-180g-base-generator",
        "ELECTRA base 生成器 · ELECTRA base, its generator",
        "electra",
        license="apache-2.0",
        note="判别器没有完形填空头 · the discriminator has no cloze head",
    ),
    _filler(
        "hfl/chinese-electra-180g-small-generator",
        "ELECTRA small 生成器 · ELECTRA small, its generator",
        "electra",
        note="判别器没有完形填空头 · the discriminator has no cloze head",
    ),
    _filler(
        "distilbert/distilbert-base-multilingual-cased",
        "多语言 DistilBERT（6 层） · multilingual DistilBERT, 6 layers",
        "distilbert",
        note="中文按单字切 · Chinese is cut into characters",
    ),
)
