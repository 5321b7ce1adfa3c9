"""What a person reads when a checkpoint is not converted: one row per reason.

Changes when converting can be refused in a new way.
"""

from collections.abc import Mapping

from model_core.interfaces import ModelError

REFUSALS: Mapping[str, tuple[str, str]] = {
    "itself": (
        "输出目录 {output} 就是输入目录，或一个在另一个里面；请换一个输出目录。",
        "The output {output} is the input folder, or one lies inside the other; choose "
        "another output folder.",
    ),
    "exists": (
        "{output} 已经存在；请换一个输出目录，或加 --overwrite 替换它。",
        "{output} exists already; choose another output folder, or replace it with "
        "--overwrite.",
    ),
    "no_checkpoint": (
        "{output} 不像一份权重（没有 config.json，或还有子目录），不会替换它；"
        "请换一个输出目录。",
        "{output} does not look like a checkpoint (no config.json, or folders in it) "
        "and will not be replaced; choose another output folder.",
    ),
    "no_vocabulary": (
        "{folder} 里没有词表，无法只保留一部分词；请把词表放进去，"
        "或去掉 --keep-tokens。",
        "{folder} holds no vocabulary, so its tokens cannot be reduced; put its "
        "vocabulary there, or leave --keep-tokens out.",
    ),
    "specials": (
        "要保留的词里缺了 {count} 个不能少的特殊词：{names}；请把它们加进去，"
        "或改用 --keep-tokens-of，它会自己加上。",
        "The tokens to keep lack {count} special ones that are needed: {names}; add "
        "them, or use --keep-tokens-of, which adds them itself.",
    ),
    "too_large": (
        "{name} 里有 {dtype} 装不下的数（太大、无穷或 NaN），没有写出任何文件；"
        "请改用 --dtype bfloat16 或 float32；若仍不行，是这份权重坏了。",
        "{name} holds numbers that {dtype} cannot hold (too large, infinite or NaN); "
        "nothing was written. Use --dtype bfloat16 or float32; if that fails too, "
        "these weights are broken.",
    ),
}


def refused(reason: str, **facts: object) -> ModelError:
    """Return the error of a reason.

    Args:
        reason: A key of ``REFUSALS``.
        facts: What its sentences name.
    """
    zh, en = REFUSALS[reason]
    return ModelError("unsupported", zh.format(**facts), en.format(**facts))
