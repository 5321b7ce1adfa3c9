"""Let gradio compose a page without building an application at every step.

Changes when gradio builds it elsewhere. Its ``Blocks`` builds the whole web
application, some eighty routes, when a page begins, when it is complete, and when its
queue is set; ``launch`` then builds the one that serves. The first three are thrown
away: a third of a second of every start.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradio.routes import App


@contextmanager
def without_applications() -> Iterator[None]:
    """Let pages that are composed in this block have no application before launch."""
    usual = App.__dict__["create_app"]
    App.create_app = _build_nothing
    try:
        yield
    finally:
        App.create_app = usual


def _build_nothing(*_: Any, **__: Any) -> None:
    return None
