"""Let gradio keep of a visit what is the visitor's, not a drawing of the whole page.

Changes when gradio keeps it elsewhere. It describes every component of the page for
each visit, and each call over HTTP is one: so that a link can show the page as it
stands, which is not offered here. With this page that takes tens of milliseconds in the
one loop that serves everybody, and a megabyte that stays: of ten people at once nobody
read a word before all ten descriptions were made.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import gradio as gr
from gradio import routes
from gradio.state_holder import SessionState, StateHolder


@contextmanager
def light_visits() -> Iterator[None]:
    """Let pages that are launched in this block hold light visits."""
    usual = routes.StateHolder
    routes.StateHolder = Visits
    try:
        yield
    finally:
        routes.StateHolder = usual


class Visits(StateHolder):  # type: ignore[misc]  # gradio is not typed
    """What visitors have, by session."""

    def __getitem__(self, session_id: str) -> "Visit":
        """Return a visit; a new one begins with what the page has."""
        if session_id not in self.session_data:
            self.session_data[session_id] = Visit(self.blocks)
        visit: Visit = super().__getitem__(session_id)
        return visit


class Visit(SessionState):  # type: ignore[misc]  # gradio is not typed
    """One visitor's components and values; described are only those that changed."""

    def __init__(self, page: gr.Blocks) -> None:
        nothing: dict[int, object] = {}  # of the page is described
        super().__init__(
            SimpleNamespace(default_config=page.default_config, blocks=nothing)
        )
