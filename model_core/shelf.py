"""The shelf of models: load once, report the state, hand out Protocols, release.

Changes with the life of weights in a process. Knows where weights come from and that
they load; the framework is imported by the loader, in the shelf's own thread. No
foreign exception leaves this file.

    absent -> waiting -> downloading -> loading -> ready
       ^         |            |            |         |
       +---------+--- unload -+------------+---------+     any failure -> failed
"""

import contextlib
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar, cast

from model_core.catalog import (
    CARDS,
    DEFAULT_WEIGHTS,
    TASK_OF_ROLE,
    cards_for,
    facts_of,
)
from model_core.catalog.card import ModelCard
from model_core.catalog.sizes import num_parameters
from model_core.checkpoints.hub import DownloadCancelledError, HubClient
from model_core.checkpoints.load_failures import load_failure, refusal
from model_core.checkpoints.needs import count_parameters
from model_core.engines.framework import prepare_backend
from model_core.engines.registry import AUTO as ENGINE_AUTO
from model_core.engines.registry import ENGINES, check_engine
from model_core.interfaces import (
    SUMMARIZER,
    TEXT_REWRITER,
    ModelError,
    ModelFacts,
    ModelState,
    ModelStatus,
    Player,
    Role,
)
from model_core.memory import budget_bytes, give_back, weights_bytes
from model_core.roles.composed_summarizer import ComposedSummarizer
from model_core.sources import (
    EMBEDDED,
    EMBEDDED_SOURCE,
    KNOWN,
    TASK,
    Source,
    asked,
    check_part,
    find_folder,
    find_remote,
    pooling_of,
    told,
    turns_of,
)

ModelT = TypeVar("ModelT")

AUTO, HUB = "auto", "hub"

FIRST_COME_SECONDS = 3.0
"""Before a rehearsal: who waited for the weights asks at once, and is alone then."""
MAX_WAITING = 8
"""Models that may wait for the one worker."""
MAX_STRANGERS = 32
"""Names outside the catalogue that the shelf remembers."""
CLOSE_SECONDS = 10.0
"""How long a closing shelf waits for its worker: a process that ends while a thread
is inside the framework is aborted."""
ON_THE_WAY: tuple[ModelStatus, ...] = ("waiting", "downloading", "loading")
MEGABYTE = 1_000_000
GIGABYTE = 1_000_000_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShelfSettings:
    """What the person who starts the program decides about models.

    Attributes:
        weights: ``auto`` and ``hub`` want the tab's hub weights, ``embedded`` none and
            no network; otherwise the name of the weights wanted.
        engine: ``auto`` or a name in the engines' registry.
        offline: Use what is on this machine, never the network.
        cache_dir: Where downloads are kept; None follows the hub client's rules.
        allow_local: Accept a folder as a name (from a terminal, never from a page).
        dtype: ``auto`` or a Keras dtype policy.
        memory_bytes: How much memory weights of the hub or of folders may take
            together, the embedded ones apart; None for half of the machine's.
        rehearse: Play every part of the embedded weights once, so that nobody waits
            for a first time; not worth it where one question is asked.
    """

    weights: str = AUTO
    engine: str = "auto"
    offline: bool = False
    cache_dir: Path | None = None
    allow_local: bool = False
    dtype: str = "auto"
    memory_bytes: int | None = None
    rehearse: bool = True


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a model answers, and why not yet."""

    ready: bool
    zh: str
    en: str


Loader = Callable[[Path, Source, str, ShelfSettings], Player]
"""Turns (folder, source, commit, settings) into a player; may take seconds."""
Counter = Callable[[Path], int]
"""Tells how many parameters a folder's weights have, without loading them."""


