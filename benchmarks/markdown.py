"""Parts of pages that every record is shown with. Changes with how tables look."""

from collections.abc import Iterable, Sequence


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1
) -> str:
    """Return a table in Markdown.

    Args:
        heads: One per column.
        rows: As many cells each.
        words: Columns from the left that hold words; the others hold figures.
    """
    sides = ["---"] * words + ["--:"] * (len(heads) - words)
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, sides, *rows))


def unmeasured(told: Iterable[str]) -> str:
    """Return who could not be measured and why, each once; "" where all could."""
    lines = dict.fromkeys(f"- {line}" for line in told)
    return "\n".join(("## 没有测成的 · Not measured\n", *lines)) if lines else ""
