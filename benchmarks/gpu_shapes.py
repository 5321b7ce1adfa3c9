"""The shapes of ``python -m benchmarks gpu``. Changes when another is measured.

Knows no framework.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

BYTES = {"float32": 4, "bfloat16": 2}
PER_BLOCK = 12
"""A block's matrices in squares of the width: 4 of the attention, 8 behind it."""


@dataclass(frozen=True, slots=True)
class GpuShape:
    """A decoder-only network, and what it writes.

    Attributes:
        title: For people.
        width: Of the residual stream.
        num_layers: Blocks.
        num_heads: Of the attention.
        vocab_size: Rows of the token embedding, which scores tokens too.
        norms: Where the blocks' norms stand: those of the family.
        batches: Rows that are decoded together.
        prompt_tokens: Read before.
        new_tokens: Written behind.
    """

    title: str
    width: int
    num_layers: int
    num_heads: int
    vocab_size: int
    norms: Mapping[str, Any]
    batches: tuple[int, ...] = (1, 8, 64)
    prompt_tokens: int = 32
    new_tokens: int = 128

    @property
    def num_weights(self) -> int:
        """Scalars that every step reads."""
        blocks = PER_BLOCK * self.num_layers * self.width**2
        return blocks + self.vocab_size * self.width

    def step_bytes(self, batch: int, dtype: str) -> float:
        """Return the bytes a step cannot but read: weights, and half-filled caches.

        Args:
            batch: Rows.
            dtype: Of both.
        """
        seen = self.prompt_tokens + self.new_tokens / 2
        cache = 2 * self.num_layers * self.width * seen * batch
        return (self.num_weights + cache) * BYTES[dtype]

    def prompts(self, batch: int) -> npt.NDArray[np.int32]:
        """Return what everyone reads, int32 (batch, prompt tokens)."""
        rng = np.random.default_rng(batch)
        size = (batch, self.prompt_tokens)
        return rng.integers(5, self.vocab_size, size, "int32")


GPT2 = {"norm_placement": "pre", "embedding_norm": False, "final_norm": True}
GPT2_ML = {"norm_placement": "sandwich", "embedding_norm": True, "final_norm": False}

SHAPES: Mapping[str, GpuShape] = {
    "base": GpuShape("GPT2-base", 768, 12, 12, 21128, GPT2),
    "large": GpuShape("GPT2_ML, 1.5 B", 1536, 48, 24, 30522, GPT2_ML),
    "tiny": GpuShape("tiny", 32, 2, 2, 96, GPT2, (1, 3), 6, 9),
}
