"""What the processor says it can do. Changes when another kind of chip matters."""

from pathlib import Path

FACTS = Path("/proc/cpuinfo")
FLAGS_LINE = "flags"
MULTIPLIES_BFLOAT16 = frozenset({"amx_bf16", "avx512_bf16"})


def chip_flags(facts: Path = FACTS) -> frozenset[str]:
    """Return the names of the processor's instruction sets; none where nobody tells.

    Args:
        facts: The kernel's description of the processors.
    """
    try:
        text = facts.read_text(encoding="utf8", errors="replace")
    except OSError:
        return frozenset()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == FLAGS_LINE:
            return frozenset(value.split())
    return frozenset()


def has_bfloat16(flags: frozenset[str]) -> bool:
    """Return whether a processor with these flags multiplies bfloat16 by itself."""
    return not MULTIPLIES_BFLOAT16.isdisjoint(flags)
