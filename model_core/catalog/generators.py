"""Weights that write on or talk.

Changes when one is published.
"""

from model_core.catalog.card import MEGABYTE, ModelCard

WITHOUT_END = (
    "没有结束记号，写满字数为止；内存需求很大 · "
    "knows no end: it writes as much as asked; needs very much memory"
)


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


GENERATORS: tuple[ModelCard, ...] = (
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
    *(
        ModelCard(
            name=f"DialoGPT-{size}",
            repo_id=f"microsoft/DialoGPT-{size}",
            family="gpt2",
            head="language_model",
            tasks=("dialogue",),
            title=f"英文对话 DialoGPT {size} · English conversation",
            license="mit",
            note="只会英文 · English only",
            turns="joined",
        )
        for size in ("small", "medium")
    ),
)
