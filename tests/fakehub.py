"""A loopback stand-in for the model hub: what the real huggingface_hub client talks to.

Serves the commit of a revision, the file list with its digests, and the files, the
large ones by way of a redirect to another host name as the real hub does. Faults are
dealt out one per request.

    with FakeHub({"me/gpt2": {"config.json": b"{}", "tf_model.h5": b"..."}}) as hub:
        hub.fail("tf_model.h5", Fault("cut", after_bytes=10))
        client = HubClient(...)          # with HF_ENDPOINT = hub.url
"""

import contextlib
import hashlib
import json
import re
import socket
import threading
import time
import urllib.parse
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGE = (".safetensors", ".h5", ".bin")
COMMIT = "a" * 40
SLOW_CHUNK_BYTES = 4096
POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, once.

    Attributes:
        kind: ``status`` (answer with a code), ``cut`` (close the connection),
            ``stall`` (say nothing for ``seconds``), ``short`` (an honest header over
            too little), ``corrupt`` (other bytes), ``whole`` (ignore the range),
            ``slow`` (spread over ``seconds``), ``gateway`` (a page instead of JSON).
        after_bytes: Where a cut, stall or short body ends.
        seconds: How long a stall or a slow body takes.
        status: The code of ``status``.
    """

    kind: str
    after_bytes: int = 0
    seconds: float = 0.0
    status: int = 503


@dataclass(frozen=True)
class Seen:
    """One request that arrived."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class FakeHub:
    """Repositories by name; each maps file names to bytes.

    ``owner/name@refs/pr/3`` is a revision of one beside its main branch, with a commit
    of its own.
    """

    repos: dict[str, dict[str, bytes]]
    commit: str = COMMIT
    gated: frozenset[str] = frozenset()
    said: dict[str, Any] = field(default_factory=dict)
    """What else the hub says of its repositories."""
    requests: list[Seen] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))

    def __enter__(self) -> "FakeHub":
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = _Server(("127.0.0.1", 0), handler)
        threading.Thread(
            target=self.server.serve_forever, args=(POLL_SECONDS,), daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, part: str, *faults: Fault) -> None:
        """Deal out faults to the next requests whose path ends with ``part``."""
        self.faults[part].extend(faults)

    def next_fault(self, path: str) -> Fault | None:
        for part, waiting in self.faults.items():
            if waiting and path.endswith(part):
                return waiting.pop(0)
        return None

    def revision(self, repo: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """Return the commit and the files of a branch or commit, None without it."""
        if repo in self.repos and revision in ("main", self.commit):
            return self.commit, self.repos[repo]
        for name, files in self.repos.items():
            commit = commit_of(name)
            if name == f"{repo}@{revision}" or (
                revision == commit and name.startswith(f"{repo}@")
            ):
                return commit, files
        return None

    def bodies(self, name: str) -> list[Seen]:
        """Return the requests that asked for a file's bytes."""
        return [
            seen
            for seen in self.requests
            if seen.method == "GET" and seen.path.endswith(f"/{name}")
        ]


def commit_of(name: str) -> str:
    """Return the commit of ``owner/name@revision``; main has one for all."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def git_sha1(data: bytes) -> str:
    """Return the name that git gives to a file."""
    digest = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
    return digest.hexdigest()


def listing(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """Return a file list as the hub's tree endpoint words it."""
    entries: list[dict[str, Any]] = [{"type": "directory", "oid": "0", "path": "onnx"}]
    for name, data in files.items():
        entry = {"type": "file", "oid": git_sha1(data), "size": len(data), "path": name}
        if name.endswith(LARGE):
            sha256 = hashlib.sha256(data).hexdigest()
            entry["lfs"] = {"oid": sha256, "size": len(data), "pointerSize": 134}
        entries.append(entry)
    return entries


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing about clients that hang up: some tests are about that."""


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""

    def do_GET(self) -> None:
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.requests.append(Seen(self.command, path, headers))
        # A redirect is not the body: the fault waits for the host that serves it.
        redirected = path.endswith(LARGE) and not path.startswith("/cdn/")
        fault = None if redirected else self.hub.next_fault(path)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.route(path, fault)

    do_HEAD = do_GET  # noqa: N815 - the name http.server looks for

    def route(self, path: str, fault: Fault | None) -> None:
        if fault and fault.kind == "stall" and not fault.after_bytes:
            time.sleep(fault.seconds)
        if fault and fault.kind == "status":
            return self.refuse(fault.status, "", "fault")
        if fault and fault.kind == "gateway":
            return self.answer(b"<html>please sign in</html>", "text/html")
        for pattern, respond in self.routes():
            if match := re.fullmatch(pattern, path):
                return respond(*match.groups(), fault=fault)
        return self.refuse(404, "", "no such route")

    def routes(self) -> tuple[tuple[str, Any], ...]:
        repo = "([^/]+/[^/]+)"
        return (
            (f"/api/models/{repo}(?:/revision/(.+))?", self.info),
            (f"/api/models/{repo}/tree/([^/]+)", self.tree),
            (f"/{repo}/resolve/([^/]+)/(.+)", self.resolve),
            (f"/cdn/{repo}/([0-9a-f]+)/(.+)", self.body),
        )

    def info(self, repo: str, revision: str | None, fault: Fault | None) -> None:
        if found := self.allowed(repo, revision or "main"):
            commit, files = found
            names = [{"rfilename": name} for name in files]
            facts = {"id": repo, "sha": commit, "siblings": names}
            facts |= self.hub.said
            self.answer(json.dumps(facts).encode(), "application/json")

    def tree(self, repo: str, revision: str, fault: Fault | None) -> None:
        if found := self.allowed(repo, revision):
            entries = json.dumps(listing(found[1])).encode()
            self.answer(entries, "application/json")

    def resolve(self, repo: str, revision: str, name: str, fault: Fault | None) -> None:
        found = self.allowed(repo, revision, files=True)
        if found is None:
            return
        commit, files = found
        if name not in files:
            self.refuse(404, "EntryNotFound", "Entry not found")
        elif name.endswith(LARGE):
            self.redirect(repo, commit, name, files[name])
        else:
            self.deliver_file(commit, files[name], fault)

    def redirect(self, repo: str, commit: str, name: str, data: bytes) -> None:
        sha256 = hashlib.sha256(data).hexdigest()
        headers = {
            "Location": f"http://localhost:{self.hub.port}/cdn/{repo}/{commit}/{name}",
            "X-Repo-Commit": commit,
            "ETag": f'"{sha256}"',
            "X-Linked-Etag": f'"{sha256}"',
            "X-Linked-Size": str(len(data)),
        }
        self.answer(b"", "text/plain", 302, headers)

    def body(self, repo: str, commit: str, name: str, fault: Fault | None) -> None:
        found = self.hub.revision(repo, commit)
        if found is None:
            self.refuse(404, "EntryNotFound", "Entry not found")
        else:
            self.deliver_file(commit, found[1][name], fault)

    def deliver_file(self, commit: str, whole: bytes, fault: Fault | None) -> None:
        data, status, headers = self.ranged(whole, fault)
        headers |= {"X-Repo-Commit": commit, "ETag": f'"{git_sha1(whole)}"'}
        if fault and fault.kind == "corrupt":
            data = bytes(byte ^ 0xFF for byte in data)
        if fault and fault.kind == "short":
            data = data[: fault.after_bytes]
        self.answer(data, "application/octet-stream", status, headers, fault)

    def ranged(
        self, data: bytes, fault: Fault | None
    ) -> tuple[bytes, int, dict[str, str]]:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked is None or (fault and fault.kind == "whole"):
            return data, 200, {}
        start = int(asked[1])
        span = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return data[start:], 206, {"Content-Range": span}

    def allowed(
        self, repo: str, revision: str, *, files: bool = False
    ) -> tuple[str, dict[str, bytes]] | None:
        """Return the commit and the files of a revision, or refuse and return None."""
        if repo not in {name.partition("@")[0] for name in self.hub.repos}:
            self.refuse(401, "RepoNotFound", "Invalid username or password.")
            return None
        found = self.hub.revision(repo, revision)
        if found is None:
            self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return None
        # As on the real hub, anyone may see that a gated repository exists.
        if files and repo in self.hub.gated and "Authorization" not in self.headers:
            self.refuse(401, "GatedRepo", f"Access to model {repo} is restricted.")
            return None
        return found

    def refuse(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message} if code else {}
        body = json.dumps({"error": message}).encode()
        self.answer(body, "application/json", status, headers)

    def answer(
        self,
        data: bytes,
        content_type: str,
        status: int = 200,
        headers: dict[str, str] | None = None,
        fault: Fault | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.deliver(data, fault)

    def deliver(self, data: bytes, fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        if fault and kind in ("cut", "stall") and fault.after_bytes:
            self.wfile.write(data[: fault.after_bytes])
            time.sleep(fault.seconds if kind == "stall" else 0)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault and kind == "slow":
            for start in range(0, len(data), SLOW_CHUNK_BYTES):
                self.wfile.write(data[start : start + SLOW_CHUNK_BYTES])
                time.sleep(fault.seconds * SLOW_CHUNK_BYTES / len(data))
        else:
            self.wfile.write(data)
