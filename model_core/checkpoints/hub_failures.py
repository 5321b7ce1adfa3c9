"""What a person reads when the hub cannot deliver: one row per failure.

Changes when a sentence does. Knows no network and no file.
"""

from dataclasses import dataclass

from model_core.interfaces import ErrorKind, ModelError

MAX_SHOWN_CHARS = 160
"""Longest fact, such as a person's own input or a path, that a sentence repeats."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One failure: its kind and what to say, with ``{facts}`` to fill in."""

    kind: ErrorKind
    zh: str
    en: str

    def error(self, **facts: object) -> ModelError:
        """Return the error with its facts filled in, each fit for one line."""
        shown = {name: printable(str(fact)) for name, fact in facts.items()}
        return ModelError(self.kind, self.zh.format(**shown), self.en.format(**shown))


def printable(text: str) -> str:
    """Return the text without control characters, shortened where it is long."""
    short = text if len(text) <= MAX_SHOWN_CHARS else text[: MAX_SHOWN_CHARS - 1] + "…"
    replacement = "\N{REPLACEMENT CHARACTER}"
    return "".join(char if char.isprintable() else replacement for char in short)


FAILURES: dict[str, Sentence] = {
    "offline": Sentence(
        "offline",
        "现在是离线模式，而「{repo}」还没有下载到本机。"
        "请联网并去掉 --offline（或 HF_HUB_OFFLINE）后加载一次，以后即可离线使用。",
        "Offline mode is on and {repo} is not on this machine yet. Connect, drop "
        "--offline (or HF_HUB_OFFLINE) and load it once; after that it works offline.",
    ),
    "damaged": Sentence(
        "offline",
        "「{repo}」在本机的文件 {file} 缺失或已损坏，离线时无法补齐。"
        "请联网并去掉 --offline（或 HF_HUB_OFFLINE）后再加载一次。",
        "File {file} of {repo} is missing or damaged on this machine and cannot be "
        "fetched offline. Connect, drop --offline (or HF_HUB_OFFLINE) and load again.",
    ),
    "unreachable": Sentence(
        "network",
        "连不上模型站 {endpoint}，「{repo}」没有下载。"
        "请检查网络，或把 HF_ENDPOINT 设为可用的镜像，再点一次加载。",
        "The hub at {endpoint} cannot be reached, so {repo} was not downloaded. "
        "Check the network, or set HF_ENDPOINT to a mirror, then load again.",
    ),
    "interrupted": Sentence(
        "network",
        "下载「{repo}」时连接反复中断。"
        "已下载的部分保留着，网络恢复后请再点一次加载，即可续传。",
        "The connection kept breaking while downloading {repo}. What has arrived is "
        "kept: load again when the network is back and it resumes.",
    ),
    "status": Sentence(
        "network",
        "模型站 {endpoint} 对「{repo}」回应了错误 {detail}。请稍后再点一次加载。",
        "The hub at {endpoint} answered {repo} with error {detail}. "
        "Please load again later.",
    ),
    "not_a_hub": Sentence(
        "network",
        "{endpoint} 的回应不像模型站（可能是登录网关或代理）。"
        "请检查网络与 HF_ENDPOINT，再点一次加载。",
        "What answers at {endpoint} is not a model hub (a sign-in gateway or a "
        "proxy?). Check the network and HF_ENDPOINT, then load again.",
    ),
    "not_found": Sentence(
        "not_found",
        "模型站上找不到「{repo}」。请核对写法「作者/名称」；"
        "若是私有仓库，请设置有权限的 HF_TOKEN。",
        "The hub has no repository {repo}. Check the spelling owner/name; if it is "
        "private, set an HF_TOKEN that may read it.",
    ),
    "no_revision": Sentence(
        "not_found",
        "「{repo}」没有这个版本。请核对 @ 后面的分支、标签或提交号。",
        "{repo} has no such revision. Check the branch, tag or commit after the @.",
    ),
    "gated": Sentence(
        "gated",
        "「{repo}」需要先取得作者许可。"
        "请在模型站的该页面登录并同意条款，再设置 HF_TOKEN 后加载。",
        "{repo} is gated. Sign in on its hub page, accept its terms, set HF_TOKEN "
        "and load again.",
    ),
    "corrupt": Sentence(
        "corrupt",
        "「{repo}」的文件 {file} 与模型站公布的校验值不符，坏文件已丢弃。"
        "请再点一次加载；若仍如此，请换一个镜像。",
        "File {file} of {repo} does not match the digest that the hub declares; the "
        "bad bytes were thrown away. Load again; if it happens again, try another "
        "mirror.",
    ),
    "disk_full": Sentence(
        "disk",
        "磁盘空间不足，放不下「{repo}」{detail}。"
        "请清理 {folder} 所在的磁盘，或用 --cache-dir 换一个位置。",
        "Not enough disk space for {repo}{detail}. Free some space around {folder}, "
        "or choose another place with --cache-dir.",
    ),
    "unwritable": Sentence(
        "disk",
        "缓存文件夹 {folder} 不可写（{detail}），「{repo}」无法保存。"
        "请检查权限，或用 --cache-dir 换一个位置。",
        "The cache folder {folder} cannot be written ({detail}), so {repo} cannot be "
        "kept. Check its permissions, or choose another place with --cache-dir.",
    ),
    "no_weights": Sentence(
        "unsupported",
        "「{repo}」里没有可读的权重，请换一个仓库。需要 config.json，以及 "
        "model.safetensors、pytorch_model.bin（均可分片）或 tf_model.h5（仅单个文件）；"
        "现有文件：{detail}。",
        "{repo} holds no readable weights, please choose another. Needed: config.json "
        "and model.safetensors or pytorch_model.bin (sharded or not) or, in one file, "
        "tf_model.h5; it has: {detail}.",
    ),
    "unsafe_name": Sentence(
        "unsafe_name",
        "「{repo}」不是模型站的编号。请写成「作者/名称」或「作者/名称@版本」，"
        "例如 uer/gpt2-chinese-poem；不接受网址、路径和「..」。",
        "{repo!r} is not a hub id. Write owner/name or owner/name@revision, such as "
        "uer/gpt2-chinese-poem; addresses, paths and '..' are not accepted.",
    ),
}


def failure(row: str, **facts: object) -> ModelError:
    """Return the error of one row of ``FAILURES`` with its facts filled in.

    Args:
        row: A key of ``FAILURES``.
        **facts: What the row's sentences name: repo, endpoint, file, folder, detail.
    """
    return FAILURES[row].error(**facts)
