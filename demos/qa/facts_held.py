"""A base of facts with the prefix tree that its last weights built of it.

Changes when what is kept beside a base changes. Knows no file and no page.
"""

import threading
import time
from dataclasses import dataclass, field

from demos.qa.facts import BaseFacts, facts_of
from demos.qa.facts_base import KnowledgeBase
from model_core.interfaces import FactFinder, FactTree, WeightsInfo

SAMPLE_NAME = "示例库 sample"


@dataclass(slots=True, eq=False)
class HeldBase:
    """A base with the prefix tree of the weights that last asked it.

    Attributes:
        name: For people.
        base: The facts.
        read_seconds: How long it took to read them.
    """

    name: str
    base: KnowledgeBase
    read_seconds: float
    _built: tuple[WeightsInfo, FactTree, BaseFacts] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tree_of(self, finder: FactFinder) -> tuple[FactTree, BaseFacts]:
        """Return the tree of a finder's weights, built where there is none yet."""
        with self._lock:  # one builds, the others wait for it
            known = self.known_tree_of(finder)
            if known is not None:
                return known
            self._built = None  # two trees at once would double the memory
            tree, facts = self._build(finder)
            self._built = finder.weights, tree, facts
            return tree, facts

    def known_tree_of(self, finder: FactFinder) -> tuple[FactTree, BaseFacts] | None:
        """Return that tree where there is one already; nobody is waited for."""
        built = self._built
        return built[1:] if built and built[0] == finder.weights else None

    def _build(self, finder: FactFinder) -> tuple[FactTree, BaseFacts]:
        began = time.monotonic()
        tree = finder.build_tree(self.base.keys)
        seconds = self.read_seconds + time.monotonic() - began
        return tree, facts_of(self.name, self.base, tree, seconds)
