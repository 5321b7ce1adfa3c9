"""Fetch a repository's files from the hub, verified: the only network code.

Changes with the hub's protocol or with the client library. Knows digests and bytes,
no tensor and no page.

A revision is resolved once: its commit and the digests that the hub's own file list
declares are recorded beside the files, and the record is what later starts use, with
no network; a record made of the cache alone counts only until the hub answers. Bytes
gather in a file named by their digest and enter the cache only when they match it, so
nobody ever reads half a file or a wrong one, and an interrupted download goes on where
it stopped, in this run or the next.

The requests are made with huggingface_hub's session, addresses, headers and errors.
Its own ``hf_hub_download`` (2.4) is not used for the bytes: it deletes what has arrived
when a connection breaks, checks sizes only, and holds the caller for 23 seconds to
6 minutes when the hub is unreachable.
"""

import concurrent.futures
import contextlib
import errno
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from model_core.checkpoints.hub_failures import failure
from model_core.checkpoints.hub_record import (
    COMMIT,
    DIGEST,
    HubFile,
    Record,
    RepoStore,
    choose_files,
    has_digest,
    is_weights,
    size_of,
)
from model_core.interfaces import ModelError

Progress = Callable[[int, int], None]
"""Called with (bytes here, bytes in all)."""
Cancelled = Callable[[], bool]
T = TypeVar("T")

PROBE_SECONDS = 3.0
"""A hub that has not answered by then is unreachable; name lookup included."""
LISTING_SECONDS = 10.0
"""Limit for the file list of a hub that has answered the probe."""
POLL_SECONDS = 0.1
RETRY_PAUSE_SECONDS = 0.5
DEFAULT_ENDPOINT = "https://huggingface.co"
DEFAULT_REVISION = "main"
MAX_SHOWN_FILES = 8

OWNER_AND_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,127}", re.ASCII)
MAX_REPO_ID_CHARS = 96
TRUE_WORDS = frozenset({"1", "ON", "YES", "TRUE"})

UNREACHED = ("network", "offline")
"""Kinds of failure after which what the cache holds is good enough."""
FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PARTIAL_CONTENT = 206
STATUS_ROWS = {401: "gated", 403: "gated", 404: "not_found"}
TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})

logger = logging.getLogger(__name__)


class DownloadCancelledError(Exception):
    """The caller's ``cancelled`` said so; what has arrived is kept for later."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A verified folder of one commit of a repository."""

    folder: Path
    commit: str
    repo_id: str


@dataclass(frozen=True, slots=True)
class Outline:
    """What a repository holds for a loader, asked before anything is downloaded.

    Attributes:
        repo_id: ``owner/name``.
        size_bytes: Of the files a loader needs.
        weights_bytes: Of the weights among them.
        num_parameters: Scalars, where the hub counts them; else 0.
        license: As the model's page states it, else "".
        is_here: Whether all of it is in the cache.
    """

    repo_id: str
    size_bytes: int
    weights_bytes: int
    num_parameters: int = 0
    license: str = ""
    is_here: bool = False


def check_repo_id(text: str) -> tuple[str, str | None]:
    """Split ``owner/name`` or ``owner/name@revision``.

    Returns:
        The repository, and the revision or None.

    Raises:
        ModelError: ``unsafe_name`` for an address, a path, ``..``, a backslash, more
            than one slash, other characters, or too long a name.
    """
    repo_id, at, revision = text.strip().partition("@")
    safe = (
        OWNER_AND_NAME.fullmatch(repo_id)
        and len(repo_id) <= MAX_REPO_ID_CHARS
        and not any(part in repo_id for part in ("..", "--"))
        and not repo_id.endswith((".git", "-", "."))
    )
    if not safe or (at and not _is_revision(revision)):
        raise failure("unsafe_name", repo=text)
    return repo_id, revision or None