def load_player(
    folder: Path, source: Source, commit: str, settings: ShelfSettings
) -> Player:
    """Load weights from a folder, ready for every part they can play.

    Importing the framework takes seconds, so it is done here, in the worker's thread.

    Raises:
        ModelError: ``missing_head`` for weights that can play no part at all.
    """
    prepare_backend(settings.engine, settings.dtype)
    from model_core.engines.automatic import playing_dtype  # noqa: PLC0415
    from model_core.engines.native.library import build_in_background  # noqa: PLC0415

    build_in_background()
    from model_core.roles.cast import Cast  # noqa: PLC0415
    from model_core.roles.loaded import load_model  # noqa: PLC0415

    loaded = load_model(
        folder,
        name=source.name,
        commit=commit,
        engine=settings.engine,
        dtype=playing_dtype(settings.dtype, settings.engine),
        turns=turns_of(source),
        pooling=pooling_of(source),
    )
    cast = Cast(loaded)
    if not cast.roles:
        heads = ", ".join(loaded.engine.heads) or "-"
        raise refusal("no_use", name=source.name, heads=heads)
    cast.warm_up()
    return cast


@dataclass(eq=False, slots=True)
class Slot:
    """One place on the shelf. Changed only under the shelf's lock.

    Attributes:
        source: Whose place it is.
        status: Where the weights are on their way.
        ticket: Identifies the load in progress; another one means it was given up.
        last_used: Counts up over the shelf, for the least recently used.
    """

    source: Source
    status: ModelStatus = "absent"
    downloaded_bytes: int = 0
    total_bytes: int = 0
    failure: ModelError | None = None
    player: Player | None = None
    ticket: threading.Event | None = None
    last_used: int = 0

    def become(
        self,
        status: ModelStatus,
        *,
        player: Player | None = None,
        failure: ModelError | None = None,
    ) -> None:
        """Enter a state; what belonged to the one before is gone."""
        self.status, self.player, self.failure = status, player, failure
        self.downloaded_bytes = self.total_bytes = 0

    @property
    def state(self) -> ModelState:
        """What the panel shows."""
        return ModelState(
            name=self.source.name,
            title=self.source.title,
            status=self.status,
            downloaded_bytes=self.downloaded_bytes,
            total_bytes=self.total_bytes,
            failure=self.failure,
            info=self.player.weights if self.player else None,
        )


@dataclass(frozen=True, slots=True)
class Job:
    """One load for the worker; given up once its ticket is set."""

    slot: Slot
    ticket: threading.Event = field(default_factory=threading.Event)


