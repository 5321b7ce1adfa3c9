"""Rows that come in pairs: a kernel and its bias, a norm's scale and shift.

Changes when another such pair is published. Knows no family.
"""

from model_core.checkpoints.weight_map import Renaming, Reshape, Rule, transposed


def dense(target: str, source: str, kernel: Reshape = transposed) -> tuple[Rule, Rule]:
    """Return the rows of a projection, in PyTorch's (out, in) unless told."""
    return (
        Rule(f"{target}/kernel", f"{source}.weight", kernel),
        Rule(f"{target}/bias", f"{source}.bias"),
    )


def norm(target: str, source: str) -> tuple[Rule, Rule]:
    """Return the rows of a norm's scale and shift."""
    return (
        Rule(f"{target}/gamma", f"{source}.weight"),
        Rule(f"{target}/beta", f"{source}.bias"),
    )


def table(target: str, source: str) -> tuple[Rule]:
    """Return the row of an embedding."""
    return (Rule(f"{target}/embeddings", f"{source}.weight"),)


OLD_NORM_NAMES = (
    Renaming(r"LayerNorm\.gamma$", "LayerNorm.weight"),
    Renaming(r"LayerNorm\.beta$", "LayerNorm.bias"),
)
