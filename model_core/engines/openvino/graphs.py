"""Graphs of bodies and heads, exported on first use and kept in the cache.

Changes when exporting or keeping takes another step. A graph holds no weight (see
``export``), so it is kept under its config, the versions of OpenVINO and Keras, and the
sources that it was made by. Every failure is an ``OpenVinoUnavailableError``.
"""

import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock

from model_core.engines.openvino import export
from model_core.engines.openvino.export import Order
from model_core.engines.openvino.failures import OpenVinoUnavailableError

LOGGER = logging.getLogger(__name__)
LIMIT_SECONDS = 300
XML, BIN = "graph.xml", "graph.bin"
CORE = Path(__file__).resolve().parents[2]
SOURCES = (
    "config.py",
    "layers/*.py",
    "models/*.py",
    "models/heads/*.py",
    "engines/openvino/export.py",
)
PACKAGES = ("openvino", "keras")
INSTALL = "pip install -r requirements-openvino.txt"
_ENDS = (".xml", ".bin")
BROKEN = (
    OSError,
    EOFError,
    KeyError,
    ValueError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a damaged archive raises."""
_exporting = Lock()


@dataclass(frozen=True, slots=True)
class Graph:
    """OpenVINO's intermediate representation of a graph without its weights.

    Attributes:
        xml: The operations.
        constants: The numbers that are no weights.
    """

    xml: bytes
    constants: bytes


def default_cache() -> Path:
    """Return the folder for graphs: in the person's own cache."""
    told = os.environ.get("MASKPLAY_CACHE", "")
    if told:
        return Path(told).expanduser() / "openvino"
    told = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(told) if told else Path.home() / ".cache"
    return root / "maskplay" / "openvino"


def obtain(orders: Sequence[Order], cache: Path | None = None) -> tuple[Graph, ...]:
    """Return graphs; those that the cache has not are exported, all at once.

    Args:
        orders: Which.
        cache: Keeps graphs; the person's own cache where None. Where nothing can be
            written there, they are exported again another time.

    Raises:
        OpenVinoUnavailableError: It is not installed, or the export failed.
    """
    paths = {order: path_of(order, cache) for order in orders}
    with _exporting:
        known = {order: _kept(path) for order, path in paths.items()}
        missing = [order for order, graph in known.items() if graph is None]
        if missing:
            for order, graph in zip(missing, export_graphs(missing), strict=True):
                known[order] = graph
                keep(graph, paths[order])
    return tuple(graph for graph in map(known.get, orders) if graph is not None)


def path_of(order: Order, cache: Path | None = None) -> Path:
    """Return where a graph is kept.

    Raises:
        OpenVinoUnavailableError: OpenVINO is not installed.
    """
    told = [json.dumps(order.to_json(), sort_keys=True), *map(_version, PACKAGES)]
    digest = hashlib.sha256("\n".join(told).encode())
    for path in _sources():
        digest.update(path.read_bytes())
    name = f"{order.head or 'body'}-{digest.hexdigest()[:24]}.zip"
    return (cache or default_cache()) / name


def export_graphs(orders: Sequence[Order]) -> tuple[Graph, ...]:
    """Return graphs exported by one process of its own, in the orders' order.

    Raises:
        OpenVinoUnavailableError: The process failed; with its last words.
    """
    with tempfile.TemporaryDirectory(prefix="maskplay-openvino-") as made:
        _run(json.dumps([order.to_json() for order in orders]), made)
        try:
            return tuple(
                Graph(*(Path(made, f"{index}{end}").read_bytes() for end in _ENDS))
                for index in range(len(orders))
            )
        except OSError as error:
            raise OpenVinoUnavailableError(
                f"OpenVINO's export wrote no graph: {error}"
            ) from None


def keep(graph: Graph, path: Path) -> None:
    """Put a graph into the cache as a whole, or leave it where that cannot be."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(XML, graph.xml)
            file.writestr(BIN, graph.constants)
        fresh.replace(path)
    except OSError as error:
        LOGGER.info("OpenVINO's graph is not kept: %s", error)


def _kept(path: Path) -> Graph | None:
    """Return what the cache has; None for nothing, or for what is broken."""
    try:
        with zipfile.ZipFile(path) as file:  # checks a sum over each
            return Graph(file.read(XML), file.read(BIN))
    except FileNotFoundError:
        return None
    except BROKEN as error:
        LOGGER.info("OpenVINO's graph %s is exported again: %s", path.name, error)
        return None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        raise OpenVinoUnavailableError(
            f"the package {package} is not installed ({INSTALL})"
        ) from None


def _sources() -> Iterator[Path]:
    for pattern in SOURCES:
        yield from sorted(CORE.glob(pattern))


def _run(order: str, folder: str) -> None:
    command = [sys.executable, "-m", export.__name__, folder]
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            input=order,
            cwd=CORE.parent,
            env={**os.environ, "KERAS_BACKEND": export.BACKEND},
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise OpenVinoUnavailableError(
            f"OpenVINO's export did not end: {error}"
        ) from None
    if done.returncode:
        last = (done.stderr or "").strip().split("\n")[-1]
        raise OpenVinoUnavailableError(
            f"OpenVINO's export failed ({done.returncode}): {last[:200]}"
        )
