"""The sizes and switches that make a Transformer; families are values of this.

Changes when a family needs a switch that no other family had. Knows no family by name.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

PositionKind = Literal["learned", "rotary"]
NormPlacement = Literal["post", "pre"]
Activation = Literal["gelu", "gelu_new", "relu"]

_POSITIVE = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
)
_CHOICES: dict[str, tuple[str, ...]] = {
    "hidden_act": ("gelu", "gelu_new", "relu"),
    "norm_placement": ("post", "pre"),
    "position_kind": ("learned", "rotary"),
}


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """One Transformer. Names are those of published checkpoints.

    Attributes:
        vocab_size: Rows of the token embedding.
        hidden_size: Width of the residual stream.
        num_hidden_layers: Number of blocks.
        num_attention_heads: Heads per block; must divide ``hidden_size``.
        intermediate_size: Width inside the feed-forward.
        max_position_embeddings: Longest sequence, in tokens.
        type_vocab_size: Rows of the segment embedding; 0 for none.
        hidden_act: ``gelu`` (exact), ``gelu_new`` (tanh, GPT2's) or ``relu``.
        layer_norm_eps: Added to the variance.
        norm_placement: ``post`` (after the residual sum, BERT) or ``pre`` (GPT2).
        embedding_norm: Normalise the sum of embeddings (BERT).
        final_norm: Normalise after the last block (GPT2).
        position_kind: ``learned`` table or ``rotary`` (RoFormer, arXiv 2104.09864).
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

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have."""
        for name in _POSITIVE:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be an integer >= 1, received {value!r}")
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size must be a multiple of num_attention_heads, received "
                f"{self.hidden_size} and {self.num_attention_heads}"
            )
        if self.position_kind == "rotary" and self.head_size % 2:
            raise ValueError(
                f"rotary positions need an even head size, received {self.head_size}"
            )
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

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_attention_heads

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
