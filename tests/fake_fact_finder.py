"""A FactFinder that goes by shared characters: what the facts' tests run on."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from model_core.interfaces import (
    FactAnswer,
    FactKey,
    FactMatch,
    FactTree,
    WeightsInfo,
)
from tests.fakes import EMBEDDED


@dataclass(frozen=True)
class FakeFactTree:
    """Keeps the keys as they came."""

    keys: tuple[FactKey, ...]

    @property
    def num_keys(self) -> int:
        return len(self.keys)

    @property
    def num_nodes(self) -> int:
        return 1 + len({text[:n] for text in self._texts for n in range(1, len(text))})

    @property
    def size_bytes(self) -> int:
        return 8 * self.num_nodes

    @property
    def _texts(self) -> list[str]:
        return [f"{k.subject}/{k.predicate}/{k.meaning}/" for k in self.keys]


@dataclass
class FakeFactFinder:
    """Ranks keys by the share of their characters that the question holds.

    ``built`` counts the trees; ``asked`` keeps (question, num_return); building takes
    ``build_seconds``.
    """

    weights: WeightsInfo = EMBEDDED
    build_seconds: float = 0.0
    built: int = 0
    asked: list[tuple[str, int]] = field(default_factory=list)

    def build_tree(self, keys: Sequence[FactKey]) -> FactTree:
        """Keep the keys."""
        time.sleep(self.build_seconds)
        self.built += 1
        return FakeFactTree(tuple(keys))

    def find(self, question: str, tree: FactTree, *, num_return: int = 3) -> FactAnswer:
        """Return the keys that share most with the question; shares sum to one."""
        assert isinstance(tree, FakeFactTree)
        self.asked.append((question, num_return))
        scores = [_score(question, key) for key in tree.keys]
        total = sum(scores)
        ranked = sorted(range(len(scores)), key=lambda n: (-scores[n], n))
        matches = tuple(FactMatch(n, scores[n] / total) for n in ranked[:num_return])
        return FactAnswer(matches, 0.01, self.weights)


def _score(question: str, key: FactKey) -> float:
    score = 4.0 ** (key.subject in question) * 4.0 ** (key.predicate in question)
    return score * 1.5 ** (bool(key.meaning) and key.meaning in question)
