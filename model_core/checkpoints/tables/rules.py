"""Rows that come in pairs: a kernel and its bias, a norm's scale and shift.

Changes when another such pair is published. Knows no family.
"""

from model_core.checkpoints.weight_map import Renaming, Reshape, Rule, transposed

LAST_PARTS = (
    Renaming(r"\.gamma$", ".weight"),
    Renaming(r"\.beta$", ".bias"),
    Renaming(r"\.kernel$", ".weight", transposed),
)
"""Keras's and TensorFlow's words for PyTorch's: norms, then projections (in, out)."""


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
    Renaming(r"LayerNorm\.gamma$", "LayerNorm.weight", unless=""),
    Renaming(r"LayerNorm\.beta$", "LayerNorm.bias", unless=""),
)


def keras_h5(*roots: str) -> tuple[Renaming, ...]:
    """Return what turns the names of transformers' TF classes into its PyTorch names.

    In them ``_._`` parts a list from a place in it, ``x___y`` is only y, and in front
    stands the name of the model that saved the file, e.g. ``tf_bert_for_masked_lm_1/``.

    Args:
        roots: Patterns of the first parts that mean something.
    """
    known = "|".join(roots)
    return (
        Renaming(r":0$", ""),
        Renaming(rf"^[^/]+/(?=(?:[^/]*___)?(?:{known})(?:/|$))", ""),
        Renaming(r"(^|/)[^/]*___", r"\1"),
        Renaming(r"_\._", "/"),
        Renaming(r"_embeddings$", "_embeddings/embeddings"),
        Renaming(r"/", "."),
        Renaming(r"\.embeddings$", ".weight"),
        *LAST_PARTS,
    )
