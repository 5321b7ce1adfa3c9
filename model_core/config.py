"""The sizes and switches that make a Transformer; families are values of this.

Changes when a family needs a switch that no other family had. Knows no family by name.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args

PositionKind = Literal[
    "learned", "sinusoidal", "rotary", "relative", "buckets", "transfer"
]
NormKind = Literal["layer", "rms", "bare_rms"]
NormPlacement = Literal["post", "pre", "sandwich"]
RotaryStyle = Literal["halves", "neighbours"]
PoolingPlace = Literal["first", "last"]
Activation = Literal["gelu", "gelu_new", "relu", "silu", "tanh", "linear"]

_POSITIVE = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
)
_COUNTS = (
    "type_vocab_size",
    "task_type_vocab_size",
    "embedding_size",
    "attention_head_size",
    "num_layer_groups",
    "num_decoder_layers",
    "num_labels",
)
_CHOICES: dict[str, tuple[str, ...]] = {
    "hidden_act": get_args(Activation),
    "pooler_act": get_args(Activation),
    "pooling_act": get_args(Activation),
    "pooling_place": ("first", "last"),
    "norm_kind": get_args(NormKind),
    "norm_placement": get_args(NormPlacement),
    "position_kind": get_args(PositionKind),
    "rotary_style": ("halves", "neighbours"),
}


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """One Transformer. Names are those of published checkpoints.

    Attributes:
        vocab_size: Rows of the token embedding.
        hidden_size: Width of the residual stream.
        num_hidden_layers: Number of blocks; of the encoder's where there is a decoder.
        num_attention_heads: Heads per block.
        intermediate_size: Width inside the feed-forward.
        max_position_embeddings: Longest sequence, in tokens.
        type_vocab_size: Rows of the segment embedding; 0 for none.
        hidden_act: ``gelu`` (exact), ``gelu_new`` (tanh, GPT2's), ``relu`` …
        layer_norm_eps: Added to the variance.
        norm_placement: ``post`` (after the residual sum, BERT), ``pre`` (GPT2), or
            ``sandwich``: before and after the feed-forward, none before the attention
            (GPT2_ML, arXiv 1905.12616).
        embedding_norm: Normalise the sum of embeddings (BERT).
        final_norm: Normalise after the last block (GPT2).
        position_kind: ``learned`` table; ``sinusoidal`` (arXiv 1706.03762); ``rotary``
            (RoFormer, arXiv 2104.09864); ``relative`` (NEZHA, arXiv 1909.00204: a
            clipped distance's sinusoid joins keys and values); ``buckets`` (T5, arXiv
            1910.10683: a learned score per bucket of distances); ``transfer`` (XLNet,
            arXiv 1906.08237: projected sinusoids of the distance score).
        rotary_base: Base of rotary wavelengths.
        initializer_range: Standard deviation of fresh kernels; 0 starts at zero.
        dropout: Rate on embeddings and on each residual branch, while training.
        attention_dropout: Rate on attention probabilities, while training.
        mark_vocab_size: Rows of the mark embedding, a third sum of the input that says
            something of each token (a word's border, a match with the question); 0 for
            none.
        num_conditions: Values of the condition that may shift every norm, besides
            none (kexue.fm/archives/7124); 0 for plain norms.
        condition_size: Width of a condition's vector.
        num_relations: Relations that the pointing heads know.
        rotary_style: Which two numbers of a head turn together: the same place of its
            two ``halves``, or ``neighbours`` (RoFormer).
        embedding_size: Width of the token embedding where it is factorised (ALBERT,
            arXiv 1909.11942); 0 for ``hidden_size``.
        embedding_scale: Factor on token embeddings (Pegasus: square root of the width).
        embedding_bias: Whether the projection of factorised embeddings has a bias.
        projected_first: Factorised embeddings are projected before positions and
            segments are added, not after the norm, and scored on the same way back
            (the first albert_zh).
        segments_are_tokens: Segment ids are token ids (CDial-GPT's speakers).
        task_type_vocab_size: Rows of the task embedding, of which row 0 is added
            (ERNIE); 0 for none.
        num_layer_groups: Blocks with weights of their own, which consecutive layers
            share (ALBERT); 0 for one per layer.
        norm_kind: ``layer``, ``rms`` (T5: no mean, no shift) or ``bare_rms``
            (RoFormer V2: no weight either).
        attention_head_size: Width of a head where it is not ``hidden_size`` over the
            heads; 0 where it is.
        attention_bias: Whether projections of the attention have biases.
        feed_forward_bias: Whether those of the feed-forward have.
        scaled_attention: Whether scores are divided by the root of a head's width.
        gated_feed_forward: Whether a second projection multiplies the activation.
        relative_distance: Farthest distance told apart (``relative``, ``buckets``).
        relative_buckets: Buckets of distances (``buckets``).
        source_distances: Whether a decoder's scores of distances also stand where it
            attends to its source (bert4keras' T5, and so T5-PEGASUS).
        tied_head: Whether the vocabulary's scores come from the token embedding.
        head_scale: Factor on states before the vocabulary's scores (T5 1.0).
        head_bias: Whether every token has a bias in the language model's head.
        num_decoder_layers: Blocks of a decoder that reads the encoder; 0 for none.
        masked_lm_transform: Whether the cloze head has a layer of its own, or asks
            the token embedding at once (RoFormer V2).
        pooler_act: Activation of the pooler.
        num_labels: Classes of the classifier.
        pooling_act: Activation of the sentence vector that is classified.
        pooling_place: Which token it is made of.
    """

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int = 512
    type_vocab_size: int = 0
    hidden_act: Activation = "gelu"
    layer_norm_eps: float = 1e-12
    norm_placement: NormPlacement = "post"
    embedding_norm: bool = True
    final_norm: bool = False
    position_kind: PositionKind = "learned"
    rotary_base: float = 10_000.0
    initializer_range: float = 0.02
    dropout: float = 0.0
    attention_dropout: float = 0.0
    mark_vocab_size: int = 0
    num_conditions: int = 0
    condition_size: int = 128
    num_relations: int = 0
    rotary_style: RotaryStyle = "halves"
    embedding_size: int = 0
    embedding_scale: float = 1.0
    embedding_bias: bool = True
    projected_first: bool = False
    segments_are_tokens: bool = False
    task_type_vocab_size: int = 0
    num_layer_groups: int = 0
    norm_kind: NormKind = "layer"
    attention_head_size: int = 0
    attention_bias: bool = True
    feed_forward_bias: bool = True
    scaled_attention: bool = True
    gated_feed_forward: bool = False
    relative_distance: int = 64
    relative_buckets: int = 32
    source_distances: bool = False
    tied_head: bool = True
    head_scale: float = 1.0
    head_bias: bool = False
    num_decoder_layers: int = 0
    masked_lm_transform: bool = True
    pooler_act: Activation = "tanh"
    num_labels: int = 0
    pooling_act: Activation = "tanh"
    pooling_place: PoolingPlace = "first"

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have."""
        self._check_counts(_POSITIVE, 1)
        self._check_counts(_COUNTS, 0)
        self._check_heads()
        for name, accepted in _CHOICES.items():
            value = getattr(self, name)
            if value not in accepted:
                raise ValueError(
                    f"{name} must be one of {accepted}, received {value!r}"
                )
        if self.layer_norm_eps <= 0:
            raise ValueError(
                f"layer_norm_eps must be > 0, received {self.layer_norm_eps}"
            )

    def _check_counts(self, names: tuple[str, ...], least: int) -> None:
        for name in names:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(
                    f"{name} must be an integer >= {least}, received {value!r}"
                )

    def _check_heads(self) -> None:
        if not self.attention_head_size and self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size must be a multiple of num_attention_heads, received "
                f"{self.hidden_size} and {self.num_attention_heads}"
            )
        if self.position_kind == "rotary" and self.head_size % 2:
            raise ValueError(
                f"rotary positions need an even head size, received {self.head_size}"
            )

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.attention_head_size or self.hidden_size // self.num_attention_heads

    @property
    def heads_size(self) -> int:
        """Width of all heads of a block side by side."""
        return self.head_size * self.num_attention_heads

    @property
    def embedding_width(self) -> int:
        """Width of the token embedding."""
        return self.embedding_size or self.hidden_size

    @property
    def input_width(self) -> int:
        """Width of what is added to the token embedding, and of the cloze head."""
        return self.hidden_size if self.projected_first else self.embedding_width

    @property
    def num_blocks(self) -> int:
        """Blocks with weights of their own."""
        return self.num_layer_groups or self.num_hidden_layers

    def block_of(self, layer: int) -> int:
        """Return which block a layer runs: consecutive layers share one."""
        return layer * self.num_blocks // self.num_hidden_layers

    @property
    def num_relation_edges(self) -> int:
        """Two scores, start and end, for every relation."""
        return 2 * self.num_relations

    @property
    def span_size(self) -> int:
        """Width of a span's first and last state side by side."""
        return 2 * self.hidden_size

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read the fields this class declares and leave the others alone."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})
