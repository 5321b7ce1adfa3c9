"""What a hub repository's files must be, and where they lie in the hub's own cache.

Changes with the set of files a loader needs or with the cache's layout. Reads and
writes files, knows no network.

The layout is that of huggingface_hub, so that either finds what the other fetched:

    <cache>/models--owner--name/blobs/<digest>                 the bytes
                               /snapshots/<commit>/<file>      links to them
                               /refs/<revision>                a commit
                               /.maskplay/<revision>.json      our record
"""

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

COMMIT = re.compile(r"[0-9a-f]{40}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|git-sha1:[0-9a-f]{40}")

CONFIG_FILES = ("config.json", "bert_config.json")
"""The first of these that a repository has."""
TEXT_FILES = (
    "vocab.txt",
    "tokenizer_config.json",
    "tokenizer.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "generation_config.json",
)
"""All of these that a repository has."""
WEIGHT_FORMATS: tuple[tuple[str, re.Pattern[str] | None], ...] = (
    ("model.safetensors", re.compile(r"model-(\d{5})-of-(\d{5})\.safetensors")),
    ("pytorch_model.bin", re.compile(r"pytorch_model-(\d{5})-of-(\d{5})\.bin")),
    ("tf_model.h5", None),
)
"""Whole file and shards, where they are read, of each format, the preferred first."""
RECORD_FORMAT = 1
SHA256_DIGITS = 64
UNVERIFIED = -1
READ_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file as the hub declares it.

    Attributes:
        name: File name at the root of the repository.
        size_bytes: Declared size.
        digest: ``sha256:…`` for large files, ``git-sha1:…`` (a git blob) for small.
        mtime_ns: Modification time of the bytes when they were last verified;
            ``UNVERIFIED`` before, and where they are absent or wrong.
    """

    name: str
    size_bytes: int
    digest: str
    mtime_ns: int = UNVERIFIED

    @property
    def blob_name(self) -> str:
        """Name of the bytes in the cache: the bare digest, as the hub's client does."""
        return self.digest.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Record:
    """A revision resolved once: its commit and its files with their digests.

    Attributes:
        repo_id: ``owner/name``.
        revision: Branch, tag or commit that was asked for.
        commit: What it is.
        files: Those that a loader needs.
        is_provisional: Whether the cache alone was asked: the hub may have more files,
            or another commit.
    """

    repo_id: str
    revision: str
    commit: str
    files: tuple[HubFile, ...]
    is_provisional: bool = False

    @property
    def size_bytes(self) -> int:
        """Sum of the declared sizes."""
        return sum(file.size_bytes for file in self.files)

    @property
    def unverified(self) -> tuple[HubFile, ...]:
        """The files that are absent or wrong."""
        return tuple(file for file in self.files if file.mtime_ns == UNVERIFIED)


def choose_files(names: Iterable[str]) -> tuple[str, ...]:
    """Return the files a loader needs: configuration, texts, one weight format.

    Only names of the tables above can be returned, so a listing cannot lead outside
    the folder. Empty where the configuration or the weights are missing.
    """
    present = set(names)
    config = next((name for name in CONFIG_FILES if name in present), None)
    weights = _choose_weights(present)
    if config is None or not weights:
        return ()
    return (config, *(name for name in TEXT_FILES if name in present), *weights)


def is_weights(name: str) -> bool:
    """Whether a file's name is that of weights, whole or a shard."""
    return any(
        name == whole or (shard and shard.fullmatch(name))
        for whole, shard in WEIGHT_FORMATS
    )


def digest_of(path: Path, digest: str) -> str:
    """Return the digest of a file's bytes, of the same kind as ``digest``.

    Raises:
        OSError: The file cannot be read.
    """
    kind = digest.partition(":")[0]
    with path.open("rb") as stream:
        if kind == "sha256":
            return f"{kind}:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
        return f"{kind}:{_git_blob_sha1(stream, path.stat().st_size)}"


def has_digest(path: Path, file: HubFile) -> bool:
    """Return whether a path holds exactly the bytes that the hub declares."""
    try:
        same_size = path.stat().st_size == file.size_bytes
        return same_size and digest_of(path, file.digest) == file.digest
    except OSError:
        return False


