"""Bases of facts on the server: the sample one, and the few that visitors brought.

Changes when the page's rules for bases change. What a file may hold lies in
``demos.qa.facts_file``; knows no component.
"""

import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from app.aside import Aside
from app.batch import received
from app.runs import timely
from app.shelf import Shelf, await_model
from app.wiring import WEIGHTS, WEIGHTS_LABEL, WEIGHTS_LENGTH
from demos.errors import DemoError
from demos.files.bases import reading_base
from demos.limits import Advice
from demos.qa.facts import BaseFacts
from demos.qa.facts_file import base_of
from demos.qa.facts_held import SAMPLE_NAME, HeldBase
from model_core.interfaces import FACT_FINDER, FactFinder, FactTree

MAX_BASES = 4
MAX_TRIPLES_HELD = 2_000_000  # in all brought bases together
GATHER_SECONDS = 600.0  # until a file is read and its weights are there
SMALLER: Advice = ("请把文件拆小，或删去用不到的行", "split the file, or drop lines")
SAMPLE = ""  # the id of the base that everyone shares

FrameT = TypeVar("FrameT")
Stage = Literal["reading", "tree", "ready"]


class Bases:
    """Every base on the server by its id, which nobody can guess.

    Args:
        sample_lines: Returns the lines of the sample, a tsv; asked once, when needed.
    """

    def __init__(self, sample_lines: Callable[[], Iterable[str]]) -> None:
        self._sample_lines = sample_lines
        self._sample: HeldBase | None = None
        self._brought: OrderedDict[str, HeldBase] = OrderedDict()
        self._lock = threading.Lock()
        self._trees = Aside("tree")  # one at a time, as each takes memory

    def __len__(self) -> int:
        """Return the number of brought bases."""
        return len(self._brought)

    def open(self, base_id: str) -> HeldBase:
        """Return a base; the one that was opened longest ago is the next to go.

        Raises:
            DemoError: It is not there, or not any more.
        """
        with self._lock:
            if base_id == SAMPLE:
                return self._shared()
            if base_id not in self._brought:
                raise gone()
            self._brought.move_to_end(base_id)
            return self._brought[base_id]

    def keep(self, held: HeldBase, replaces: str = SAMPLE) -> str:
        """Take a base in, in the place of its owner's last one; return its id."""
        base_id = secrets.token_hex(16)
        with self._lock:
            self._brought.pop(replaces, None)
            self._brought[base_id] = held
            while self._overfull():
                self._brought.popitem(last=False)
        return base_id

    def drop(self, base_id: str) -> None:
        """Forget a base; one that is not there is fine."""
        with self._lock:
            self._brought.pop(base_id, None)

    def tree_of(
        self, held: HeldBase, finder: FactFinder, frame: FrameT
    ) -> Generator[FrameT, None, tuple[FactTree, BaseFacts]]:
        """Return a base's tree for a finder, yielding a frame while it is built.

        That of a large base takes many seconds; the sample's is built at once, however
        many visitors wait for theirs.
        """
        known = held.known_tree_of(finder)
        if known is not None:
            return known
        if held is self._sample:
            return held.tree_of(finder)
        return (yield from self._trees.take(lambda: held.tree_of(finder), frame))

    def _overfull(self) -> bool:
        triples = sum(held.base.num_triples for held in self._brought.values())
        too_many = len(self._brought) > MAX_BASES or triples > MAX_TRIPLES_HELD
        return too_many and len(self._brought) > 1

    def _shared(self) -> HeldBase:
        if self._sample is None:
            began = time.monotonic()
            base = base_of(self._sample_lines(), ".tsv")
            self._sample = HeldBase(SAMPLE_NAME, base, time.monotonic() - began)
        return self._sample


def gone() -> DemoError:
    """Return what is said of a base that is not there."""
    return DemoError(
        f"这个知识库已不在服务器上：自带的库最多同时留 {MAX_BASES} 个、共 "
        f"{MAX_TRIPLES_HELD} 个三元组，最久没用的先走。请重新建库，或改用示例库。",
        f"That base is no longer here: at most {MAX_BASES} brought ones are kept, with "
        f"{MAX_TRIPLES_HELD} triples in all, and the one not asked for longest goes "
        "first. Build it again, or use the sample base.",
    )


