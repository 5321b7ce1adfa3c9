"""Compose the application: flags and environment, models, page, server.

Changes when a part is added to the whole. The only file that names every part. The
server is imported when it is needed: gradio takes seconds, which a wrong flag need not
wait for, and in which a first start builds the kernels.
"""

import os
import sys
from typing import NoReturn

from app.settings import Settings, read_settings
from model_core.engines.native.library import build_in_background
from model_core.interfaces import ModelError
from model_core.shelf import ModelShelf, ShelfSettings

USAGE_ERROR = 2
GIGABYTE = 1_000_000_000
WITHOUT_KERNELS = ("keras",)


def main() -> None:
    """Serve the page; exit with status 2 and a sentence where that cannot be done."""
    settings = read_settings(sys.argv[1:], os.environ)
    try:
        shelf = ModelShelf(shelf_settings(settings))
    except ModelError as error:
        _refuse(error)
    if settings.engine not in WITHOUT_KERNELS:
        build_in_background()
    from app.server import PortError, leave, serve  # noqa: PLC0415

    try:
        serve(settings, shelf)
    except PortError as error:
        _refuse(error)
    leave()


def shelf_settings(settings: Settings) -> ShelfSettings:
    """Return the part of the settings that concerns the models."""
    return ShelfSettings(
        weights=settings.weights,
        engine=settings.engine,
        dtype=settings.dtype,
        offline=settings.offline,
        cache_dir=settings.cache_dir,
        memory_bytes=_bytes_of(settings.memory_gb),
    )


def _refuse(error: Exception) -> NoReturn:
    sys.stderr.write(f"{error}\n")
    raise SystemExit(USAGE_ERROR) from error


def _bytes_of(gigabytes: float | None) -> int | None:
    return None if gigabytes is None else int(gigabytes * GIGABYTE)
