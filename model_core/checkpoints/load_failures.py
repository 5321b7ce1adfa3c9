"""What a person reads when weights do not answer: one row per reason.

Changes when loading can fail, or a shelf can refuse, in a new way. Knows no hub.
"""

import errno
import logging
import re
from collections.abc import Iterable

from model_core.checkpoints.errors import CheckpointFormatError, MissingHeadError
from model_core.checkpoints.hub_failures import MAX_SHOWN_CHARS, Sentence
from model_core.interfaces import ModelError, Role

REFUSALS: dict[str, Sentence] = {
    "absent": Sentence(
        "not_ready",
        "「{title}」没有载入，请先载入。",
        "{title} is not loaded; load it first.",
    ),
    "waiting": Sentence(
        "not_ready",
        "「{title}」在排队等待载入，请稍候再试。",
        "{title} waits for its turn to load; try again shortly.",
    ),
    "downloading": Sentence(
        "not_ready",
        "「{title}」正在下载（{here} / {total} MB），请稍候再试，或先用内置模型。",
        "{title} is being downloaded ({here} of {total} MB); try again shortly, or use "
        "the embedded model meanwhile.",
    ),
    "loading": Sentence(
        "not_ready",
        "「{title}」正在载入，请稍候再试。",
        "{title} is being loaded; try again shortly.",
    ),
    "closed": Sentence(
        "not_ready",
        "程序正在退出，不再载入模型。",
        "The program is shutting down and loads no more models.",
    ),
    "busy": Sentence(
        "busy",
        "等待载入的模型太多了，请等前面的完成后再试。",
        "Too many models are waiting to be loaded; try again when some are done.",
    ),
    "stays": Sentence(
        "busy",
        "内置模型不能卸下：没有别的权重时，每位访客都由它来答。要腾内存，请卸下别的模型；"
        "要换一组权重来答，请载入它，再在页签的“由谁来答”里选。",
        "The embedded model stays: it answers every visitor where no other weights do. "
        "To free memory, unload another model; to be answered by other weights, load "
        "them and choose them under “Weights” on a tab.",
    ),
    "unknown": Sentence(
        "unknown_weights",
        "没有名为「{name}」的权重。可用 auto、embedded、hub、目录里的名称（例如 "
        "{example}），或模型站编号「作者/名称」。",
        "No weights are named {name}. There are auto, embedded, hub, the catalogue's "
        "names such as {example}, or a hub id owner/name.",
    ),
    "only_embedded": Sentence(
        "offline",
        "程序以 --weights embedded 启动，只用内置模型，不下载「{name}」。"
        "请用 --weights auto 重新启动。",
        "The program was started with --weights embedded and downloads nothing, so not "
        "{name} either. Start it with --weights auto.",
    ),
    "too_large": Sentence(
        "memory",
        "「{name}」载入后约占 {needed} 内存，超过这里给模型的 {budget}。"
        "请换小一些的，或用 --memory-gb 放宽后重新启动。",
        "{name} would take about {needed} of memory, more than the {budget} that "
        "models may take here. Choose smaller weights, or start the program with a "
        "larger --memory-gb.",
    ),
    "no_folder": Sentence(
        "not_found",
        "找不到文件夹 {name}，请核对路径。",
        "There is no folder {name}; check the path.",
    ),
    "no_part": Sentence(
        "missing_head",
        "「{name}」不会{zh}（它会的是：{parts_zh}）；请在“模型”里载入或选择会{zh}的权重。",
        "{name} cannot {en} (it can: {parts_en}); load or choose weights that can, "
        "under “Models”.",
    ),
    "no_use": Sentence(
        "missing_head",
        "「{name}」没有这里用得上的头（它带的是：{heads}）。请换一组权重。",
        "{name} has no head that is of use here (it has: {heads}). Choose other "
        "weights.",
    ),
}

