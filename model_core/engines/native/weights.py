"""A network's weights as the kernels read them: from names to structs.

Changes when a config has another weight or places it elsewhere. Knows no family: it
reads the config and the names that ``weights_by_name`` gives.
"""

import ctypes
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from model_core.config import TransformerConfig
from model_core.engines.native.named import NamedWeights
from model_core.engines.native.norms import packed_norm
from model_core.engines.native.panels import (
    PackedLinear,
    Precision,
    address,
    in_panels,
)
from model_core.engines.native.structs import (
    ACTIVATIONS,
    PLACEMENTS,
    ROTARY_STYLES,
    Block,
    Body,
)

Floats = npt.NDArray[np.float32]
SUPPORTED_POSITIONS = ("learned", "sinusoidal", "rotary", "relative", "buckets")


def unsupported(config: TransformerConfig) -> str:
    """Return why the kernels cannot run a config, "" where they can."""
    if config.position_kind not in SUPPORTED_POSITIONS:
        return f"position_kind {config.position_kind}"
    if config.source_distances:
        return "source_distances"
    return ""


class PackedBody:
    """The blocks of one Transformer, packed.

    Args:
        config: Its sizes.
        named: Its weights, without prefix.
        is_decoder: Whether its blocks read a source.
        precision: How matrices are multiplied.
    """

    def __init__(
        self,
        config: TransformerConfig,
        named: NamedWeights,
        *,
        is_decoder: bool = False,
        precision: Precision = "float32",
    ) -> None:
        self.config = config
        self.is_decoder = is_decoder
        self._named = named
        self._precision = precision
        self._kept: list[Any] = []
        self._of_sources: list[PackedLinear] = []
        self.size_bytes = 0
        self.num_weights = 0
        self.num_layers = (
            config.num_decoder_layers if is_decoder else config.num_hidden_layers
        )
        count = self.num_layers if is_decoder else config.num_blocks
        self.blocks = [self._block(f"block_{index}/") for index in range(count)]
        self.struct = self._body()

    def conditioned(self, condition: Floats) -> Body:
        """Return the same body whose norms a condition (condition_size,) shifts."""
        shifted = [Block.from_buffer_copy(block) for block in self.blocks]
        for index, block in enumerate(shifted):
            for name in ("attention_norm", "feed_forward_norm"):
                setattr(block, name, self._norm(f"block_{index}/{name}", condition))
        body = Body.from_buffer_copy(self.struct)
        body.layers = self._layers(shifted)
        if self.config.final_norm:
            body.final_norm = self._norm("final_norm", condition)
        return body

    def source_key_value(self, layer: int) -> PackedLinear:
        """Return the projection of a source's states to a layer's keys and values."""
        return self._of_sources[layer]

    def _block(self, prefix: str) -> Block:
        attention, ahead = prefix + "attention/", prefix + "feed_forward/"
        block = Block(
            query_key_value=self._joined(attention, ("query", "key", "value")),
            output=self._linear(attention + "output"),
            inner=self._linear(ahead + "inner"),
            outer=self._linear(ahead + "outer"),
            attention_norm=self._norm(prefix + "attention_norm"),
            feed_forward_norm=self._norm(prefix + "feed_forward_norm"),
        )
        if self.config.gated_feed_forward:
            block.gate = self._linear(ahead + "gate")
        if self.is_decoder:
            source = prefix + "source_attention/"
            block.source_query = self._linear(source + "query")
            block.source_key_value = self._joined(source, ("key", "value"))
            self._of_sources.append(self._kept[-1])
            block.source_output = self._linear(source + "output")
            block.source_norm = self._norm(prefix + "source_norm")
        return block

    def _body(self) -> Body:
        config = self.config
        body = Body(
            hidden_size=config.hidden_size,
            num_heads=config.num_attention_heads,
            head_size=config.head_size,
            num_layers=self.num_layers,
            placement=PLACEMENTS[config.norm_placement],
            activation=ACTIVATIONS[config.hidden_act],
            is_gated=int(config.gated_feed_forward),
            reads_source=int(self.is_decoder),
            scale=config.head_size**-0.5 if config.scaled_attention else 1.0,
            layers=self._layers(self.blocks),
        )
        if config.final_norm:
            body.final_norm = self._norm("final_norm")
        self._positions(body)
        return body

    def _layers(self, blocks: list[Block]) -> Any:
        order = [
            layer if self.is_decoder else self.config.block_of(layer)
            for layer in range(self.num_layers)
        ]
        pointers = (ctypes.POINTER(Block) * self.num_layers)(
            *(ctypes.pointer(blocks[index]) for index in order)
        )
        self._kept += [blocks, pointers]
        return ctypes.cast(pointers, ctypes.POINTER(ctypes.POINTER(Block)))

    def _positions(self, body: Body) -> None:
        """Set what positions say to the attention; see ``layers.positions``."""
        config = self.config
        if config.position_kind == "rotary":
            cosines, sines = rotary_table(config)
            body.rotary = ROTARY_STYLES[config.rotary_style]
            body.num_positions = len(cosines)
            body.cosines, body.sines = self._keep(cosines), self._keep(sines)
        elif config.position_kind == "relative":
            waves = distance_waves(config)
            body.num_distances = len(waves)
            body.relation_keys = self._keep(in_panels(waves.T.copy()))
            body.relation_values = self._keep(in_panels(waves))
        elif config.position_kind == "buckets":
            bias = bucket_bias(
                config, self._named["position_bias/embeddings"], causal=self.is_decoder
            )
            body.bias, body.bias_reach = self._keep(bias), bias.shape[1] // 2
            body.num_positions = body.bias_reach

    def _keep(self, array: npt.NDArray[Any]) -> int | None:
        whole = np.ascontiguousarray(array, "float32")
        self._kept.append(whole)
        return address(whole)

    def _linear(self, name: str) -> Any:
        return self._packed(
            self._named[name + "/kernel"], self._named.get(name + "/bias")
        )

    def _joined(self, prefix: str, names: tuple[str, ...]) -> Any:
        """Return several projections of one input as one."""
        kernels = [self._named[f"{prefix}{name}/kernel"] for name in names]
        biases = [self._named.get(f"{prefix}{name}/bias") for name in names]
        bias = None
        if any(one is not None for one in biases):
            bias = np.concatenate(
                [
                    np.zeros(kernel.shape[1], "float32") if one is None else one
                    for kernel, one in zip(kernels, biases, strict=True)
                ]
            )
        return self._packed(np.concatenate(kernels, axis=1), bias)

    def _packed(self, kernel: Floats, bias: Floats | None) -> Any:
        packed = PackedLinear.of(kernel, bias, self._precision)
        self._kept.append(packed)
        self.size_bytes += packed.size_bytes
        self.num_weights += kernel.size
        return packed.struct

    def _norm(self, name: str, condition: Floats | None = None) -> Any:
        packed = packed_norm(self.config, self._named, name, condition)
        self._kept.append(packed)
        return packed.struct


