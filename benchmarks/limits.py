"""What no program on this machine can beat: weights to read, products to compute.

Changes when a limit is reckoned otherwise. Keys and values, activations and scales of
int8 are left out: the limits are a little lower than what can be had.
"""

from benchmarks.shapes import Scale

WEIGHT_BYTES = {"float32": 4.0, "bfloat16": 2.0, "int8": 1.0}
PER_LAYER = 12
"""A block's matrices in squares of the width: 4 of the attention, 8 behind it."""
PER_CROSSED_STEP = 14
"""A decoder's in a step, its source's keys and values being there already."""
PER_CROSSED_READ = 2


def decode_seconds(scale: Scale, precision: str, bytes_per_second: float) -> float:
    """Return the least seconds of a step: every weight is read once, for all rows.

    Args:
        scale: The shapes.
        precision: Of the weights.
        bytes_per_second: Measured.
    """
    square, table = scale.width**2, scale.width * scale.vocab_size
    weights = PER_LAYER * scale.num_layers * square + table
    return weights * WEIGHT_BYTES[precision] / bytes_per_second


def beam_seconds(scale: Scale, precision: str, bytes_per_second: float) -> float:
    """Return the least seconds of a source and its target, by reading weights alone."""
    square, table = scale.width**2, scale.width * scale.vocab_size
    once = (PER_LAYER + PER_CROSSED_READ) * scale.side_layers * square
    step = PER_CROSSED_STEP * scale.side_layers * square + table
    weights = once + scale.target_tokens * step
    return weights * WEIGHT_BYTES[precision] / bytes_per_second


def read_bytes_seconds(scale: Scale, precision: str, bytes_per_second: float) -> float:
    """Return the least seconds of an encoder's batch by reading weights."""
    weights = PER_LAYER * scale.num_layers * scale.width**2
    return weights * WEIGHT_BYTES[precision] / bytes_per_second


def read_flops_seconds(
    scale: Scale, batch: int, length: int, flops_per_second: float
) -> float:
    """Return the least seconds of an encoder's batch by float32 products."""
    matrices = PER_LAYER * scale.width**2
    attention = 2 * length * scale.width
    per_token = 2 * (matrices + attention) * scale.num_layers
    return batch * length * per_token / flops_per_second
