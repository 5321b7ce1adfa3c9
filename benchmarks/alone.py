"""What was measured of ourselves, as tables: the first minute, and loading.

Changes when another figure of ``start`` or ``load`` is shown. Both are measured apart
from the races of ``speed``; what was not measured has no table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks import markdown

Figures = Mapping[str, Mapping[str, float]]
COLUMNS = {"median": "中位 median", "min": "最小 least", "max": "最大 most"}


@dataclass(frozen=True, slots=True)
class Section:
    """One table.

    Attributes:
        title: Its heading.
        note: What was measured, in both languages.
        names: How figures are called, in their order; others are not shown.
    """

    title: str
    note: str
    names: Mapping[str, str]

    def block(self, figures: Figures) -> str:
        """Return the table with its heading.

        Args:
            figures: By name, each with ``min``, ``median`` and ``max``.
        """
        rows = [
            (name, *(f"{figures[key][column]:.2f}" for column in COLUMNS))
            for key, name in self.names.items()
            if key in figures
        ]
        table = markdown.table(("", *COLUMNS.values()), rows)
        return f"## {self.title}\n\n{self.note}\n\n{table}"


SECTIONS: Mapping[str, Section] = {
    "start": Section(
        "开始 · The first minute, the embedded core",
        "断网，每次都是全新的 `python app.py`，像访客那样经 HTTP 问 · a fresh "
        "`python app.py` each time, without a network, asked over HTTP as a visitor "
        "does (`python -m benchmarks start`).",
        {
            "page_seconds": "页面可开，秒 · page, s",
            "ready_seconds": "模型就绪，秒 · model ready, s",
            "first_text_seconds": "首词，秒 · first text, s",
            "tokens_per_second": "词元/秒 · tokens/s",
            "resident_megabytes": "内存 · resident memory, MB",
            "end_seconds": "收到 SIGTERM 到退出，秒 · SIGTERM to the end, s",
        },
    ),
    "load": Section(
        "载入 · Loading, BERT-base, float32 safetensors",
        "全新的进程，框架已经导入，文件在页缓存里；`bytes` 只读字节，再抄"
        "一遍。transformers 只映射文件，第一次用到才读 · fresh processes that have "
        "imported their framework, the file in the page cache; `bytes` reads "
        "the bytes and copies them once. transformers only maps the file and reads it "
        "at its first use (`python -m benchmarks load`).",
        {
            "safetensors: file, MB": "文件 · file, MB",
            "safetensors: load_network, s": "ours `load_network`，秒 s",
            "safetensors: from_pretrained, s": "transformers `from_pretrained`，秒 s",
            "safetensors: bytes + one copy, s": "`bytes`，秒 s",
            "safetensors: load_network, peak MB": "ours，最多用 · peak MB",
            "safetensors: bytes + one copy, peak MB": "`bytes`，最多用 · peak MB",
            "safetensors: ours / bytes, time": "ours / bytes，时间 · times",
        },
    ),
}
"""By what was measured: ``python -m benchmarks NAME``."""


def blocks(measured: Mapping[str, Figures]) -> list[str]:
    """Return the tables of what was measured, in the order of ``SECTIONS``."""
    return [
        section.block(measured[name])
        for name, section in SECTIONS.items()
        if name in measured
    ]
