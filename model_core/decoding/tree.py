"""A prefix tree over token ids in flat arrays: a million keys in a few dozen megabytes.

Changes when the tree is stored or asked otherwise. Knows no network and no text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.unsignedinteger]
Places = npt.NDArray[np.uint32]
Integers = npt.NDArray[np.integer]

_ROOT = 0
_TOKEN_BITS = np.uint64(32)
_TOKEN_MASK = np.uint64(2**32 - 1)


@dataclass(frozen=True, slots=True, eq=False)
class TokenTree:
    """Sequences of token ids by their common beginnings.

    Nodes are numbered level by level from the root, which is 0; the children of a node
    stand side by side, ordered by token::

        rows   0: 7 8    1: 7    2: 7 8 4    3: 5    4: 7 8

        node              0   1   2   3   4
        tokens            -   5   7   8   4
        first_children    1   3   3   4   5   5    children of i: first[i]..first[i+1]
        end_nodes             1   2   3   4        where rows end
        end_starts            0   1   2   4   5    rows there: rows[start..next start]
        rows                  3   1   0   4   2

    Attributes:
        tokens: (num_nodes,), the token that leads to a node; the root's means nothing.
        first_children: uint32 (num_nodes + 1,).
        end_nodes: uint32 (num_ends,), ascending.
        end_starts: uint32 (num_ends + 1,).
        rows: uint32 (num_rows,), ascending within a node.
        max_depth: Tokens of the longest row.
    """

    tokens: Tokens
    first_children: Places
    end_nodes: Places
    end_starts: Places
    rows: Places
    max_depth: int

    @classmethod
    def build(cls, token_ids: Integers, starts: Integers) -> Self:
        """Build the tree of sequences that lie one behind the other.

        Level by level: the rows of a level are sorted by their node and next token,
        so that memory beyond the tree is a few numbers per row.

        Args:
            token_ids: (num_tokens,), >= 0; uint16 makes the smallest tree.
            starts: (num_rows + 1,); row i is ``token_ids[starts[i]:starts[i + 1]]``.
                Rows may be equal, empty, or the beginning of others.

        Raises:
            ValueError: No row, starts that do not fit the tokens, a negative token.
        """
        _check_rows(token_ids, starts)
        level = _Level.root(len(starts) - 1)
        tokens: list[Tokens] = [np.zeros(1, _token_type(token_ids))]
        num_children: list[Places] = [np.ones(1, np.uint32)]
        ends: list[tuple[Integers, Places]] = []
        while True:
            level, ended = level.without_ended(starts)
            ends.append(ended)
            if not level.rows.size:
                num_children.append(np.zeros(level.num_nodes, np.uint32))
                break
            level, level_tokens, counts = level.below(token_ids, starts)
            tokens.append(level_tokens.astype(tokens[0].dtype))
            num_children.append(counts.astype(np.uint32))
        return cls._joined(tokens, num_children, ends, level.depth)

    @classmethod
    def _joined(
        cls,
        tokens: list[Tokens],
        num_children: list[Places],
        ends: list[tuple[Integers, Places]],
        max_depth: int,
    ) -> Self:
        firsts = np.concatenate(num_children)
        np.cumsum(firsts, dtype=np.uint32, out=firsts)
        nodes = np.concatenate([nodes for nodes, _ in ends])
        end_nodes, end_starts = np.unique(nodes, return_index=True)
        return cls(
            tokens=np.concatenate(tokens),
            first_children=firsts,
            end_nodes=end_nodes.astype(np.uint32),
            end_starts=np.append(end_starts, len(nodes)).astype(np.uint32),
            rows=np.concatenate([rows for _, rows in ends]),
            max_depth=max_depth,
        )

    @property
    def num_nodes(self) -> int:
        """Number of nodes, the root included."""
        return len(self.tokens)

    @property
    def num_rows(self) -> int:
        """Number of sequences it was built from."""
        return len(self.rows)

    @property
    def size_bytes(self) -> int:
        """Bytes of all arrays."""
        arrays = (self.tokens, self.first_children, self.end_nodes, self.end_starts)
        return sum(array.nbytes for array in arrays) + self.rows.nbytes

    def children(self, node: int) -> tuple[Tokens, npt.NDArray[np.int64]]:
        """Return the tokens that may follow, ascending (a view), and their nodes."""
        first, end = self._family(node)
        return self.tokens[first:end], np.arange(first, end)

    def child(self, node: int, token_id: int) -> int | None:
        """Return the node that a token leads to, None where there is none."""
        first, end = self._family(node)
        siblings = self.tokens[first:end]
        if not 0 <= token_id <= np.iinfo(siblings.dtype).max:
            return None
        place = int(np.searchsorted(siblings, siblings.dtype.type(token_id)))
        if place == end - first or siblings[place] != token_id:
            return None
        return first + place

    def walk(self, token_ids: Iterable[int], node: int = _ROOT) -> int | None:
        """Return the node that tokens lead to from a node, None where they leave."""
        for token_id in token_ids:
            child = self.child(node, token_id)
            if child is None:
                return None
            node = child
        return node

    def match_length(self, token_ids: Iterable[int], node: int = _ROOT) -> int:
        """Return how many of the first tokens lead on from a node."""
        length = 0
        for token_id in token_ids:
            child = self.child(node, token_id)
            if child is None:
                break
            node, length = child, length + 1
        return length

    def forced(self, node: int) -> tuple[tuple[int, ...], int]:
        """Follow a node down as long as there is one way on and no row ends.

        Returns:
            The tokens on the way (none where the node itself offers a choice or an
            end) and the node reached.
        """
        token_ids: list[int] = []
        first, end = self._family(node)
        while end - first == 1 and not len(self.rows_at(node)):
            node = first
            token_ids.append(int(self.tokens[node]))
            first, end = self._family(node)
        return tuple(token_ids), node

    def rows_at(self, node: int) -> Places:
        """Return the sequences that end at a node, ascending (a view)."""
        place = int(np.searchsorted(self.end_nodes, np.uint32(node)))
        if place == len(self.end_nodes) or self.end_nodes[place] != node:
            return self.rows[:0]
        return self.rows[self.end_starts[place] : self.end_starts[place + 1]]

    def _family(self, node: int) -> tuple[int, int]:
        return int(self.first_children[node]), int(self.first_children[node + 1])


class _Level(NamedTuple):
    """The rows that reach a depth, sorted by their node there."""

    rows: Places  # (active,)
    ranks: npt.NDArray[np.int64]  # (active,), their node among the level's
    first_node: int
    num_nodes: int
    depth: int

    @classmethod
    def root(cls, num_rows: int) -> Self:
        rows = np.arange(num_rows, dtype=np.uint32)
        return cls(rows, np.zeros(num_rows, np.int64), _ROOT, 1, 0)

    def without_ended(
        self, starts: Integers
    ) -> tuple["_Level", tuple[Integers, Places]]:
        """Take out the rows that end here; also return their nodes and them."""
        goes_on = starts[self.rows] + self.depth < starts[self.rows + 1]
        ended = (self.ranks[~goes_on] + self.first_node, self.rows[~goes_on])
        rest = self._replace(rows=self.rows[goes_on], ranks=self.ranks[goes_on])
        return rest, ended

    def below(
        self, token_ids: Integers, starts: Integers
    ) -> tuple["_Level", Integers, Integers]:
        """Return the next level, its nodes' tokens and this one's child counts."""
        tokens = token_ids[starts[self.rows] + self.depth].astype(np.uint64)
        keys = self.ranks.astype(np.uint64) << _TOKEN_BITS | tokens
        order = keys.argsort(kind="stable")
        keys = keys[order]
        is_new = np.append(True, keys[1:] != keys[:-1])
        ways = keys[is_new]
        parents = (ways >> _TOKEN_BITS).astype(np.int64)
        level = _Level(
            rows=self.rows[order],
            ranks=is_new.cumsum() - 1,
            first_node=self.first_node + self.num_nodes,
            num_nodes=len(ways),
            depth=self.depth + 1,
        )
        counts = np.bincount(parents, minlength=self.num_nodes)
        return level, ways & _TOKEN_MASK, counts


def _token_type(token_ids: Integers) -> type[np.uint16] | type[np.uint32]:
    largest = int(token_ids.max(initial=0))
    return np.uint16 if largest <= np.iinfo(np.uint16).max else np.uint32


def _check_rows(token_ids: Integers, starts: Integers) -> None:
    if len(starts) <= 1:
        raise ValueError(
            "a tree needs at least one row: starts must hold one more entry than "
            f"there are rows, got {len(starts)} entries"
        )
    if starts[0] != 0 or starts[-1] != len(token_ids) or (np.diff(starts) < 0).any():
        raise ValueError(
            "starts must rise from 0 to the number of tokens "
            f"({len(token_ids)}), got {starts[0]} to {starts[-1]}"
        )
    if len(token_ids) and token_ids.min() < 0:
        raise ValueError(f"token ids must be >= 0, got {int(token_ids.min())}")