def size_of(path: Path) -> int:
    """Return a file's size in bytes, 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


class RepoStore:
    """One repository's corner of the hub's cache folder."""

    def __init__(self, cache_dir: Path, repo_id: str) -> None:
        self.cache_dir = cache_dir
        self.repo_id = repo_id
        self.folder = cache_dir / ("models--" + repo_id.replace("/", "--"))

    def snapshot_folder(self, commit: str) -> Path:
        """Return the folder that shows a commit's files under their own names."""
        return self.folder / "snapshots" / commit

    def blob(self, file: HubFile) -> Path:
        """Return where the verified bytes lie."""
        return self.folder / "blobs" / file.blob_name

    def partial(self, file: HubFile) -> Path:
        """Return where bytes gather until they are verified.

        Named by digest: whoever resumes it later wants exactly these bytes.
        """
        return self.folder / "blobs" / f"{file.blob_name}.maskplay.incomplete"

    def lock(self, file: HubFile) -> Path:
        """Return the lock file that huggingface_hub takes for the same bytes."""
        return self.cache_dir / ".locks" / self.folder.name / f"{file.blob_name}.lock"

    def read_record(self, revision: str) -> Record | None:
        """Return the record of a revision, or None where there is no valid one."""
        try:
            fields = json.loads(self._record_path(revision).read_text("utf-8"))
            record = _record_from(fields)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        wanted = (self.repo_id, revision)
        return record if (record.repo_id, record.revision) == wanted else None

    def write_record(self, record: Record) -> None:
        """Keep a record, and the revision's commit where huggingface_hub keeps it.

        Raises:
            OSError: The cache cannot be written.
        """
        fields = {"format": RECORD_FORMAT, **asdict(record)}
        text = json.dumps(fields, ensure_ascii=False, indent=1)
        _write_whole(self._record_path(record.revision), text)
        if record.commit not in (
            record.revision,
            self._commit_in_cache(record.revision),
        ):
            _write_whole(self.folder / "refs" / record.revision, record.commit)

    def record_from_cache(self, revision: str) -> Record | None:
        """Return a record of files that another program fetched with huggingface_hub.

        The blobs' names are the digests that the hub declared then; the bytes are
        checked against them here. Provisional: that program may have left files out.
        """
        commit = self._commit_in_cache(revision)
        folder = self.snapshot_folder(commit)
        if not COMMIT.fullmatch(commit):
            return None
        try:
            names = choose_files(path.name for path in folder.iterdir())
            files = tuple(_linked_file(folder / name) for name in names)
        except (OSError, ValueError):
            return None
        if not files:
            return None
        files = self._recalled(files, revision)
        record = Record(self.repo_id, revision, commit, files, is_provisional=True)
        return self.verified(record)

    def verified(self, record: Record) -> Record:
        """Return the record with the time of verification of every file that is good.

        A file that has not changed since its last verification is not read again.
        """
        folder = self.snapshot_folder(record.commit)
        files = tuple(_verified(folder / file.name, file) for file in record.files)
        return replace(record, files=files)

    def stamped(self, record: Record) -> Record:
        """Return the record of files that have just been verified.

        Raises:
            OSError: One of them is gone again.
        """
        folder = self.snapshot_folder(record.commit)
        times = [(folder / file.name).stat().st_mtime_ns for file in record.files]
        stamped = (
            replace(file, mtime_ns=time)
            for file, time in zip(record.files, times, strict=True)
        )
        return replace(record, files=tuple(stamped))

    def bytes_to_come(self, file: HubFile) -> int:
        """Return how many of a file's bytes are not on this disk yet."""
        if self.blob(file).exists():
            return 0
        return max(0, file.size_bytes - size_of(self.partial(file)))

    def link(self, commit: str, file: HubFile) -> None:
        """Show a blob in its commit's folder: a link, or a copy where links fail.

        Raises:
            OSError: The cache cannot be written.
        """
        pointer = self.snapshot_folder(commit) / file.name
        pointer.parent.mkdir(parents=True, exist_ok=True)
        fresh = pointer.with_name(f".{pointer.name}.{uuid.uuid4().hex[:8]}")
        try:
            try:
                fresh.symlink_to(Path("..", "..", "blobs", file.blob_name))
            except (OSError, NotImplementedError):
                shutil.copyfile(self.blob(file), fresh)
            fresh.replace(pointer)
        finally:
            fresh.unlink(missing_ok=True)

    def _record_path(self, revision: str) -> Path:
        return self.folder / ".maskplay" / f"{quote(revision, safe='')}.json"

    def _recalled(
        self, files: tuple[HubFile, ...], revision: str
    ) -> tuple[HubFile, ...]:
        """Return files with the times that an earlier record has of their bytes."""
        earlier = self.read_record(revision)
        known = earlier.files if earlier else ()
        times = {file.digest: file.mtime_ns for file in known}
        return tuple(
            replace(file, mtime_ns=times.get(file.digest, UNVERIFIED)) for file in files
        )

    def _commit_in_cache(self, revision: str) -> str:
        if COMMIT.fullmatch(revision):
            return revision
        try:
            return (self.folder / "refs" / revision).read_text("utf-8").strip()
        except (OSError, ValueError):
            return ""


