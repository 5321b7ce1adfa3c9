"""The tabs of the page, in display order: add a demo by adding one line here."""

from collections.abc import Callable
from dataclasses import dataclass

from app.panel import Panel
from app.shelf import Shelf
from app.tabs import generation
from app.wiring import Desk


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab.

    Attributes:
        task: Name of the demo's package, and of its part of the catalogue.
        label: For people.
        build: Lays the tab out and joins it to its demo.
    """

    task: str
    label: str
    build: Callable[[Shelf, Desk, Panel], None]


TABS = (Tab("generation", "续写 Generation", generation.build),)
