"""Weights that point into a text: at triples and at answers.

Changes when some are published.
"""

from model_core.catalog.card import MEGABYTE, ModelCard


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


READERS: tuple[ModelCard, ...] = (
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
