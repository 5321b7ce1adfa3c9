"""Published weights that the tabs offer: one row per checkpoint.

Changes when a checkpoint of a known family is added. Knows no file and no network;
commits and digests are the hub's to declare, so none stand here. Facts are those of
the models' public pages; what they do not state is left empty.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from model_core.catalog_sizes import about_bytes
from model_core.interfaces import (
    DIALOGUE_PARTNER,
    MASK_FILLER,
    PASSAGE_READER,
    REPLACED_TOKEN_DETECTOR,
    SENTENCE_ENCODER,
    SUMMARIZER,
    TEXT_CLASSIFIER,
    TEXT_GENERATOR,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    ModelError,
    ModelFacts,
    Pooling,
    Role,
    TurnLayout,
)

PromptFormat = Literal["plain", "cls_first"]

TASKS = (
    "generation", "title", "triples", "qa", "fewshot", "summary", "similarity",
    "classification", "detection", "dialogue",
)  # fmt: skip
"""The tasks a row may name, in the order of the tabs."""
MEGABYTE = 1_000_000

REPEATS = " · pretrained only: it mostly repeats its source"
FILLS_SPANS = "只预训练过：补 extra0 处的字 · pretrained only: it fills extra0"
WITHOUT_END = (
    "没有结束记号，写满字数为止；内存需求很大 · "
    "knows no end: it writes as much as asked; needs very much memory"
)
SHARED_BUT_SLOW = "文件小而算得慢 · a small file, yet slow"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A head that a checkpoint must not be used with, and why."""

    head: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One published checkpoint.

    Attributes:
        name: Short name, unique, accepted wherever weights are named.
        repo_id: Where the hub has it.
        family: A key of ``model_core.models.families.FAMILIES``.
        head: The head it is published with, a key of ``model_core.models.heads.HEADS``.
        tasks: Tabs that may offer it; of ``TASKS``.
        title: For people, ``中文 · English``.
        download_bytes: About how much comes down; 0 where it is not published.
        license: SPDX name, "" where the model's page states none.
        note: What a person should know before choosing it, ``中文 · English``.
        prompt_format: ``cls_first`` where a prompt starts with ``[CLS]``.
        turns: How it reads a conversation, where it can hold one.
        pooling: How a sentence's vector is read off it; None where nothing is said.
        refusals: Heads whose weights in this checkpoint are not trained.
    """

    name: str
    repo_id: str
    family: str
    head: str
    tasks: tuple[str, ...]
    title: str
    download_bytes: int = 0
    license: str = ""
    note: str = ""
    prompt_format: PromptFormat = "plain"
    turns: TurnLayout = ""
    pooling: Pooling | None = None
    refusals: tuple[Refusal, ...] = ()


def _gpt2(name: str, title: str, *, megabytes: int = 0, note: str = "") -> ModelCard:
    """Return a row of the UER series: Chinese GPT2 over BERT's vocabulary."""
    return ModelCard(
        name=name,
        repo_id=f"uer/{name}",
        family="gpt2",
        head="language_model",
        tasks=("generation",),
        title=title,
        download_bytes=megabytes * MEGABYTE,
        note=note,
        prompt_format="cls_first",
    )


def _continuer(
    repo_id: str,
    title: str,
    family: str,
    *,
    megabytes: int = 0,
    license: str = "",  # noqa: A002 - the card's own word
    note: str = "",
) -> ModelCard:
    """Return a row of weights that continue a text as it is, without any mark."""
    return ModelCard(
        name=repo_id.partition("/")[2],
        repo_id=repo_id,
        family=family,
        head="language_model",
        tasks=("generation",),
        title=title,
        download_bytes=megabytes * MEGABYTE,
        license=license,
        note=note,
    )


def _partner(repo_id: str, title: str, *, megabytes: int = 0) -> ModelCard:
    """Return a row of CDial-GPT: a GPT that was trained on conversations."""
    return ModelCard(
        name=repo_id.partition("/")[2],
        repo_id=repo_id,
        family="gpt",
        head="language_model",
        tasks=("dialogue",),
        title=title,
        download_bytes=megabytes * MEGABYTE,
        note="语料只供研究使用 · its corpus is for research only",
        prompt_format="cls_first",
        turns="speakers",
    )


