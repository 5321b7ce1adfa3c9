"""A look at an engine before it takes over: does it read what the one before reads?

Changes when something else ought to be seen before. Chips and versions that nobody of
us has tried are met here first, not in somebody's answer.
"""

from typing import TYPE_CHECKING

import numpy as np

from model_core.engines.base import Floats, TokenBatch
from model_core.engines.openvino.failures import OpenVinoUnavailableError
from model_core.masks import MaskKind

if TYPE_CHECKING:
    from model_core.config import TransformerConfig
    from model_core.engines.base import Engine

LENGTHS = (16, 5)
KINDS: tuple[MaskKind, ...] = ("bidirectional", "causal")
MOST = 0.2
"""Error over what is read, both as root mean squares. Rounding weights to int8 or
products to bfloat16 costs a few hundredths; what is wrong is off by about one."""


def proven(engine: "Engine", before: "Engine", config: "TransformerConfig") -> "Engine":
    """Return an engine that reads as the one before it does.

    Args:
        engine: To be looked at.
        before: Is trusted.
        config: Of the network of both.

    Raises:
        OpenVinoUnavailableError: It reads something else.
    """
    batch = probe(config)
    for kind in KINDS:
        found, expected = (
            one.read(batch, kind, ())["hidden"][batch.padding_mask]
            for one in (engine, before)
        )
        error = _size(found - expected) / _size(expected)
        if not error <= MOST:  # nor is it where it is no number
            raise OpenVinoUnavailableError(
                f"OpenVINO is off by {error:.2f} of what {before.name} reads ({kind})"
            )
    return engine


def probe(config: "TransformerConfig") -> TokenBatch:
    """Return two short texts, the second padded."""
    longest = config.max_position_embeddings
    return TokenBatch.from_rows(
        [
            [(7 * place + 1) % config.vocab_size for place in range(min(one, longest))]
            for one in LENGTHS
        ]
    )


def _size(states: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(states, dtype="float64"))))
