"""Weights that are loaded as others than they were saved: fewer tokens, more positions.

Changes when a network may be asked for in another shape than its file's. Pure
functions over configs and arrays; knows no family and no file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from model_core.checkpoints.weight_map import Array, Reshape
from model_core.config import TransformerConfig

HIERARCHY = 0.4  # kexue.fm/archives/7947
OF_TOKENS = (
    "token_embedding/embeddings",
    "masked_lm/bias",
    "language_model/embeddings",
    "language_model/bias",
    "source_prior/scale",
    "source_prior/shift",
)
OF_POSITIONS = (
    "position_embedding/embeddings",
    "decoder/position_embedding/embeddings",
)


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What to change while loading; the default changes nothing.

    Attributes:
        keep_tokens: Ids of the tokens to keep, in their new order; None keeps all.
        positions: Positions to extend a learned table to, at most its square; None
            leaves it alone.
        unshared: Give every layer weights of its own that the file shares (ALBERT):
            the same numbers, which training may then pull apart.
    """

    keep_tokens: tuple[int, ...] | None = None
    positions: int | None = None
    unshared: bool = False

    def config(self, config: TransformerConfig) -> TransformerConfig:
        """Return the config of the network to build.

        Raises:
            ValueError: Tokens that the vocabulary lacks or that stand twice; more
                positions than the table can stand for, or a network without a table.
        """
        if self.keep_tokens is not None:
            check_tokens(self.keep_tokens, config.vocab_size)
            config = replace(config, vocab_size=len(self.keep_tokens))
        if self.positions is not None:
            _check_positions(self.positions, config)
            config = replace(config, max_position_embeddings=self.positions)
        return replace(config, num_layer_groups=0) if self.unshared else config

    def reshapes(self) -> Mapping[str, Reshape]:
        """Return, by weight, what becomes of a tensor that is laid out as ours."""
        made: dict[str, Reshape] = {}
        if self.keep_tokens is not None:
            rows = np.asarray(self.keep_tokens, "int64")
            made |= dict.fromkeys(OF_TOKENS, lambda array: array[rows])
        if self.positions is not None:
            length = self.positions
            made |= dict.fromkeys(
                OF_POSITIONS, lambda table: hierarchical(table, length)
            )
        return made


AS_SAVED = Adaptation()


def hierarchical(table: Array, length: int, share: float = HIERARCHY) -> Array:
    """Return a table of positions for longer texts, made of a shorter one.

    Su Jianlin, kexue.fm/archives/7947: with ``u = (p - share * p[0]) / (1 - share)``
    the row of ``i * n + j`` is ``share * u[i] + (1 - share) * u[j]``; the first n rows
    stay as they are.

    Args:
        table: (n, width).
        length: At most n * n.
        share: 0 to 1, of the coarse position; not 1/2, where i and j would be one.
    """
    count = len(table)
    base = (table - share * table[:1]) / (1 - share)
    coarse, fine = np.divmod(np.arange(length), count)
    made = share * base[coarse] + (1 - share) * base[fine]
    return np.asarray(made, table.dtype)


def check_tokens(keep_tokens: tuple[int, ...], vocab_size: int) -> None:
    """Refuse ids that a vocabulary lacks or that stand twice.

    Raises:
        ValueError: With the first of them.
    """
    if not keep_tokens:
        raise ValueError("keep_tokens must hold at least one id, received none")
    seen: set[int] = set()
    for token_id in keep_tokens:
        if not 0 <= token_id < vocab_size or token_id in seen:
            why = "twice" if token_id in seen else f"of a vocabulary of {vocab_size}"
            raise ValueError(f"keep_tokens: received {token_id} {why}")
        seen.add(token_id)


def _check_positions(positions: int, config: TransformerConfig) -> None:
    if config.position_kind != "learned":
        raise ValueError(
            f"positions can be extended where a table of them is learned; these are "
            f"{config.position_kind}"
        )
    count = config.max_position_embeddings
    if not count <= positions <= count * count:
        raise ValueError(
            f"positions must be between {count} and {count * count}, "
            f"received {positions}"
        )