class HubClient:
    """Brings repositories into the hub's own cache folder and vouches for their bytes.

    ``HF_ENDPOINT``, ``HF_TOKEN``, ``HF_HUB_OFFLINE`` and the variables of the cache
    folder mean what they mean to huggingface_hub; ``MASKPLAY_CACHE`` names another
    cache folder.
    """

    def __init__(self, cache_dir: Path | None = None, offline: bool = False) -> None:  # noqa: FBT001, FBT002 - a public name
        self.offline = offline or _is_set("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
        self.endpoint = (os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")
        named = cache_dir or os.environ.get("MASKPLAY_CACHE") or None
        self._cache_dir = None if named is None else Path(named).expanduser()

    @property
    def cache_dir(self) -> Path:
        """Folder of the cache; by default the one huggingface_hub would use."""
        if self._cache_dir is None:
            self._cache_dir = Path(_client().constants.HF_HUB_CACHE)
        return self._cache_dir

    def snapshot(
        self,
        repo_id: str,
        revision: str | None = None,
        *,
        on_progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Snapshot:
        """Return a folder with the files a loader needs, every one verified.

        The second call for the same revision needs no network and reads no file that
        has not changed.

        Args:
            repo_id: ``owner/name``, with or without ``@revision``.
            revision: Branch, tag or commit; the repository's main branch by default.
            on_progress: Told (bytes here, bytes in all), from another thread.
            cancelled: Asked several times a second; True ends the call.

        Raises:
            ModelError: unsafe_name, offline, not_found, gated, corrupt, disk, network
                or unsupported, each with what to do next.
            DownloadCancelledError: ``cancelled`` returned True.
        """
        repo_id, named = check_repo_id(repo_id)
        revision = revision or named or DEFAULT_REVISION
        if not _is_revision(revision):
            raise failure("unsafe_name", repo=f"{repo_id}@{revision}")
        meter = _Meter(on_progress, cancelled)
        store = RepoStore(self.cache_dir, repo_id)
        with self._typed_failures(repo_id):
            return _bounded(
                lambda: self._snapshot(store, revision, meter), cancelled=cancelled
            )

    def outline(self, repo_id: str, revision: str | None = None) -> Outline:
        """Return what would come down, without fetching it.

        Args:
            repo_id: ``owner/name``, with or without ``@revision``.
            revision: Branch, tag or commit; the repository's main branch by default.

        Raises:
            ModelError: What ``snapshot`` raises before its first byte.
        """
        repo_id, named = check_repo_id(repo_id)
        revision = revision or named or DEFAULT_REVISION
        store = RepoStore(self.cache_dir, repo_id)
        with self._typed_failures(repo_id):
            record = store.read_record(revision)
        if record is not None and not record.is_provisional:
            return _outline(record, None)
        try:
            with self._typed_failures(repo_id):
                info = self._probe(repo_id, revision)
                return _outline(self._list(repo_id, revision, str(info.sha)), info)
        except ModelError as error:
            if record is None or error.kind not in UNREACHED:
                raise
            return _outline(record, None)

    def _snapshot(self, store: RepoStore, revision: str, meter: "_Meter") -> Snapshot:
        recorded = store.read_record(revision)
        settled = None if recorded and recorded.is_provisional else recorded
        record = store.verified(settled or self._resolve(store, revision))
        if record.unverified:
            if settled:
                self._reach(record)
            self._download(store, record, meter)
            record = store.stamped(record)
        if record != recorded:
            _keep(store, record)
        meter.say(record.size_bytes, record.size_bytes)
        folder = store.snapshot_folder(record.commit)
        return Snapshot(folder, record.commit, store.repo_id)

    def _resolve(self, store: RepoStore, revision: str) -> Record:
        """Ask the hub what a revision is; the cache, where the hub cannot be asked."""
        try:
            with self._typed_failures(store.repo_id):
                return self._ask(store.repo_id, revision)
        except ModelError as error:
            if error.kind not in UNREACHED:
                raise
            cached = store.record_from_cache(revision)
            if cached is None or cached.unverified:
                raise
            logger.info("%s: files that another program fetched", store.repo_id)
            return cached

    def _ask(self, repo_id: str, revision: str) -> Record:
        return self._list(repo_id, revision, str(self._probe(repo_id, revision).sha))

    def _list(self, repo_id: str, revision: str, commit: str) -> Record:
        api = _client().HfApi(endpoint=self.endpoint)
        with self._answers_of_a_hub(repo_id):
            listing = _bounded(
                lambda: list(api.list_repo_tree(repo_id, revision=commit)),
                seconds=LISTING_SECONDS,
            )
            declared = {file.name: file for file in map(_declared, listing) if file}
        names = choose_files(declared)
        if not names:
            seen = ", ".join(sorted(declared)[:MAX_SHOWN_FILES]) or "—"
            raise failure("no_weights", repo=repo_id, detail=seen)
        files = tuple(declared[name] for name in names)
        return Record(repo_id, revision, commit, files)

    def _probe(self, repo_id: str, revision: str) -> Any:
        """Return what the hub says of a revision, or fail within ``PROBE_SECONDS``."""
        if self.offline:
            raise failure("offline", repo=repo_id)
        api = _client().HfApi(endpoint=self.endpoint)
        with self._answers_of_a_hub(repo_id), self._typed_failures(repo_id):
            info = _bounded(
                lambda: api.model_info(
                    repo_id, revision=revision, timeout=PROBE_SECONDS
                ),
                seconds=PROBE_SECONDS,
            )
            if not COMMIT.fullmatch(info.sha or ""):
                raise ValueError("the hub names no commit")
            return info

    def _reach(self, record: Record) -> None:
        """Find out quickly whether what a record lacks can be fetched again."""
        if self.offline:
            lacking = record.unverified[0].name
            raise failure("damaged", repo=record.repo_id, file=lacking)
        self._probe(record.repo_id, record.commit)

    def _download(self, store: RepoStore, record: Record, meter: "_Meter") -> None:
        """Bring every file that is not verified into the cache, small ones first."""
        missing = sorted(record.unverified, key=lambda file: file.size_bytes)
        self._check_room(store, missing)
        here = record.size_bytes - sum(file.size_bytes for file in missing)
        for file in missing:
            url = _client().hf_hub_url(
                record.repo_id,
                file.name,
                revision=record.commit,
                endpoint=self.endpoint,
            )
            transfer = _Transfer(url, file, meter, here, record.size_bytes)
            self._fetch(store, transfer)
            store.link(record.commit, file)
            here += file.size_bytes

    def _check_room(self, store: RepoStore, missing: Iterable[HubFile]) -> None:
        """Say before a long download that its end would not fit."""
        store.folder.mkdir(parents=True, exist_ok=True)
        needed = sum(store.bytes_to_come(file) for file in missing)
        free = shutil.disk_usage(store.folder).free
        if needed > free:
            detail = f" ({needed / 1e6:.1f} MB > {free / 1e6:.1f} MB)"
            raise failure(
                "disk_full", repo=store.repo_id, folder=self.cache_dir, detail=detail
            )

    def _fetch(self, store: RepoStore, transfer: "_Transfer") -> None:
        """Put one file's verified bytes into the cache; once more if they are wrong."""
        file = transfer.file
        blob, partial, lock = store.blob(file), store.partial(file), store.lock(file)
        for folder in (blob.parent, lock.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with _client().utils.WeakFileLock(lock):
            if has_digest(blob, file):
                return
            blob.unlink(missing_ok=True)
            for _ in range(2):
                self._receive(store.repo_id, transfer, partial)
                if has_digest(partial, file):
                    partial.replace(blob)
                    return
                partial.unlink()
                logger.warning("%s: %s came corrupt", store.repo_id, file.name)
        raise failure("corrupt", repo=store.repo_id, file=file.name)

    def _receive(self, repo_id: str, transfer: "_Transfer", partial: Path) -> None:
        """Fill a partial file to its declared size, going on after every break.

        A break is forgiven as long as bytes arrive; without progress, once.
        """
        furthest = -1
        while broken := transfer.attempt(partial):
            reached = size_of(partial)
            if reached <= furthest:
                raise self._typed(repo_id, broken, "interrupted") from broken
            furthest = reached
            logger.info("%s: going on at byte %d: %s", repo_id, reached, broken)
            time.sleep(RETRY_PAUSE_SECONDS)

    @contextlib.contextmanager
    def _typed_failures(self, repo_id: str) -> Iterator[None]:
        """Turn what the network, the client and the disk raise into ``ModelError``."""
        try:
            yield
        except _foreign() as error:
            raise self._typed(repo_id, error, "unreachable") from error

    @contextlib.contextmanager
    def _answers_of_a_hub(self, repo_id: str) -> Iterator[None]:
        """Name the cause where an answer cannot be read: a gateway, a proxy."""
        try:
            yield
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, _foreign()):
                raise
            raise failure("not_a_hub", repo=repo_id, endpoint=self.endpoint) from error

    def _typed(self, repo_id: str, error: Exception, otherwise: str) -> ModelError:
        row, detail = _row_of(error, otherwise)
        return failure(
            row,
            repo=repo_id,
            endpoint=self.endpoint,
            folder=self.cache_dir,
            detail=detail,
        )


@dataclass(frozen=True, slots=True)
class _Meter:
    """Tells the caller where the bytes are, and hears whether to go on."""

    on_progress: Progress | None
    cancelled: Cancelled | None

    def say(self, here_bytes: int, total_bytes: int) -> None:
        if self.cancelled and self.cancelled():
            raise DownloadCancelledError
        if self.on_progress:
            self.on_progress(here_bytes, total_bytes)


@dataclass(frozen=True, slots=True)
class _Transfer:
    """One file on its way: where from, what it must be, what is here before it."""

    url: str
    file: HubFile
    meter: _Meter
    here_bytes: int
    total_bytes: int

    def attempt(self, partial: Path) -> Exception | None:
        """Append to the partial file; return what broke off, None at full size.

        Raises:
            OSError: The disk cannot take it (what has arrived is given up, so that a
                full disk does not stay full), or the hub refuses for good.
        """
        try:
            with partial.open("ab") as stream:
                self._stream(stream, self._wind(stream))
        except _breaks() as error:
            status = _status_of(error)
            if status and status not in TRANSIENT_STATUS:
                raise
            return error
        except OSError as error:
            if error.errno in FULL_DISK:
                partial.unlink(missing_ok=True)
            raise
        arrived = size_of(partial)
        if arrived < self.file.size_bytes:
            return EOFError(f"{arrived} of {self.file.size_bytes} bytes")
        return None

    def _wind(self, stream: BinaryIO) -> int:
        """Return where to go on; more than the file should hold is no start."""
        position = stream.seek(0, os.SEEK_END)
        if position > self.file.size_bytes:
            position = stream.truncate(0)
        return position

    def _stream(self, stream: BinaryIO, position: int) -> None:
        self.meter.say(self.here_bytes + position, self.total_bytes)
        if position == self.file.size_bytes:
            return
        utils = _client().utils
        headers = {**utils.build_hf_headers(), "accept-encoding": "identity"}
        if position:
            headers["range"] = f"bytes={position}-"
        with utils.get_session().stream(
            "GET", self.url, headers=headers, timeout=_timeouts(), follow_redirects=True
        ) as response:
            utils.hf_raise_for_status(response)
            if position and response.status_code != PARTIAL_CONTENT:
                position = stream.truncate(0)
            for chunk in response.iter_bytes():
                stream.write(chunk)
                position += len(chunk)
                if position > self.file.size_bytes:
                    return
                self.meter.say(self.here_bytes + position, self.total_bytes)


def _client() -> Any:
    """Return huggingface_hub, imported on first use: nobody waits for it at start.

    Its telemetry is off: it would ask the hub for a list of programs (and wait for it)
    to name one in every request.
    """
    import huggingface_hub.constants  # noqa: PLC0415 - half a second, on first use
    import huggingface_hub.errors  # noqa: PLC0415
    import huggingface_hub.utils  # noqa: PLC0415

    huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True
    return huggingface_hub


def _breaks() -> tuple[type[Exception], ...]:
    """Return what the client raises when a transfer ends before its time."""
    import httpx2  # noqa: PLC0415 - huggingface_hub's HTTP client

    return (httpx2.TransportError, _client().errors.HfHubHTTPError)


def _foreign() -> tuple[type[Exception], ...]:
    """Return every family of exception that the client and the disk may raise."""
    import httpx2  # noqa: PLC0415 - huggingface_hub's HTTP client

    return (OSError, EOFError, httpx2.HTTPError, httpx2.InvalidURL)


def _row_of(error: Exception, otherwise: str) -> tuple[str, str]:
    """Return (row of ``FAILURES``, detail) of a foreign exception.

    Args:
        error: What was raised.
        otherwise: Row for a failure of the network that has no row of its own.
    """
    errors = _client().errors
    rows = (
        (errors.OfflineModeIsEnabled, "offline"),
        (errors.GatedRepoError, "gated"),
        (errors.DisabledRepoError, "gated"),
        (errors.RevisionNotFoundError, "no_revision"),
        (errors.RepositoryNotFoundError, "not_found"),
    )
    named = next((row for kind, row in rows if isinstance(error, kind)), None)
    if named:
        return named, ""
    if status := _status_of(error):
        return STATUS_ROWS.get(status, "status"), f"HTTP {status}"
    if isinstance(error, ConnectionError | TimeoutError) or not getattr(
        error, "errno", 0
    ):
        return otherwise, type(error).__name__
    return _disk_row(error)


def _disk_row(error: Exception) -> tuple[str, str]:
    number = getattr(error, "errno", 0)
    if number in FULL_DISK:
        return "disk_full", ""
    return "unwritable", os.strerror(number)


def _status_of(error: Exception) -> int:
    """Return the HTTP status behind an exception, 0 where there is none."""
    return int(getattr(getattr(error, "response", None), "status_code", 0))


def _timeouts() -> tuple[float, float, float, float]:
    """Return seconds to (connect, read, write, wait for a free connection)."""
    stalled = float(_client().constants.HF_HUB_DOWNLOAD_TIMEOUT)
    return (PROBE_SECONDS, stalled, stalled, stalled)


def _outline(record: Record, info: Any) -> Outline:
    """Return a record's sizes, and what the hub says beside them if it was asked."""
    weights = sum(file.size_bytes for file in record.files if is_weights(file.name))
    card = getattr(info, "card_data", None) or {}
    license_name = card.get("license")
    return Outline(
        repo_id=record.repo_id,
        size_bytes=record.size_bytes,
        weights_bytes=weights,
        num_parameters=int(getattr(getattr(info, "safetensors", None), "total", 0)),
        license=license_name if isinstance(license_name, str) else "",
        is_here=not record.unverified,
    )


def _declared(entry: Any) -> HubFile | None:
    """Return a file of the hub's list with its digest; None for a folder.

    Raises:
        ValueError: The list declares no digest that could be one.
    """
    if not hasattr(entry, "blob_id"):
        return None
    large = entry.lfs
    digest = f"sha256:{large.sha256}" if large else f"git-sha1:{entry.blob_id}"
    if not DIGEST.fullmatch(digest):
        raise ValueError("the hub declares no digest")
    return HubFile(entry.path, int(large.size if large else entry.size), digest)


def _keep(store: RepoStore, record: Record) -> None:
    """Write the record; a cache that cannot be written still serves this start."""
    try:
        store.write_record(record)
    except OSError as error:
        logger.warning("%s: record not kept: %s", store.repo_id, error)


def _bounded(
    work: Callable[[], T],
    *,
    seconds: float | None = None,
    cancelled: Cancelled | None = None,
) -> T:
    """Run ``work`` and return its result, without waiting longer than told.

    A name lookup or a stalled server cannot be interrupted, so the work runs in a
    thread that is left to end by itself.

    Raises:
        TimeoutError: The time is up.
        DownloadCancelledError: ``cancelled`` returned True.
    """
    if seconds is None and cancelled is None:
        return work()
    future: concurrent.futures.Future[T] = concurrent.futures.Future()
    threading.Thread(target=_settle, args=(future, work), daemon=True).start()
    deadline = time.monotonic() + (seconds or float("inf"))
    while not concurrent.futures.wait([future], timeout=POLL_SECONDS).done:
        if cancelled and cancelled():
            raise DownloadCancelledError
        if time.monotonic() > deadline:
            raise TimeoutError(f"no answer within {seconds} s")
    return future.result()


def _settle(future: "concurrent.futures.Future[T]", work: Callable[[], T]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - the waiting thread raises it
        future.set_exception(error)
    else:
        future.set_result(result)


def _is_revision(text: str) -> bool:
    """Return whether a revision stays inside its folder and inside its address."""
    climbs = ".." in text or "//" in text or text.endswith("/")
    return bool(REVISION.fullmatch(text)) and not climbs


def _is_set(*variables: str) -> bool:
    return any(os.environ.get(name, "").upper() in TRUE_WORDS for name in variables)
