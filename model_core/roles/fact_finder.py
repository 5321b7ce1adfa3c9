"""Leads questions to keys of a base: a search that can only write what is in it.

Changes when finding takes another step. Knows no file of facts.
"""

import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_core.decoding.constrained import TreeOptions, tree_search
from model_core.decoding.tree import TokenTree
from model_core.interfaces import (
    FactAnswer,
    FactKey,
    FactMatch,
    FactTree,
    ModelError,
    WeightsInfo,
)
from model_core.roles.loaded import LoadedModel
from model_core.roles.source_stepper import SourceStepper

NUM_BEAMS = 8
LONGEST_KEY = 96  # tokens; what is beyond tells no key from another
LONGEST_QUESTION = 256


@dataclass(frozen=True, slots=True, eq=False)
class NetworkFactTree:
    """A ``FactTree``.

    Attributes:
        tree: Over the tokens of ``subject [谓语] predicate [宾语] meaning [SEP]``.
        num_keys: Number of keys.
    """

    tree: TokenTree
    num_keys: int

    @property
    def num_nodes(self) -> int:
        """See ``FactTree.num_nodes``."""
        return self.tree.num_nodes

    @property
    def size_bytes(self) -> int:
        """See ``FactTree.size_bytes``."""
        return self.tree.size_bytes


class NetworkFactFinder:
    """A ``FactFinder`` over a network trained to write keys.

    Args:
        model: The network, its tokenizer and its formats.
    """

    def __init__(self, model: LoadedModel) -> None:
        self._model = model

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        return self._model.info

    def build_tree(self, keys: Sequence[FactKey]) -> NetworkFactTree:
        """See ``FactFinder.build_tree``."""
        if not len(keys):
            raise ModelError(
                "unsupported",
                "知识库里没有三元组，请先放入一些。",
                "The base holds no fact: put some in first.",
            )
        ids = array("H" if self._model.config.vocab_size <= 2**16 else "I")
        starts = np.zeros(len(keys) + 1, "int64")
        for index, key in enumerate(keys):
            row = self._model.formats.fact_key(key)
            if len(row) > LONGEST_KEY:
                row = [*row[: LONGEST_KEY - 1], row[-1]]
            ids.extend(row)
            starts[index + 1] = len(ids)
        tree = TokenTree.build(np.asarray(ids), starts)
        return NetworkFactTree(tree, len(keys))

    def find(self, question: str, tree: FactTree, *, num_return: int = 3) -> FactAnswer:
        """See ``FactFinder.find``."""
        started = time.monotonic()
        if not isinstance(tree, NetworkFactTree):
            raise TypeError(f"expected a tree of this finder, received {type(tree)}")
        piece = self._model.formats.piece(question).cut(0, LONGEST_QUESTION)
        source = self._model.formats.facts(piece)
        options = TreeOptions(
            self._model.tokenizer.sep_id or 0,
            num_beams=max(NUM_BEAMS, num_return),
            num_return=num_return,
        )
        *_, last = tree_search(
            SourceStepper(self._model, [source]),
            source.token_ids.tolist(),
            tree.tree,
            options,
            piece.token_ids.tolist(),
        )
        # keys that are spelled alike share what they have together
        matches = [
            FactMatch(row, float(np.exp(end.log_prob)) / len(end.rows))
            for end in last.ends
            for row in end.rows
        ]
        matches.sort(key=lambda match: -match.probability)
        return FactAnswer(
            tuple(matches[:num_return]), time.monotonic() - started, self.weights
        )