@dataclass(frozen=True, slots=True)
class Building:
    """A visitor's base on its way.

    Attributes:
        name: Of the file.
        stage: What is being done.
        num_lines: Read so far.
        base_id: Once it is ready.
        facts: Once it is ready.
    """

    name: str = ""
    stage: Stage = "reading"
    num_lines: int = 0
    base_id: str = ""
    facts: BaseFacts | None = None

    @property
    def at_once(self) -> bool:
        """Whether it is always shown: the tree may take long."""
        return self.stage == "tree"


@dataclass(frozen=True, slots=True)
class BaseQuestion:
    """What the build button asks: a file of triples in, a base that can be asked out.

    Attributes:
        shelf: The models.
        bases: Where the base is kept.
        folder: Where uploads arrive.
        seat: One base is built at a time.
        gather_seconds: How long it may take until the tree can be built.
        reading: Where files are read: to tell a large one's encoding takes seconds.
    """

    shelf: Shelf
    bases: Bases
    folder: Path
    seat: threading.Lock = field(default_factory=threading.Lock)
    name: str = "facts_base"
    inputs: tuple[str, ...] = ("upload", "base", WEIGHTS)
    advice: Advice = SMALLER
    gather_seconds: float = GATHER_SECONDS
    reading: Aside = field(default_factory=lambda: Aside("base"))

    @property
    def seconds(self) -> float:
        """No limit of the whole: a tree cannot be ended half-way, so a late one stays.

        What comes before the tree has a limit of its own.
        """
        return math.inf

    def num_tokens(self, _building: Building) -> int:
        """Return 0: nothing is written."""
        return 0

    def frames(self, values: Sequence[Any]) -> Generator[Building | None, None, None]:
        """Check the values, then yield how far the base is.

        Args:
            values: One per input, straight from the visitor; the base is the server's
                own record of the one that this visitor had before.

        Raises:
            DemoError: The file cannot be used, or another one is being built.
            DeadlineError: It took too long until the tree could be built.
            ModelError: The weights cannot be had.
        """
        upload, replaces, weights = values
        yield Building()  # what is shown must not be an earlier base's
        WEIGHTS_LENGTH.check(WEIGHTS_LABEL, weights)
        with self._seated():
            path = received(self.folder, upload)
            gathered = self._gathered(path, weights)
            held, finder = yield from timely(gathered, self.gather_seconds, self.advice)
            building = Building(path.name, "tree")
            _, facts = yield from self.bases.tree_of(held, finder, building)
            yield building  # Stop acts here, before the last base goes
            base_id = self.bases.keep(held, replaces)
            yield Building(path.name, "ready", base_id=base_id, facts=facts)

    def _gathered(
        self, path: Path, weights: str
    ) -> Generator[Building | None, None, tuple[HeldBase, FactFinder]]:
        """Return the base of a file and who builds its tree, yielding how far it is."""
        first = Building(path.name)
        held = yield from self.reading.follow(read_file(path), first)
        finder = yield from await_model(self.shelf, FACT_FINDER, weights)
        yield Building(path.name, "tree")
        return held, finder

    @contextmanager
    def _seated(self) -> Iterator[None]:
        if not self.seat.acquire(blocking=False):
            raise DemoError(
                "正有别的知识库在建，请过一会儿再试。",
                "Another base is being built: try again in a while.",
            )
        try:
            yield
        finally:
            self.seat.release()


def read_file(path: Path) -> Generator[Building, None, HeldBase]:
    """Return the base of a file, yielding how far it is.

    Raises:
        FileError: It is too large, of no known kind, or a line is wrong.
    """
    reading = reading_base(path, path.name)
    while True:
        try:
            num_lines = next(reading)
        except StopIteration as end:
            held: HeldBase = end.value
            return held
        yield Building(path.name, "reading", num_lines)