def _choose_weights(present: set[str]) -> tuple[str, ...]:
    for whole, shard in WEIGHT_FORMATS:
        if whole in present:
            return (whole,)
        shards = _complete_shards(present, shard) if shard else ()
        index = f"{whole}.index.json"
        if shards and index in present:
            return (index, *shards)
    return ()


def _complete_shards(present: set[str], shard: re.Pattern[str]) -> Sequence[str]:
    """Return all shards in order, or none where one is missing."""
    matches = [match for name in present if (match := shard.fullmatch(name))]
    shards = sorted(match.group() for match in matches)
    totals = {int(match.group(2)) for match in matches}
    return shards if totals == {len(shards)} else ()


def _git_blob_sha1(stream: BinaryIO, size_bytes: int) -> str:
    """Return the name git gives to a file's content."""
    digest = hashlib.sha1(b"blob %d\0" % size_bytes, usedforsecurity=False)
    while chunk := stream.read(READ_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _verified(path: Path, file: HubFile) -> HubFile:
    try:
        status = path.stat()
    except OSError:
        return replace(file, mtime_ns=UNVERIFIED)
    seen = (status.st_size, status.st_mtime_ns)
    good = seen == (file.size_bytes, file.mtime_ns) or has_digest(path, file)
    return replace(file, mtime_ns=status.st_mtime_ns if good else UNVERIFIED)


def _linked_file(pointer: Path) -> HubFile:
    """Return what a link into ``blobs`` says about its file.

    Raises:
        OSError: It is no link, or leads nowhere.
        ValueError: The blob's name is no digest.
    """
    blob_name = pointer.readlink().name
    digest = (
        f"{'sha256' if len(blob_name) == SHA256_DIGITS else 'git-sha1'}:{blob_name}"
    )
    if not DIGEST.fullmatch(digest):
        raise ValueError("blob without a digest")
    return HubFile(pointer.name, pointer.stat().st_size, digest)


def _record_from(fields: dict[str, Any]) -> Record:
    """Check a record that was read back; it may have been edited by hand.

    Raises:
        ValueError: It is of another format, or names what no hub would.
    """
    files = tuple(HubFile(**file) for file in fields["files"])
    names = tuple(file.name for file in files)
    if fields["format"] != RECORD_FORMAT or not COMMIT.fullmatch(fields["commit"]):
        raise ValueError("record of another format")
    if not all(DIGEST.fullmatch(file.digest) for file in files):
        raise ValueError("record without digests")
    if not names or set(choose_files(names)) != set(names):
        raise ValueError("record names other files than a loader needs")
    return Record(
        fields["repo_id"],
        fields["revision"],
        fields["commit"],
        files,
        is_provisional=bool(fields.get("is_provisional")),
    )


def _write_whole(path: Path, text: str) -> None:
    """Write a small file so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        fresh.write_text(text, "utf-8")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