FULL_DISK = Sentence(
    "disk",
    "载入「{name}」时磁盘已满。请清理出一些空间后再载入。",
    "The disk filled up while loading {name}. Free some space and load again.",
)
INTERNAL = Sentence(
    "internal",
    "载入「{name}」时出现内部错误，详情在日志里。请换一组权重，或报告这个问题。",
    "An internal error stopped {name} from loading; the log has the details. Choose "
    "other weights, or report the problem.",
)
EXCEPTIONS: tuple[tuple[type[Exception], Sentence], ...] = (
    (
        MissingHeadError,
        Sentence(
            "missing_head",
            "「{name}」缺少需要的头（{detail}）。请换一组带有它的权重。",
            "{name} lacks a head that is needed ({detail}). Choose weights that have "
            "it.",
        ),
    ),
    (
        CheckpointFormatError,
        Sentence(
            "corrupt",
            "「{name}」的文件已损坏或格式不明：{detail}。请重新下载，或换一组权重。",
            "A file of {name} is damaged or of an unknown format: {detail}. Fetch it "
            "again, or choose other weights.",
        ),
    ),
    (
        ValueError,
        Sentence(
            "unsupported",
            "这个版本不能使用「{name}」：{detail}。请换一组权重。",
            "This edition cannot use {name}: {detail}. Choose other weights.",
        ),
    ),
    (
        MemoryError,
        Sentence(
            "unsupported",
            "内存不够，放不下「{name}」。请先卸下别的模型，或换一个小一些的。",
            "There is not enough memory for {name}. Unload another model first, or "
            "choose a smaller one.",
        ),
    ),
    (
        FileNotFoundError,
        Sentence(
            "not_found",
            "「{name}」缺少文件：{detail}。请核对文件夹，或重新下载。",
            "A file of {name} is missing: {detail}. Check the folder, or fetch it "
            "again.",
        ),
    ),
    (
        OSError,
        Sentence(
            "disk",
            "读不了「{name}」的文件：{detail}。请检查磁盘与权限。",
            "The files of {name} cannot be read: {detail}. Check the disk and its "
            "permissions.",
        ),
    ),
    (
        ImportError,
        Sentence(
            "unsupported",
            "「{name}」需要的引擎没有安装：{detail}。请安装它，或用 --engine auto。",
            "The engine that {name} needs is not installed: {detail}. Install it, or "
            "use --engine auto.",
        ),
    ),
)
"""What a family of exceptions means for a person; the first that fits."""

FOLDERS = re.compile(r"(?<![\w.:/])/(?:[^\s/'\"]+/)+(?=[^\s/'\"])")
"""What stands before the name of a file in an absolute path."""
GAP = " … "

logger = logging.getLogger(__name__)


def refusal(row: str, **facts: object) -> ModelError:
    """Return the error of one row of ``REFUSALS`` with its facts filled in."""
    return REFUSALS[row].error(**facts)


def no_part(name: str, role: Role[object], able: Iterable[Role[object]]) -> ModelError:
    """Return the error of weights that cannot play a part.

    Args:
        name: What the person calls the weights.
        role: What was asked.
        able: What they can do.
    """
    able = tuple(able)
    return refusal(
        "no_part",
        name=name,
        zh=role.zh,
        en=role.en,
        parts_zh="、".join(one.zh for one in able) or "无",
        parts_en=", ".join(one.en for one in able) or "nothing here",
    )


def load_failure(error: Exception, name: str) -> ModelError:
    """Return what to tell a person about anything that loading may raise.

    What has no row is logged with its traceback and called an internal error.

    Args:
        error: What was raised.
        name: What the person calls the weights.
    """
    if isinstance(error, ModelError):
        return error
    sentence = _sentence_for(error)
    if sentence is INTERNAL:
        logger.error("loading %s failed", name, exc_info=error)
    return sentence.error(name=name, detail=_detail(error))


def _detail(error: Exception) -> str:
    """What was raised, in the room of a fact: its two ends, where it is long.

    Folders are left out: on a page they are nobody's business but the host's.
    """
    text = FOLDERS.sub("", str(error)) or type(error).__name__
    if len(text) <= MAX_SHOWN_CHARS:
        return text
    end = MAX_SHOWN_CHARS // 3
    return f"{text[: MAX_SHOWN_CHARS - end - len(GAP)]}{GAP}{text[-end:]}"


def _sentence_for(error: Exception) -> Sentence:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FULL_DISK
    return next((row for kind, row in EXCEPTIONS if isinstance(error, kind)), INTERNAL)
