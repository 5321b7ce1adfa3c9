"""One page over stand-ins, served on a free port, for the tests that need HTTP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from app.server import Server
from app.settings import Settings
from tests.fakes import TEXT, FakeGenerator, FakeShelf

STEP_SECONDS = 0.01


@dataclass(frozen=True)
class Served:
    """A running server and what stands behind it."""

    url: str
    shelf: FakeShelf
    server: Server

    @property
    def generator(self) -> FakeGenerator:
        return self.shelf.generator

    @property
    def api(self) -> str:
        return f"{self.url}gradio_api/"


@contextmanager
def serving(settings: Settings, shelf: FakeShelf) -> Iterator[Served]:
    server = Server(settings, shelf)
    try:
        yield Served(server.start(), shelf, server)
    finally:
        server.close()


Serve = Callable[..., Served]


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """A server with the default settings; long texts, 100 steps a second."""
    shelf = FakeShelf(FakeGenerator(text=TEXT * 50, step_seconds=STEP_SECONDS))
    with serving(Settings(port=0), shelf) as running:
        yield running