class ModelShelf:
    """Every model of the process. All methods may be called from any thread."""

    def __init__(
        self,
        settings: ShelfSettings,
        *,
        hub: HubClient | None = None,
        loader: Loader | None = None,
        counter: Counter | None = None,
    ) -> None:
        """Prepare the shelf; nothing loads before ``start`` or a request.

        Raises:
            ModelError: ``settings.weights`` names nothing that could be loaded, or
                ``settings.engine`` no engine.
        """
        _check_engine(settings.engine)
        self._settings = settings
        self._hub = hub or HubClient(settings.cache_dir, offline=settings.offline)
        self._loader = loader or load_player
        self._counter = counter or count_parameters
        self._budget_bytes = settings.memory_bytes or budget_bytes()
        self._changed = threading.Condition()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._uses = itertools.count(1)
        self._worker: threading.Thread | None = None
        self._closed = False
        self._slots = {source: Slot(source) for source in KNOWN}
        self._wanted = self._find(settings.weights)
        self._slot(self._wanted)

    def start(self) -> None:
        """Load in the background: the embedded weights, then those of the profile."""
        with self._changed:
            for source in (EMBEDDED_SOURCE, self._wanted):
                if self._slots[source].status == "absent":
                    self._begin(self._slots[source])

    def readiness(self) -> Readiness:
        """Tell whether a model answers; before that, why not."""
        with self._changed:
            slots = tuple(self._slots.values())
            embedded = self._slots[EMBEDDED_SOURCE]
            if any(slot.status == "ready" for slot in slots):
                return Readiness(ready=True, zh="可以使用。", en="Ready.")
            if embedded.failure:
                return Readiness(
                    ready=False, zh=embedded.failure.zh, en=embedded.failure.en
                )
            error = _not_ready(embedded)
            return Readiness(ready=False, zh=error.zh, en=error.en)

    def states(self) -> tuple[ModelState, ...]:
        """Return a line for every model: embedded, catalogue, then others."""
        with self._changed:
            return tuple(slot.state for slot in self._slots.values())

    def cards(self, task: str) -> tuple[ModelCard, ...]:
        """Return the catalogue of a task, its default first."""
        return cards_for(task)

    def catalogue(self) -> tuple[ModelFacts, ...]:
        """Return what is known of every card that a tab offers, in display order."""
        rows = (facts_of(card) for card in CARDS if card.tasks)
        return tuple(replace(row, budget_bytes=self._budget_bytes) for row in rows)

    def describe(self, name: str) -> ModelFacts:
        """Return what is known of weights before they come.

        The hub is asked for those that are not in the catalogue; nothing but its file
        list comes down.

        Raises:
            ModelError: unknown_weights or unsafe_name; and what asking the hub raises.
        """
        with self._changed:
            source = self._find(name)
        facts = told(source) or asked(source, self._hub, self._settings.dtype)
        return replace(facts, budget_bytes=self._budget_bytes)

    def load(self, name: str) -> None:
        """Begin to load weights; also the way to try again after a failure.

        Raises:
            ModelError: unknown_weights, unsafe_name, missing_head, offline or busy, at
                once; what goes wrong later is in ``states``.
        """
        with self._changed:
            slot = self._slot(self._find(name))
            if slot.status in ("absent", "failed"):
                self._begin(slot)

    def unload(self, name: str) -> None:
        """Release weights, or give up their download; what runs keeps its reference.

        Raises:
            ModelError: unknown_weights or unsafe_name; busy for the embedded ones,
                which answer for everybody until others are there.
        """
        with self._changed:
            source = self._find(name)
            if source is EMBEDDED_SOURCE:
                raise refusal("stays")
            slot = self._slots.get(source)
            if slot is not None:
                self._release(slot)

    def model(
        self, role: Role[ModelT], weights: str = AUTO, *, timeout_seconds: float = 60.0
    ) -> ModelT:
        """Return weights in a part, waiting while they load.

        ``auto`` is the profile's weights, or those that the part's tab prefers, once
        they are ready and can play it, and the embedded ones until then; a name is
        these weights or an error. Weights that nobody has asked for yet begin to load;
        those that failed do not, ``load`` tries them again.

        Raises:
            ModelError: not_ready with the progress, when the time is up; missing_head
                where the weights cannot play the part; what ``load`` raises; the
                failure of the weights, or of the part, which is built when it is first
                asked for.
        """
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            slot = self._choose(role, weights)
            if slot.status == "absent":
                self._begin(slot)
            while slot.player is None:
                remaining = deadline - time.monotonic()
                _check_coming(slot, remaining)
                self._changed.wait(remaining)
                slot = self._choose(role, weights)
            slot.last_used = next(self._uses)
            player, embedded = slot.player, self._slots[EMBEDDED_SOURCE].player
        return _played(role, player, embedded)

    def close(self) -> None:
        """Give up what is on its way and release everything."""
        with self._changed:
            self._closed = True
            for slot in tuple(self._slots.values()):
                self._release(slot)
            worker = self._worker
        self._jobs.put(None)
        if worker is not None:
            worker.join(CLOSE_SECONDS)

    # Names. Callers hold the lock.

    def _choose(self, role: Role[ModelT], weights: str) -> Slot:
        """Return the slot that should answer now."""
        if weights.strip() != AUTO:
            meant = _hub_weights(role) if weights.strip() == HUB else weights
            source = self._find(meant)
            check_part(source, role)
            return self._slot(source)
        for source in (self._wanted, *_preferred(role)):
            slot = self._slots.get(source)
            if slot and slot.player and role.name in slot.player.roles:
                return slot
        wanted, embedded = self._slots[self._wanted], self._slots[EMBEDDED_SOURCE]
        only_hope = embedded.status == "failed" and wanted.status in ON_THE_WAY
        return wanted if only_hope else embedded

    def _find(self, name: str) -> Source:
        """Return where named weights come from.

        Raises:
            ModelError: The name is unknown, unsafe or not allowed here.
        """
        name = self._meant(name.strip())
        if name == EMBEDDED:
            return EMBEDDED_SOURCE
        folder = find_folder(name) if self._settings.allow_local else None
        if folder is not None:
            return Source(folder.name, folder.name, folder)
        source = find_remote(name)
        if self._settings.weights == EMBEDDED:
            raise refusal("only_embedded", name=source.name)
        return source

    def _meant(self, name: str) -> str:
        """Return the name that ``auto`` and ``hub`` stand for under this profile."""
        profile = self._settings.weights
        if name == HUB or (name == AUTO and profile in (AUTO, HUB)):
            return DEFAULT_WEIGHTS[TASK]
        return profile if name == AUTO else name

    def _slot(self, source: Source) -> Slot:
        """Return the source's place, making one where there is none."""
        if source not in self._slots:
            self._make_place()
            self._slots[source] = Slot(source)
        return self._slots[source]

    def _make_place(self) -> None:
        """Forget the oldest name outside the catalogue that holds nothing."""
        kept = {*KNOWN, self._wanted}
        strangers = [source for source in self._slots if source not in kept]
        if len(strangers) < MAX_STRANGERS:
            return
        for source in strangers:
            if self._slots[source].status in ("absent", "failed"):
                del self._slots[source]
                return
        raise refusal("busy")

    # The way of one model. Callers hold the lock.

    def _begin(self, slot: Slot) -> None:
        if self._closed:
            raise refusal("closed")
        waiting = sum(slot.status == "waiting" for slot in self._slots.values())
        if waiting >= MAX_WAITING:
            raise refusal("busy")
        job = Job(slot)
        slot.become("waiting")
        slot.ticket = job.ticket
        self._jobs.put(job)
        if self._worker is None:
            self._worker = threading.Thread(
                target=self._work, name="model-shelf", daemon=True
            )
            self._worker.start()
        self._changed.notify_all()

    def _release(self, slot: Slot) -> None:
        if slot.ticket is not None:
            slot.ticket.set()
        slot.ticket = None
        slot.become("absent")
        self._changed.notify_all()

    def _make_room(self, needed_bytes: int) -> None:
        """Release the least recently used models until one more may come."""
        held = [
            (slot, slot.player.weights.size_bytes)
            for source, slot in self._slots.items()
            if slot.player is not None and source is not EMBEDDED_SOURCE
        ]
        held.sort(key=lambda one: one[0].last_used)
        taken_bytes = needed_bytes + sum(size for _, size in held)
        for slot, size in held:
            if taken_bytes <= self._budget_bytes:
                return
            taken_bytes -= size
            logger.info("%s is released: room for another", slot.source.name)
            self._release(slot)

    def _check_fits(self, name: str, num_parameters: int) -> int:
        """Return the memory that weights need.

        Raises:
            ModelError: ``memory`` where they alone are more than all may take.
        """
        needed = weights_bytes(num_parameters, self._settings.dtype)
        if needed > self._budget_bytes:
            raise refusal(
                "too_large",
                name=name,
                needed=f"{needed / GIGABYTE:.1f} GB",
                budget=f"{self._budget_bytes / GIGABYTE:.1f} GB",
            )
        return needed

    # The worker's thread

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._carry_out(job)
            give_back()

    def _carry_out(self, job: Job) -> None:
        source = job.slot.source
        try:
            folder, commit = self._fetch(job)
            needed_bytes = self._needed_bytes(source, folder)
            with self._step(job):
                self._make_room(needed_bytes)
                job.slot.become("loading")
            player = self._loader(folder, source, commit, self._settings)
            with self._step(job):
                job.slot.last_used = next(self._uses)
                job.slot.become("ready", player=player)
            if source is EMBEDDED_SOURCE and self._settings.rehearse:
                job.ticket.wait(FIRST_COME_SECONDS)
                player.rehearse(job.ticket.is_set)
        except DownloadCancelledError:
            logger.info("%s is given up", source.name)
        except Exception as error:  # noqa: BLE001 - every one becomes a sentence
            failure = load_failure(error, source.name)
            with contextlib.suppress(DownloadCancelledError), self._step(job):
                job.slot.become("failed", failure=failure)

    def _fetch(self, job: Job) -> tuple[Path, str]:
        """Return (folder, commit) of a job's weights, downloading them if need be."""
        source = job.slot.source
        if source.folder is not None:
            return source.folder, ""
        self._check_fits(source.name, num_parameters(source.repo_id))
        with self._step(job):
            job.slot.become("downloading")

        def tell(here: int, total: int) -> None:
            with self._step(job):
                job.slot.downloaded_bytes, job.slot.total_bytes = here, total

        snapshot = self._hub.snapshot(
            source.repo_id,
            source.revision,
            on_progress=tell,
            cancelled=job.ticket.is_set,
        )
        return snapshot.folder, snapshot.commit

    def _needed_bytes(self, source: Source, folder: Path) -> int:
        """Return the memory that a folder's weights need; 0 for the embedded ones.

        Raises:
            ModelError: ``memory`` where they are more than all may take.
        """
        if source is EMBEDDED_SOURCE:
            return 0
        try:
            count = self._counter(folder)
        except (ValueError, OSError):
            return 0  # the loader says why, in full
        return self._check_fits(source.name, count)

    @contextlib.contextmanager
    def _step(self, job: Job) -> Iterator[None]:
        """Hold the lock for one change of a job's slot, unless it was given up.

        Raises:
            DownloadCancelledError: The slot is no longer this job's.
        """
        with self._changed:
            if job.slot.ticket is not job.ticket:
                raise DownloadCancelledError
            yield
            self._changed.notify_all()


