"""The shapes that are measured: networks, batches, lengths.

Changes when another shape is. Knows no framework.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Values = dict[str, Any]

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, UNK, CLS, SEP, MASK = range(len(SPECIAL_TOKENS))
FIRST_IDEOGRAPH = 0x4E00
NUM_STREAMS = 10
PUBLISHED_BART: Values = {"normalize_before": False, "normalize_embedding": True}
"""What the first configs said and CTranslate2's converter still asks for."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of everything that is measured together.

    Attributes:
        width: Of the residual stream.
        num_layers: Of the decoder-only network and of the encoder; an
            encoder-decoder has half as many on each side.
        num_heads: Of the attention.
        vocab_size: Rows of the token embedding.
        num_positions: Longest sequence.
        prompt_tokens: Read before decoding starts.
        new_tokens: Decoded one by one.
        decode_batches: Rows that are decoded together.
        reads: Texts and tokens of each, of the encoder's batches.
        source_tokens: Read by the encoder-decoder.
        target_tokens: Written behind them.
        num_beams: Of the search.
        stream_tokens: Written by each of the streams.
    """

    width: int = 768
    num_layers: int = 12
    num_heads: int = 12
    vocab_size: int = 21128
    num_positions: int = 512
    prompt_tokens: int = 32
    new_tokens: int = 128
    decode_batches: tuple[int, ...] = (1, 8)
    reads: tuple[tuple[int, int], ...] = ((1, 128), (8, 128), (32, 128), (8, 512))
    source_tokens: int = 256
    target_tokens: int = 32
    num_beams: int = 4
    stream_tokens: int = 64
    inner: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "inner", 4 * self.width)

    @property
    def side_layers(self) -> int:
        """Layers on each side of the encoder-decoder."""
        return self.num_layers // 2


SCALES: Mapping[str, Scale] = {
    "base": Scale(),
    "tiny": Scale(
        width=32,
        num_layers=2,
        num_heads=2,
        vocab_size=96,
        num_positions=64,
        prompt_tokens=6,
        new_tokens=5,
        decode_batches=(1, 2),
        reads=((1, 8), (2, 8)),
        source_tokens=12,
        target_tokens=4,
        num_beams=2,
        stream_tokens=4,
    ),
}


def gpt2_values(scale: Scale) -> Values:
    """Return the config.json of the decoder-only network."""
    return {
        "vocab_size": scale.vocab_size,
        "n_positions": scale.num_positions,
        "n_embd": scale.width,
        "n_layer": scale.num_layers,
        "n_head": scale.num_heads,
        "bos_token_id": CLS,
        "eos_token_id": SEP,
        "pad_token_id": PAD,
    }


def bert_values(scale: Scale) -> Values:
    """Return the config.json of the encoder."""
    return {
        "vocab_size": scale.vocab_size,
        "max_position_embeddings": scale.num_positions,
        "hidden_size": scale.width,
        "num_hidden_layers": scale.num_layers,
        "num_attention_heads": scale.num_heads,
        "intermediate_size": scale.inner,
        "pad_token_id": PAD,
    }


def bart_values(scale: Scale) -> Values:
    """Return the config.json of the encoder-decoder."""
    sides = ("encoder", "decoder")
    return {
        "vocab_size": scale.vocab_size,
        "max_position_embeddings": scale.num_positions,
        "d_model": scale.width,
        **{f"{side}_layers": scale.side_layers for side in sides},
        **{f"{side}_ffn_dim": scale.inner for side in sides},
        **{f"{side}_attention_heads": scale.num_heads for side in sides},
        "bos_token_id": CLS,
        "eos_token_id": SEP,
        "pad_token_id": PAD,
        "decoder_start_token_id": CLS,
        "forced_eos_token_id": None,
        **PUBLISHED_BART,
    }


def vocabulary(scale: Scale) -> tuple[str, ...]:
    """Return the special tokens and as many ideographs as there are rows."""
    characters = range(
        FIRST_IDEOGRAPH, FIRST_IDEOGRAPH + scale.vocab_size - len(SPECIAL_TOKENS)
    )
    return (*SPECIAL_TOKENS, *map(chr, characters))


def drawn_ids(scale: Scale, batch: int, length: int) -> Ints:
    """Return the ids that everyone reads at a shape, none of them special.

    Args:
        scale: Gives the vocabulary.
        batch: Rows.
        length: Tokens of each.
    """
    random = np.random.default_rng((batch, length))
    low = len(SPECIAL_TOKENS)
    return random.integers(low, scale.vocab_size, (batch, length), "int32")


def prompts(scale: Scale, batch: int) -> Ints:
    """Return what is decoded behind, int32 (batch, prompt tokens)."""
    return drawn_ids(scale, batch, scale.prompt_tokens)


def source(scale: Scale) -> Ints:
    """Return what the encoder-decoder reads, int32 (1, source tokens)."""
    return drawn_ids(scale, 1, scale.source_tokens)
