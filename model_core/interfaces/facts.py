"""The retriever: write only what stands in a base, token by token on a prefix tree.

Changes when a base is asked differently. Plain values and Protocols.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from model_core.interfaces.models import WeightsInfo


@dataclass(frozen=True, slots=True)
class FactKey:
    """What a question can be led to: a subject and one of its predicates.

    Attributes:
        subject: A name.
        meaning: What tells it from others of that name, "" where nothing does.
        predicate: What is asked of it.
    """

    subject: str
    predicate: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class FactMatch:
    """One key of the base that a question was led to.

    Attributes:
        index: Of the key, in the order the base was built from.
        probability: Of the key among all keys under the model, 0..1.
    """

    index: int
    probability: float


@dataclass(frozen=True, slots=True)
class FactAnswer:
    """What came of one question.

    Attributes:
        matches: Best first.
        elapsed_seconds: Since the question reached the model.
        weights: Which weights answered.
    """

    matches: tuple[FactMatch, ...]
    elapsed_seconds: float
    weights: WeightsInfo


class FactTree(Protocol):
    """A base as a prefix tree over token ids; belongs to the finder that built it."""

    @property
    def num_keys(self) -> int:
        """Number of keys."""
        ...

    @property
    def num_nodes(self) -> int:
        """Number of nodes of the tree."""
        ...

    @property
    def size_bytes(self) -> int:
        """Bytes of its arrays."""
        ...


class FactFinder(Protocol):
    """Leads questions to keys of a base: every answer exists in it."""

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        ...

    def build_tree(self, keys: Sequence[FactKey]) -> FactTree:
        """Build the prefix tree of ``subject [SEP] predicate [SEP] meaning``.

        Raises:
            ModelError: ``unsupported`` where there is no key.
        """
        ...

    def find(self, question: str, tree: FactTree, *, num_return: int = 3) -> FactAnswer:
        """Return the keys that the question most probably asks for."""
        ...
