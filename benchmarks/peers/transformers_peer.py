"""transformers with torch: float32, scaled-dot-product attention, its own ``generate``.

Changes when its way of loading or writing changes.
"""

from typing import Any

import torch
import transformers

from benchmarks.contract import Floats, Setup
from benchmarks.shapes import PAD, Ints

Tensor = Any


def prepare(setup: Setup, part: str) -> None:
    """Convert nothing: the folder is its own."""
    del setup, part


def versions() -> dict[str, str]:
    """See ``Contender.versions``."""
    return {"transformers": transformers.__version__, "torch": torch.__version__}


def decoder(setup: Setup) -> "Generating":
    """See ``Contender.decoder``."""
    return Generating(load(setup, transformers.GPT2LMHeadModel))


def reader(setup: Setup) -> "Reading":
    """See ``Contender.reader``."""
    return Reading(load(setup, transformers.BertModel))


def beam_writer(setup: Setup) -> "Generating":
    """See ``Contender.beam_writer``."""
    return Generating(load(setup, transformers.BartForConditionalGeneration))


def load(setup: Setup, kind: Any) -> Any:
    """Return a network with its weights."""
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(setup.threads)
    return kind.from_pretrained(setup.source, attn_implementation="sdpa").eval()


class Generating:
    """A ``Decoder`` and a ``BeamWriter`` by ``generate``; of optimum's networks too.

    Args:
        network: Offers ``generate``.
    """

    def __init__(self, network: Any) -> None:
        self._network = network

    def greedy(self, prompts: Ints, num_new: int) -> Ints:
        """See ``Decoder.greedy``."""
        return self._generated(prompts, num_new)[:, prompts.shape[1] :]

    def write(self, source: Ints, num_beams: int, num_new: int) -> Ints:
        """See ``BeamWriter.write``."""
        return self._generated(source, num_new, num_beams=num_beams)[:, 1:]

    def _generated(self, given: Ints, num_new: int, **options: int) -> Ints:
        ids = torch.from_numpy(given).long()
        with torch.inference_mode():
            made = self._network.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=num_new,
                min_new_tokens=num_new,
                do_sample=False,
                pad_token_id=PAD,
                **options,
            )
        written: Ints = made.int().numpy()
        return written


class Reading:
    """A ``Reader`` over a torch network.

    Args:
        network: An encoder.
    """

    def __init__(self, network: Any) -> None:
        self._network = network

    def read(self, token_ids: Ints) -> Floats:
        """See ``Reader.read``."""
        ids = torch.from_numpy(token_ids).long()
        with torch.inference_mode():
            states: Floats = self._network(ids).last_hidden_state.numpy()
        return states
