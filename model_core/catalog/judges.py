"""Weights that compare sentences, tell classes apart or find replaced tokens.

Changes when some are published.
"""

from dataclasses import replace

from model_core.catalog.card import MEGABYTE, ModelCard
from model_core.interfaces import Pooling

SHARED_BUT_SLOW = "文件小而算得慢 · a small file, yet slow"


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


def _simbert(repo_id: str, title: str, *, megabytes: int, note: str = "") -> ModelCard:
    """Return a row of a SimBERT, which writes similar sentences, too."""
    card = _encoder(
        repo_id,
        title,
        "bert",
        "pooler",
        megabytes=megabytes,
        license="apache-2.0",
        note=note,
        pooling="linear_pooler",
    )
    return replace(card, tasks=("similarity", "rephrasing"))


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


JUDGES: tuple[ModelCard, ...] = (
    _simbert(
        "Tongjilibo/simbert-chinese-tiny",
        "SimBERT tiny（4 层，相似句） · SimBERT tiny, 4 layers",
        megabytes=34,
        note="最小 · the smallest",
    ),
    _simbert(
        "Tongjilibo/simbert-chinese-small",
        "SimBERT small（6 层，相似句） · SimBERT small, 6 layers",
        megabytes=51,
        note="适合先试 · a good first try",
    ),
    _simbert(
        "Tongjilibo/simbert-chinese-base",
        "SimBERT base（12 层，相似句） · SimBERT base, 12 layers",
        megabytes=389,
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
