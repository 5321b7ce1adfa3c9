"""A config's norms with their numbers, and what a condition makes of them.

Changes when a norm has another number.
"""

from model_core.config import TransformerConfig
from model_core.engines.native.named import Floats, NamedWeights
from model_core.engines.native.panels import PackedNorm
from model_core.engines.native.structs import NORM_KINDS


def packed_norm(
    config: TransformerConfig,
    named: NamedWeights,
    name: str,
    condition: Floats | None = None,
) -> PackedNorm:
    """Return a norm by name, shifted where a condition is given.

    A batch has one condition: what it adds to gamma and beta is added once, here.

    Args:
        config: Its kind and epsilon.
        named: Weights, this norm's among them where it has any.
        name: Without a slash at its end.
        condition: (condition_size,) or None.
    """
    gamma, beta = (named.get(f"{name}/{part}") for part in ("gamma", "beta"))
    if condition is not None and gamma is not None and beta is not None:
        gamma = gamma + condition @ named[f"{name}/gamma_kernel"]
        beta = beta + condition @ named[f"{name}/beta_kernel"]
    kind = NORM_KINDS[config.norm_kind]
    return PackedNorm.of(kind, config.layer_norm_eps, gamma, beta)
