"""One web application is built for a page, not four."""

import gradio
from gradio.routes import App

from app.one_app import without_applications


def counting(monkeypatch):
    """Return the list that grows with every application that gradio builds."""
    built = []
    usual = App.create_app

    def create_app(blocks, *positional, **named):
        built.append(blocks)
        return usual(blocks, *positional, **named)

    monkeypatch.setattr(App, "create_app", staticmethod(create_app))
    return built


def composed():
    with gradio.Blocks() as page:
        gradio.Textbox()
    page.queue(max_size=1)
    return page


def test_gradio_alone_builds_several(monkeypatch):
    built = counting(monkeypatch)

    composed()

    assert len(built) > 1


def test_a_page_has_no_application_before_launch(monkeypatch):
    built = counting(monkeypatch)

    with without_applications():
        composed()

    assert built == []


def test_afterwards_gradio_builds_as_before(monkeypatch):
    built = counting(monkeypatch)

    with without_applications():
        page = composed()
    page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    page.close(verbose=False)

    assert built == [page]


def test_a_page_that_fails_leaves_gradio_as_it_was():
    usual = App.create_app
    try:
        with without_applications():
            raise ValueError("while composing")
    except ValueError:
        pass

    assert App.create_app is usual