def rotary_table(config: TransformerConfig) -> tuple[Floats, Floats]:
    """Return cosines and sines (positions, head_size / 2); see ``layers.rotary``."""
    exponent = np.arange(0, config.head_size, 2, dtype="float32") / config.head_size
    frequency = np.float32(config.rotary_base) ** -exponent
    positions = np.arange(config.max_position_embeddings, dtype="float32")
    angles = positions[:, None] * frequency
    return np.cos(angles), np.sin(angles)


def waves_of(positions: npt.NDArray[Any], width: int, *, interleaved: bool) -> Floats:
    """Return sine and cosine of positions; see ``layers.positions.sinusoids``."""
    exponent = np.arange(0, width, 2, dtype="float32") / width
    angles = positions.astype("float32")[..., None] * np.float32(10_000.0) ** -exponent
    both = (np.sin(angles), np.cos(angles))
    if not interleaved:
        return np.concatenate(both, axis=-1)
    return np.stack(both, axis=-1).reshape(*positions.shape, width)


def distance_waves(config: TransformerConfig) -> Floats:
    """Return NEZHA's vector of every clipped distance, (2 * farthest + 1, width)."""
    apart = np.arange(2 * config.relative_distance + 1)
    return waves_of(apart, config.head_size, interleaved=True)


def bucket_bias(config: TransformerConfig, table: Floats, *, causal: bool) -> Floats:
    """Return T5's score of every distance, (num_heads, 2 * reach + 1).

    Args:
        config: Buckets and their reach.
        table: (buckets, num_heads).
        causal: Whether keys behind the query share the first bucket.
    """
    reach = config.max_position_embeddings
    apart = np.arange(-reach, reach + 1)
    buckets, first = config.relative_buckets, np.zeros_like(apart)
    if causal:
        far = np.maximum(-apart, 0)
    else:
        buckets //= 2
        first = (apart > 0) * buckets
        far = np.abs(apart)
    near = buckets // 2
    growth = (buckets - near) / math.log(config.relative_distance / near)
    ratio = np.maximum(far, 1).astype("float32") / np.float32(near)
    shared = near + (np.log(ratio) * np.float32(growth)).astype("int32")
    chosen = first + np.where(far < near, far, np.minimum(shared, buckets - 1))
    return np.ascontiguousarray(np.asarray(table, "float32")[chosen].T)
