"""Published weights that the tabs offer: one row per checkpoint.

Changes when a checkpoint of a known family is added. Knows no file and no network;
commits and digests are the hub's to declare, so none stand here. Facts are those of
the models' public pages; what they do not state is left empty.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from model_core.interfaces import (
    DIALOGUE_PARTNER,
    MASK_FILLER,
    PASSAGE_READER,
    SUMMARIZER,
    TEXT_GENERATOR,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    ModelError,
    Role,
    TurnLayout,
)

PromptFormat = Literal["plain", "cls_first"]

TASKS = ("generation", "dialogue", "title", "triples", "qa", "fewshot", "summary")
"""The tasks a row may name, in the order of the tabs."""
MEGABYTE = 1_000_000


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
    repo_id: str, title: str, family: str, *, megabytes: int = 0, note: str = ""
) -> ModelCard:
    """Return a row of an encoder of another family with a cloze head."""
    return replace(_bert(repo_id, title, megabytes=megabytes, note=note), family=family)


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
    _filler("sijunhe/nezha-cn-base", "NEZHA（12 层） · NEZHA, 12 layers", "nezha"),
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
        note="只预训练过 · pretrained only: it mostly repeats its source",
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
)

DEFAULT_WEIGHTS: dict[str, str] = {
    "generation": "uer/gpt2-distil-chinese-cluecorpussmall",
    "dialogue": "thu-coai/CDial-GPT_LCCC-base",
    "title": "imxly/t5-pegasus-small",
    "triples": "xusenlin/uie-base",
    "summary": "IDEA-CCNL/Randeng-Pegasus-238M-Summary-Chinese",
    "qa": "uer/roberta-base-chinese-extractive-qa",
    "fewshot": "hfl/chinese-roberta-wwm-ext",
}
"""The repository a tab uses when nobody chooses; tabs of other families follow."""


ROLES_OF_TASK: dict[str, tuple[Role[object], ...]] = {
    "generation": (TEXT_GENERATOR,),
    "dialogue": (DIALOGUE_PARTNER,),
    "title": (TEXT_REWRITER,),
    "triples": (TRIPLE_POINTER,),
    "qa": (PASSAGE_READER,),
    "fewshot": (MASK_FILLER,),
    "summary": (TEXT_REWRITER, SUMMARIZER),
}
"""The parts that a tab asks published weights for."""

TASK_OF_ROLE: dict[str, str] = {
    role.name: task for task, roles in reversed(ROLES_OF_TASK.items()) for role in roles
}
"""The tab whose default weights a part prefers."""

HEAD_OF_ROLE: dict[str, str] = {
    MASK_FILLER.name: "masked_lm",
    TRIPLE_POINTER.name: "prompted_span",
    PASSAGE_READER.name: "span",
}
"""The head that a part asks of weights which say nothing of themselves."""


def roles_of(card: ModelCard) -> tuple[Role[object], ...]:
    """Return the parts that a row's weights can play, before they are loaded."""
    every = (role for task in card.tasks for role in ROLES_OF_TASK[task])
    return tuple(dict.fromkeys(every))


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
