"""Encoder-decoders that rewrite texts.

Changes when one is published.
"""

from model_core.catalog.card import MEGABYTE, ModelCard

REPEATS = " · pretrained only: it mostly repeats its source"
FILLS_SPANS = "只预训练过：补 extra0 处的字 · pretrained only: it fills extra0"


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


WRITERS: tuple[ModelCard, ...] = (
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
)
