"""Draw a file on its way as HTML: progress, the first answers, the download. Pure.

Changes when the result of the file tab looks different.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeGuard
from urllib.parse import quote

from app import views
from app.batch import (
    INPUT_TYPES,
    MAX_BYTES,
    MAX_LINES,
    MEGABYTE,
    PREVIEW_LINES,
    Batch,
    Record,
    command,
)
from app.file_options import brought_of
from app.views import escape
from demos.batch import ERROR_FIELD, has_failed
from demos.limits import names_of
from demos.tasks import AnyTask

CELL_CHARS = 90
UPLOAD = "mp-files-upload"  # the component that takes a file
TOO_LARGE = (
    "请用上面的命令在终端里做。",
    "use the command above in a terminal.",
)
FILE_ROUTE = "gradio_api/file="  # of gradio's own, relative to the page
EMPTY = views.notice(
    "选一个文件，点“开始”；答一行，这里多一行。 "
    "Choose a file and press Run: each answered line appears here."
)
WAITING = views.waiting("开始")
NOTHING = (  # there may be no file yet
    '<span class="mp-quiet">一行也没答，没有可下载的；再点“开始”重来。 '
    "Nothing was answered, so there is no download: press Run again.</span>"
)
OWN_FIELDS_FIRST = (
    '<p class="mp-quiet">行里自带的同名字段优先。 '
    "A line's own field of the same name goes first.</p>"
)


def rules(task: AnyTask) -> str:
    """Draw what a file must be for a task, and what to do with one that is not."""
    kinds, megabytes = " ".join(INPUT_TYPES), MAX_BYTES // MEGABYTE
    others = " ".join(f"<code>{escape(name)}</code>" for name in other_columns(task))
    return (
        f'<div class="mp-rules"><p>{kinds}，UTF-8 或 GBK，最大 {megabytes} MB、'
        f"{MAX_LINES} 行；一行进，一行出，坏行只报自己的错。 "
        f"<span>UTF-8 or GBK, up to {megabytes} MB and {MAX_LINES} lines; one line in, "
        "one line out, a bad line gets its own error.</span></p>"
        f"<dl><dt>文本列 text column</dt><dd><code>{escape(task.text_field)}</code>"
        f"</dd><dt>还可有 others</dt><dd>{others}</dd>"
        "<dt>更大的文件 larger files</dt>"
        f"<dd><code>{escape(command(task))}</code></dd></dl>"
        f"{views.too_large(UPLOAD, MAX_BYTES, *TOO_LARGE)}</div>"
    )


def other_columns(task: AnyTask) -> list[str]:
    """Return the names of what a line may hold beside the text."""
    not_here = {task.text_field, *task.lesson_fields, *brought_of(task)}
    return [name for name in names_of(task.request_type) if name not in not_here]


def stream(batch: Batch | None) -> str:
    """Draw a file that is being answered."""
    if batch is None:
        return WAITING
    return _result(batch, "mp-streaming", "")


def settle(batch: Batch | None) -> str:
    """Draw a file at the end of its run, with the download."""
    if batch is None:
        return EMPTY
    return _result(batch, "mp-settled", _ending(batch))


def _result(batch: Batch, state: str, ending: str) -> str:
    return (
        f'<div class="mp-batch mp-card {state}">{_progress(batch)}{ending}'
        f"{_table(batch)}</div>"
    )


def _progress(batch: Batch) -> str:
    failed = batch.failed and views.badge(f"失败 failed {batch.failed}", "failed")
    return (
        f'<div class="mp-batch-head" role="status"><strong>{batch.done} / '
        f"{batch.num_lines} 行 lines</strong>{failed or ''}"
        f"<span>{escape(batch.beginning or batch.source.path.name)}</span></div>"
        f'<progress max="{batch.num_lines}" value="{batch.done}"></progress>'
    )


def _ending(batch: Batch) -> str:
    kind = ("答完 finished", "done") if batch.finished else (views.STOPPED, "plain")
    link = _link(batch.target.path) if batch.done else NOTHING
    return f'<div class="mp-actions">{link}{views.badge(*kind)}</div>'


def _link(path: Path) -> str:
    address = FILE_ROUTE + quote(str(path))
    return (
        f'<a class="mp-button" href="{escape(address)}" '
        f'download="{escape(path.name)}">下载 Download {escape(path.suffix)}</a>'
    )


def _table(batch: Batch) -> str:
    if not batch.preview:
        return ""
    rows = "".join(
        _row(batch, number, record) for number, record in enumerate(batch.preview, 1)
    )
    more = batch.done - len(batch.preview)
    foot = (
        f'<p class="mp-quiet">表中是前 {PREVIEW_LINES} 行，下载里是全部 '
        f"The first {PREVIEW_LINES}; all are in the download.</p>"
    )
    return (
        '<div class="mp-table"><table><thead><tr><th>#</th>'
        f"<th>{escape(batch.task.text_field)}</th>"
        f"<th>{escape(answer_field(batch.task))}</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{foot if more > 0 else ''}"
    )


def _row(batch: Batch, number: int, record: Record) -> str:
    task = batch.task
    failed = has_failed(record)
    answer = brief(record.get(ERROR_FIELD if failed else answer_field(task)))
    kind = ' class="mp-failed"' if failed else ""
    question = brief(record.get(task.text_field))
    return (
        f"<tr{kind}><td>{number}</td><td>{escape(shortened(question))}</td>"
        f"<td>{escape(answer if failed else shortened(answer))}</td></tr>"
    )


def answer_field(task: AnyTask) -> str:
    """Return the field that a person looks for: the first that the answer adds."""
    return task.added_fields[0]


def brief(value: object) -> str:
    """Return a value as one cell shows it: texts rather than numbers and brackets."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, Mapping):
        return str(value["text"]) if "text" in value else " · ".join(_texts(value))
    if isinstance(value, list | tuple):
        return " ｜ ".join(map(brief, value))
    return json.dumps(value, ensure_ascii=False)


def _texts(record: Mapping[str, object]) -> list[str]:
    """Return a record's texts; several of one name are joined."""
    joined = ("、".join(part) if _is_texts(part) else part for part in record.values())
    return [part for part in joined if isinstance(part, str) and part]


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def shortened(text: str) -> str:
    """Return the start of a text, with an ellipsis where there is more."""
    return text if len(text) <= CELL_CHARS else text[: CELL_CHARS - 1] + "…"