def _writer(
    repo_id: str,
    title: str,
    family: str,
    *,
    megabytes: int = 0,
    license: str = "",  # noqa: A002 - the card's own word
    note: str = "",
) -> ModelCard:
    """Return a row of an encoder-decoder that rewrites texts."""
    return ModelCard(
        name=repo_id.partition("/")[2],
        repo_id=repo_id,
        family=family,
        head="language_model",
        tasks=("title", "summary"),
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


def _reader(
    repo_id: str, title: str, *, megabytes: int = 0, note: str = ""
) -> ModelCard:
    """Return a row of a BERT that marks the answer's span in a passage."""
    return ModelCard(
        name=repo_id.partition("/")[2],
        repo_id=repo_id,
        family="bert",
        head="span",
        tasks=("qa",),
        title=title,
        download_bytes=megabytes * MEGABYTE,
        note=note,
    )


def _encoder(
    repo_id: str,
    title: str,
    family: str,
    head: str,
    *,
    megabytes: int = 0,
    license: str = "",  # noqa: A002 - the card's own word
    note: str = "",
    pooling: Pooling = "mean",
) -> ModelCard:
    """Return a row of an encoder whose vectors tell how alike sentences are."""
    return ModelCard(
        name=repo_id.partition("/")[2],
        repo_id=repo_id,
        family=family,
        head=head,
        tasks=("similarity",),
        title=title,
        download_bytes=megabytes * MEGABYTE,
        license=license,
        note=note,
        pooling=pooling,
    )


def _classifier(
    repo_id: str,
    title: str,
    *,
    license: str = "",  # noqa: A002 - the card's own word
    note: str,
) -> ModelCard:
    """Return a row of a BERT of 12 layers, fine-tuned to tell classes apart."""
    return ModelCard(
        name=repo_id.partition("/")[2],
        repo_id=repo_id,
        family="bert",
        head="classifier",
        tasks=("classification",),
        title=title,
        download_bytes=409 * MEGABYTE,
        license=license,
        note=note,
    )


def _discriminator(repo_id: str, title: str, *, megabytes: int) -> ModelCard:
    """Return a row of an ELECTRA that tells replaced tokens."""
    return ModelCard(
        name=repo_id.partition("/")[2],
        repo_id=repo_id,
        family="electra",
        head="replaced",
        tasks=("detection",),
        title=title,
        download_bytes=megabytes * MEGABYTE,
        license="apache-2.0",
        note="标出像是被换过的字 · marks tokens that look replaced",
    )


CARDS: tuple[ModelCard, ...] = (
    _gpt2(
        "gpt2-distil-chinese-cluecorpussmall",
        "通用中文 GPT2（6 层） · general, 6 layers",
        note="最小最快，适合先试 · the smallest and fastest, a good first try",
    ),
    _gpt2(
        "gpt2-chinese-cluecorpussmall",
        "通用中文 GPT2（12 层） · general, 12 layers",
        megabytes=421,
    ),
    _gpt2(
        "gpt2-medium-chinese-cluecorpussmall",
        "通用中文 GPT2（24 层） · general, 24 layers",
    ),
    _gpt2(
        "gpt2-large-chinese-cluecorpussmall",
        "通用中文 GPT2（36 层） · general, 36 layers",
        note="内存需求较大 · needs much memory",
    ),
    _gpt2(
        "gpt2-xlarge-chinese-cluecorpussmall",
        "通用中文 GPT2（48 层） · general, 48 layers",
        note="内存需求很大，建议用 GPU · needs very much memory, better a GPU",
    ),
    _gpt2(
        "gpt2-chinese-poem",
        "古诗 · classical poems",
        note="从一句诗的开头写起 · start with the opening of a line",
    ),
    _gpt2(
        "gpt2-chinese-couplet",
        "对联 · couplets",
        note="上联后写「-」再续下联 · write - after the first line",
    ),
    _gpt2("gpt2-chinese-lyric", "歌词 · song lyrics"),
    _gpt2("gpt2-chinese-ancient", "文言文 · classical prose"),
    _continuer(
        "Tongjilibo/gpt2-ml_15g_corpus",
        "GPT2_ML（48 层，15 GB 语料） · GPT2_ML, 48 layers, 15 GB of text",
        "gpt2_ml",
        note=WITHOUT_END,
    ),
    _continuer(
        "Tongjilibo/gpt2-ml_30g_corpus",
        "GPT2_ML（48 层，30 GB 语料） · GPT2_ML, 48 layers, 30 GB of text",
        "gpt2_ml",
        note=WITHOUT_END,
    ),
    _continuer(
        "mymusise/CPM-Generate-distill",
        "CPM 蒸馏（12 层） · CPM distilled, 12 layers",
        "gpt2",
        note="以词为单位，适合先试 CPM · of words, a good first CPM",
    ),
    _continuer(
        "TsinghuaAI/CPM-Generate",
        "CPM（32 层，26 亿参数） · CPM, 32 layers, 2.6 billion",
        "gpt2",
        megabytes=10400,
        license="mit",
        note="内存需求极大，建议用 GPU · needs 10 GB of memory and more, better a GPU",
    ),
    _partner(
        "thu-coai/CDial-GPT_LCCC-base", "中文对话 GPT · conversation", megabytes=395
    ),
    _partner(
        "thu-coai/CDial-GPT_LCCC-large",
        "中文对话 GPT（更多语料） · conversation, larger corpus",
        megabytes=395,
    ),
    ModelCard(
        name="nezha_gpt_dialog",
        repo_id="Tongjilibo/nezha_gpt_dialog",
        family="nezha",
        head="masked_lm",
        tasks=("dialogue",),
        title="NEZHA 闲聊 · NEZHA small talk",
        turns="segments",
    ),
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
    ModelCard(
        name="uie-base",
        repo_id="xusenlin/uie-base",
        family="ernie",
        head="prompted_span",
        tasks=("triples",),
        title="UIE（任意关系，零样本） · UIE, any relation, zero-shot",
        download_bytes=472 * MEGABYTE,
        note="写出要抽的关系，如“人物: 出生地, 配偶” · name the relations, one a line",
    ),
    ModelCard(
        name="mrebel-large",
        repo_id="Babelscape/mrebel-large",
        family="mbart",
        head="language_model",
        tasks=("triples",),
        title="mREBEL（写出三元组，多语言） · mREBEL writes triples, 18 languages",
        download_bytes=2440 * MEGABYTE,
        license="cc-by-nc-sa-4.0",
        note=(
            "不可商用；关系由它用英文命名，不必写出 · "
            "not for commercial use; it names relations itself, in English"
        ),
    ),
    _writer(
        "imxly/t5-pegasus-small",
        "T5-PEGASUS small · T5-PEGASUS small",
        "t5",
        megabytes=381,
    ),
    _writer(
        "imxly/t5-pegasus", "T5-PEGASUS base · T5-PEGASUS base", "t5", megabytes=1100
    ),
    _writer(
        "IDEA-CCNL/Randeng-Pegasus-238M-Summary-Chinese",
        "燃灯 Pegasus 238M 摘要 · Randeng Pegasus 238M, summaries",
        "pegasus",
        megabytes=477,
    ),
    _writer(
        "IDEA-CCNL/Randeng-Pegasus-523M-Summary-Chinese",
        "燃灯 Pegasus 523M 摘要 · Randeng Pegasus 523M, summaries",
        "pegasus",
        megabytes=1050,
    ),
    _writer(
        "csebuetnlp/mT5_multilingual_XLSum",
        "mT5 多语言新闻摘要 · mT5, news of many languages",
        "t5",
        megabytes=2330,
        note="译成各语言的 BBC 新闻上训练 · trained on BBC news of many languages",
    ),
    _writer(
        "fnlp/bart-base-chinese",
        "BART base（没有在标题上训练） · BART base, not trained on titles",
        "bart",
        note=f"只预训练过{REPEATS}",
    ),
    _writer(
        "fnlp/bart-large-chinese",
        "BART large（没有在标题上训练） · BART large, not trained on titles",
        "bart",
        note=f"只预训练过{REPEATS}",
    ),
    _writer(
        "uer/bart-base-chinese-cluecorpussmall",
        "UER BART base（没有在标题上训练） · UER BART base, not trained on titles",
        "bart",
        note=f"只预训练过{REPEATS}",
    ),
    _writer(
        "uer/pegasus-base-chinese-cluecorpussmall",
        "UER Pegasus base（没有在摘要上训练） · UER Pegasus base, not trained on them",
        "pegasus",
        note="只预训练过：补出缺的句子 · pretrained only: it writes a missing sentence",
    ),
    _writer(
        "uer/t5-small-chinese-cluecorpussmall",
        "UER T5 small（没有在标题上训练） · UER T5 small, not trained on titles",
        "t5",
        note=FILLS_SPANS,
    ),
    _writer(
        "uer/t5-base-chinese-cluecorpussmall",
        "UER T5 base（没有在标题上训练） · UER T5 base, not trained on titles",
        "t5",
        note=FILLS_SPANS,
    ),
    _writer(
        "uer/t5-v1_1-small-chinese-cluecorpussmall",
        "UER T5 1.1 small（没有在标题上训练） · UER T5 1.1 small, not on titles",
        "t5",
        note=FILLS_SPANS,
    ),
    _writer(
        "uer/t5-v1_1-base-chinese-cluecorpussmall",
        "UER T5 1.1 base（没有在标题上训练） · UER T5 1.1 base, not on titles",
        "t5",
        note=FILLS_SPANS,
    ),
    _reader(
        "uer/roberta-base-chinese-extractive-qa",
        "抽取式阅读理解（12 层） · extractive reading, 12 layers",
        megabytes=407,
    ),
    _reader(
        "luhua/chinese_pretrain_mrc_roberta_wwm_ext_large",
        "阅读理解 RoBERTa（24 层） · reading, 24 layers",
        megabytes=1300,
    ),
    _reader(
        "luhua/chinese_pretrain_mrc_macbert_large",
        "阅读理解 MacBERT（24 层） · reading, 24 layers",
        megabytes=1300,
    ),
    _encoder(
        "Tongjilibo/simbert-chinese-tiny",
        "SimBERT tiny（4 层，相似句） · SimBERT tiny, 4 layers",
        "bert",
        "pooler",
        megabytes=34,
        license="apache-2.0",
        note="最小 · the smallest",
        pooling="linear_pooler",
    ),
    _encoder(
        "Tongjilibo/simbert-chinese-small",
        "SimBERT small（6 层，相似句） · SimBERT small, 6 layers",
        "bert",
        "pooler",
        megabytes=51,
        license="apache-2.0",
        note="适合先试 · a good first try",
        pooling="linear_pooler",
    ),
    _encoder(
        "Tongjilibo/simbert-chinese-base",
        "SimBERT base（12 层，相似句） · SimBERT base, 12 layers",
        "bert",
        "pooler",
        megabytes=389,
        license="apache-2.0",
        pooling="linear_pooler",
    ),
    _encoder(
        "junnyu/roformer_chinese_sim_char_ft_base",
        "RoFormer-Sim-FT（12 层，相似句） · RoFormer-Sim-FT, 12 layers",
        "roformer",
        "pooler",
        megabytes=382,
        pooling="pooler",
    ),
    _encoder(
        "hfl/chinese-xlnet-base",
        "XLNet base（没有在相似句上训练） · XLNet base, not trained on pairs",
        "xlnet",
        "language_model",
        megabytes=467,
        license="apache-2.0",
        note="只预训练过，余弦普遍偏高 · pretrained only: its cosines are all high",
    ),
    _encoder(
        "hfl/chinese-xlnet-mid",
        "XLNet mid（24 层，没有在相似句上训练） · XLNet mid, not trained on pairs",
        "xlnet",
        "language_model",
        license="apache-2.0",
        note="只预训练过，余弦普遍偏高 · pretrained only: its cosines are all high",
    ),
    replace(
        _encoder(
            "clue/albert_chinese_tiny",
            "CLUE ALBERT tiny（没有在相似句上训练） · CLUE ALBERT tiny, not on pairs",
            "albert",
            "pooler",
            note="只预训练过，很小 · pretrained only, very small",
        ),
        name="clue_albert_chinese_tiny",
    ),
    _classifier(
        "uer/roberta-base-finetuned-jd-binary-chinese",
        "京东评论好坏（2 类） · shop reviews, good or bad",
        note="类别名是英文 · labels in English",
    ),
    _classifier(
        "uer/roberta-base-finetuned-dianping-chinese",
        "大众点评好坏（2 类） · restaurant reviews, good or bad",
        note="类别名是英文 · labels in English",
    ),
    _classifier(
        "uer/roberta-base-finetuned-chinanews-chinese",
        "新闻主题（7 类） · news topics, 7 classes",
        note="类别名是英文 · labels in English",
    ),
    _classifier(
        "IDEA-CCNL/Erlangshen-Roberta-110M-Sentiment",
        "二郎神情感（2 类） · Erlangshen, sentiment",
        license="apache-2.0",
        note="正面还是负面 · positive or negative",
    ),
    _classifier(
        "IDEA-CCNL/Erlangshen-Roberta-110M-Similarity",
        "二郎神语义匹配（两句） · Erlangshen, do two sentences mean the same",
        license="apache-2.0",
        note="要给第二句 · needs a second sentence",
    ),
    _classifier(
        "IDEA-CCNL/Erlangshen-Roberta-110M-NLI",
        "二郎神推理（两句，3 类） · Erlangshen, does the second sentence follow",
        license="apache-2.0",
        note="要给第二句 · needs a second sentence",
    ),
    _discriminator(
        "hfl/chinese-electra-180g-small-discriminator",
        "ELECTRA small 判别器 · ELECTRA small, its discriminator",
        megabytes=49,
    ),
    _discriminator(
        "hfl/chinese-electra-180g-base-discriminator",
        "ELECTRA base 判别器 · ELECTRA base, its discriminator",
        megabytes=409,
    ),
)

DEFAULT_WEIGHTS: dict[str, str] = {
    "generation": "uer/gpt2-distil-chinese-cluecorpussmall",
    "dialogue": "thu-coai/CDial-GPT_LCCC-base",
    "title": "imxly/t5-pegasus-small",
    "triples": "xusenlin/uie-base",
    "summary": "IDEA-CCNL/Randeng-Pegasus-238M-Summary-Chinese",
    "qa": "uer/roberta-base-chinese-extractive-qa",
    "fewshot": "hfl/chinese-roberta-wwm-ext",
    "similarity": "Tongjilibo/simbert-chinese-small",
    "classification": "IDEA-CCNL/Erlangshen-Roberta-110M-Sentiment",
    "detection": "hfl/chinese-electra-180g-small-discriminator",
}
"""The repository a tab uses when nobody chooses; tabs of other families follow."""


ROLES_OF_TASK: dict[str, tuple[Role[object], ...]] = {
    "generation": (TEXT_GENERATOR,),
    "title": (TEXT_REWRITER,),
    "triples": (TRIPLE_POINTER,),
    "qa": (PASSAGE_READER,),
    "fewshot": (MASK_FILLER,),
    "summary": (TEXT_REWRITER, SUMMARIZER),
    "similarity": (SENTENCE_ENCODER,),
    "classification": (TEXT_CLASSIFIER,),
    "detection": (REPLACED_TOKEN_DETECTOR,),
    "dialogue": (DIALOGUE_PARTNER,),
}
"""The parts that a tab asks published weights for."""

TASK_OF_ROLE: dict[str, str] = {
    role.name: task for task, roles in reversed(ROLES_OF_TASK.items()) for role in roles
}
"""The tab whose default weights a part prefers."""

HEAD_OF_ROLE: dict[str, str] = {
    MASK_FILLER.name: "masked_lm",
    PASSAGE_READER.name: "span",
    TEXT_CLASSIFIER.name: "classifier",
    REPLACED_TOKEN_DETECTOR.name: "replaced",
}
"""The one head that a part asks of weights which say nothing of themselves."""


def roles_of(card: ModelCard) -> tuple[Role[object], ...]:
    """Return the parts that a row's weights can play, before they are loaded."""
    every = (role for task in card.tasks for role in ROLES_OF_TASK[task])
    return tuple(dict.fromkeys(every))


def facts_of(card: ModelCard) -> ModelFacts:
    """Return what a row tells of weights before they come."""
    return ModelFacts(
        name=card.repo_id,
        title=card.title,
        family=card.family,
        tasks=card.tasks,
        disk_bytes=card.download_bytes or about_bytes(card.repo_id),
        memory_bytes=about_bytes(card.repo_id),
        license=card.license,
        note=card.note,
    )


def find_card(name: str) -> ModelCard | None:
    """Return the row of a short name or of a repository, or None."""
    wanted = name.strip()
    return next((card for card in CARDS if wanted in (card.name, card.repo_id)), None)


def cards_for(task: str) -> tuple[ModelCard, ...]:
    """Return a task's rows, its default first.

    Raises:
        ValueError: There is no such task.
    """
    if task not in TASKS:
        raise ValueError(f"expected a task of {', '.join(TASKS)}; received {task!r}")
    default = DEFAULT_WEIGHTS.get(task)
    rows = (card for card in CARDS if task in card.tasks)
    return tuple(sorted(rows, key=lambda card: card.repo_id != default))


def check_head(repo_id: str, head: str) -> None:
    """Refuse weights whose head is known to be untrained.

    Raises:
        ModelError: ``missing_head``, with the reason and what to use instead.
    """
    for refusal in _refusals(repo_id):
        if refusal.head == head:
            raise ModelError("missing_head", refusal.zh, refusal.en)


def _refusals(repo_id: str) -> Iterator[Refusal]:
    card = find_card(repo_id)
    yield from card.refusals if card else ()