def _check_engine(name: str) -> None:
    try:
        check_engine(name)
    except ValueError as error:
        known = ", ".join((ENGINE_AUTO, *ENGINES))
        raise ModelError(
            "unsupported",
            f"没有名为“{name}”的引擎，可选：{known}。",
            f"There is no engine “{name}”; there are: {known}.",
        ) from error


def _hub_weights(role: Role[ModelT]) -> str:
    """Return what ``hub`` stands for in a part: its tab's weights, else ``hub``."""
    return DEFAULT_WEIGHTS.get(TASK_OF_ROLE.get(role.name, ""), HUB)


def _preferred(role: Role[ModelT]) -> tuple[Source, ...]:
    """Return the weights that a part's tab uses when nobody chooses."""
    name = DEFAULT_WEIGHTS.get(TASK_OF_ROLE.get(role.name, ""))
    return (find_remote(name),) if name else ()


def _played(role: Role[ModelT], player: Player, embedded: Player | None) -> ModelT:
    """Return a player in a part; one that only writes summarises with our own.

    Raises:
        ModelError: ``missing_head`` where the weights cannot play the part; what
            building it fails with.
    """
    alone = role.name in player.roles or role.name != SUMMARIZER.name
    if alone or embedded is None or TEXT_REWRITER.name not in player.roles:
        return _part(player, role)
    summarizer = ComposedSummarizer(
        _part(embedded, SUMMARIZER), _part(player, TEXT_REWRITER)
    )
    return cast("ModelT", summarizer)


def _part(player: Player, role: Role[ModelT]) -> ModelT:
    """Return a player in a part; what building it raises becomes a sentence."""
    try:
        return player.play(role)
    except ModelError:
        raise
    except Exception as error:
        raise load_failure(error, player.weights.name) from error


def _check_coming(slot: Slot, remaining_seconds: float) -> None:
    """Raise where waiting for a slot makes no sense any more."""
    if slot.failure is not None:
        failure = slot.failure
        raise ModelError(failure.kind, failure.zh, failure.en)
    if slot.status == "absent" or remaining_seconds <= 0:
        raise _not_ready(slot)


def _not_ready(slot: Slot) -> ModelError:
    return refusal(
        slot.status,
        title=slot.source.title,
        here=slot.downloaded_bytes // MEGABYTE,
        total=slot.total_bytes // MEGABYTE,
    )
