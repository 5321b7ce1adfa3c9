"""transformers with torch on the same card: static cache, compiled by ``generate``.

Changes when its way of writing does. The network is GPT2 of the same sizes: GPT2_ML's
norms stand elsewhere, its bytes and products are the same.
"""

from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import transformers

from benchmarks.gpu_shapes import GpuShape

Ints = npt.NDArray[np.int32]
CACHES: dict[str, str | None] = {"static cache": "static", "as it comes": None}


def network_of(shape: GpuShape, dtype: str) -> Any:
    """Return a network of random weights, on the card where there is one."""
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    config = transformers.GPT2Config(
        vocab_size=shape.vocab_size,
        n_positions=1024,
        n_embd=shape.width,
        n_layer=shape.num_layers,
        n_head=shape.num_heads,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    torch.manual_seed(0)
    kind: Any = transformers.GPT2LMHeadModel
    with torch.device(device()):
        return kind(config).to(getattr(torch, dtype)).eval()


def ways(network: Any) -> dict[str, Callable[[Ints, int], Ints]]:
    """Return how texts are written: with every cache.

    ``generate`` compiles the step by itself where the cache is static and on a card.
    """

    def write(cache: str | None, prompts: Ints, most: int) -> Ints:
        ids = torch.from_numpy(prompts).long().to(device())
        with torch.inference_mode():
            made = network.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=most,
                min_new_tokens=most,
                do_sample=False,
                cache_implementation=cache,
            )
        written: Ints = made[:, ids.shape[1] :].int().cpu().numpy()
        return written

    compiled = ", compiled" if torch.cuda.is_available() else ""
    return {
        f"transformers, {told}{compiled if cache else ''}": partial(write, cache)
        for told, cache in CACHES.items()
    }


def device() -> str:
    """Return where torch computes."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def device_name() -> str:
    """Return the card's name."""
    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else "cpu"


def memory_mb() -> float:
    """Return the most memory that the card gave so far."""
    if not torch.cuda.is_available():
        return 0.0
    return float(torch.cuda.max_memory_allocated()) / 2**20


def versions() -> dict[str, str]:
    """Return the versions of what computes."""
    return {name: version(name) for name in ("transformers", "torch")}
