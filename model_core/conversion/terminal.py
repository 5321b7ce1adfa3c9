"""``python -m model_core convert``: its options, and what it prints.

Changes when that command takes another option or tells something else.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model_core.conversion.folders import (
    ConversionReport,
    ConversionRequest,
    convert_checkpoint,
)

MB = 1_000_000


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    command.add_argument("--output", type=Path, required=True, metavar="DIR")
    command.add_argument(
        "--dtype",
        choices=("float32", "float16", "bfloat16"),
        help="of every tensor; without it the file's own",
    )
    command.add_argument(
        "--layout",
        choices=("pytorch", "maskplay"),
        default="pytorch",
        help="names as the family is published (transformers reads it), or our own",
    )
    command.add_argument(
        "--keep-tokens",
        type=Path,
        metavar="FILE.txt|FILE.json",
        help="keep these tokens only: one per line, or a JSON list of tokens or ids",
    )
    command.add_argument(
        "--keep-tokens-of",
        type=Path,
        nargs="+",
        default=(),
        metavar="TEXTFILE",
        help="keep the tokens of these texts, special ones and what they spell with",
    )
    command.add_argument(
        "--positions",
        type=_count,
        metavar="N",
        help="extend a learned table of positions (kexue.fm/archives/7947)",
    )
    command.add_argument(
        "--unshared", action="store_true", help="ALBERT: each layer its own weights"
    )
    command.add_argument("--max-shard-bytes", type=_count, metavar="N")
    command.add_argument(
        "--overwrite", action="store_true", help="replace a checkpoint that is there"
    )


def convert(options: argparse.Namespace, folder: Path) -> Iterator[str]:
    """Convert, and yield what became of it, one line each.

    Args:
        options: Of ``add_options``.
        folder: The checkpoint's.
    """
    request = ConversionRequest(
        folder=folder,
        output=options.output.expanduser(),
        dtype=options.dtype,
        layout=options.layout,
        keep_tokens=options.keep_tokens,
        keep_tokens_of=tuple(options.keep_tokens_of),
        positions=options.positions,
        unshared=options.unshared,
        max_shard_bytes=options.max_shard_bytes,
        overwrite=options.overwrite,
    )
    yield from report_lines(convert_checkpoint(request))


def report_lines(report: ConversionReport) -> Iterator[str]:
    """Yield what a person reads, one line each."""
    before, after = report.before, report.after
    yield f"{report.output}: {report.family}, {report.dtype}, {', '.join(report.files)}"
    rows: tuple[tuple[str, Any, Any], ...] = (
        ("磁盘 disk, MB", _mb(before.disk_bytes), _mb(after.disk_bytes)),
        ("内存 memory, MB", _mb(before.memory_bytes), _mb(after.memory_bytes)),
        ("词数 tokens", f"{before.num_tokens:,}", f"{after.num_tokens:,}"),
    )
    for title, old, new in rows:
        yield f"{title}: {old} -> {new}"
    dropped = before.num_tokens - after.num_tokens
    if dropped:
        saved = _mb(report.saved_by_tokens_bytes)
        yield (
            f"去掉 {dropped:,} 个词，float32 内存省 {saved} MB / "
            f"{dropped:,} tokens fewer save {saved} MB of float32 memory"
        )
    if report.left_out:
        names = ", ".join(report.left_out)
        yield f"没有写出（头不完整） / left out, of heads that are not whole: {names}"


def _mb(num_bytes: int) -> str:
    return f"{num_bytes / MB:,.2f}"


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a number >= 1, received {text}")
    return value
