"""The record of ``python -m benchmarks gpu`` as a page. Changes with what it shows."""

import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks import markdown
from benchmarks.gpu_shapes import SHAPES

Run = Mapping[str, Any]
MILLI, GIGA = 1e3, 1e9
HEAD = """\
<!-- 由命令生成，请勿手改 · written by a command, not by hand:
     python -m benchmarks gpu -->
# 显卡上的速度 · Speed on a graphics card

随机权重，贪心续写，每个数字是各进程、各遍的中位数；编译与预热不计入，单列一栏。“极限”是一步
非读不可的字节（全部权重与半满的缓存）除以同一张卡上量得的拷贝带宽。

Random weights, greedy texts; every figure is the median over processes and texts.
Compiling and warming up are not counted and stand in a column of their own. *Limit* is
the bytes that a step cannot but read (all weights and half-filled caches) over the
bandwidth of copying on the same card."""
COLUMNS = (
    "",
    "词元/秒 tokens/s",
    "毫秒/步 ms per step",
    "极限 limit ms",
    "倍 times the limit",
    "首词 first token ms",
    "预热 warming s",
    "同逐步 same as stepwise",
)


def page(record: Mapping[str, Any]) -> str:
    """Return the whole page in Markdown."""
    blocks = [HEAD, machine_block(record["runs"])]
    for shape, dtype in dict.fromkeys((r["shape"], r["dtype"]) for r in record["runs"]):
        runs = [r for r in record["runs"] if (r["shape"], r["dtype"]) == (shape, dtype)]
        blocks += [table(runs, shape, dtype, batch) for batch in SHAPES[shape].batches]
    blocks.append(failures(record["runs"]))
    return "\n\n".join(block for block in blocks if block) + "\n"


def table(runs: Iterable[Run], shape: str, dtype: str, batch: int) -> str:
    """Return a table of everyone at a batch, the fastest first."""
    sizes, runs = SHAPES[shape], list(runs)
    copying = [r["report"].get("bytes_per_second") for r in runs]
    bandwidth = statistics.median([value for value in copying if value] or [0.0])
    limit = sizes.step_bytes(batch, dtype) / bandwidth if bandwidth else 0.0
    lines = []
    for name, cases in cases_of(runs, str(batch)).items():
        step = middle(cases, "seconds") / sizes.new_tokens
        cells = (
            f"**{name}**" if name.startswith("ours") else name,
            f"{batch / step:.0f}",
            f"{step * MILLI:.3f}",
            f"{limit * MILLI:.3f}" if limit else "",
            f"{step / limit:.2f}" if limit else "",
            f"{middle(cases, 'first_token_seconds') * MILLI:.1f}",
            f"{statistics.median(case['warming_seconds'] for case in cases):.1f}",
            " ".join({f"{c['same_tokens']:.0%}" for c in cases if "same_tokens" in c}),
        )
        lines.append((step, cells))
    title = (
        f"## {sizes.title}, {dtype}, batch {batch}, "
        f"{sizes.prompt_tokens} + {sizes.new_tokens}"
    )
    return (
        f"{title}\n\n{markdown.table(COLUMNS, [cells for _, cells in sorted(lines)])}"
    )


def cases_of(runs: Iterable[Run], batch: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return the figures of everyone at a batch, one per process."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for run in runs:
        for name, by_batch in run["report"]["cases"].items():
            if batch in by_batch:
                found.setdefault(name, []).append(by_batch[batch])
    return found


def middle(cases: Iterable[Mapping[str, Any]], figure: str) -> float:
    """Return the median over processes of a list's median."""
    return float(statistics.median(statistics.median(case[figure]) for case in cases))


def machine_block(runs: Iterable[Run]) -> str:
    """Return the card, its bandwidth, memory and versions."""
    reports = [run["report"] for run in runs]
    devices = {report["device"] for report in reports if "device" in report}
    copying = [
        f"{report['bytes_per_second'] / GIGA:.0f}"
        for report in reports
        if "bytes_per_second" in report
    ]
    versions = {
        f"{name} {told}"
        for report in reports
        for name, told in report.get("versions", {}).items()
    }
    return (
        f"- {', '.join(sorted(devices))}\n"
        f"- 拷贝带宽 · copying, GB/s: {', '.join(copying)}\n"
        f"- {', '.join(sorted(versions))}"
    )


def failures(runs: Iterable[Run]) -> str:
    """Return who could not be measured, and why."""
    return markdown.unmeasured(
        f"{run['shape']}, {run['who']}: {why}"
        for run in runs
        for why in [
            *filter(None, [run["report"].get("failure")]),
            *run["report"].get("failures", []),
        ]
    )
