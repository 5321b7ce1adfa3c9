"""A browser, a server over stand-ins, and visitors who check what a page asks for."""

import contextlib
import shutil

import pytest

from tests.browser.tabs import Tab
from tests.browser.visits import DESKTOP, FLAGS, PATIENCE_MS, check_quiet, running


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium here: apt-get install chromium fonts-noto-cjk")
    with playwright.sync_playwright() as tool:
        chromium = tool.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address():
    with running("-m", "tests.app.serve_fake", "{port}", "0.03", "8") as served:
        yield served


@pytest.fixture
def visit(browser):
    """Open the page for one kind of visitor; at the end, check what it asked for."""
    with contextlib.ExitStack() as opened:

        def open_page(address, **kind):
            context = opened.enter_context(browser.new_context(**kind))
            asked, complaints = [], []
            context.on("request", lambda request: asked.append(request.url))
            page = context.new_page()
            page.on("console", lambda said: complaints.append((said.type, said.text)))
            page.on("pageerror", lambda error: complaints.append(("error", str(error))))
            opened.callback(check_quiet, address, asked, complaints)
            page.goto(address)
            page.wait_for_selector("#mp-run", timeout=PATIENCE_MS)
            page.wait_for_selector(".mp-chip.mp-ready", timeout=PATIENCE_MS)
            return page

        yield open_page


@pytest.fixture
def tab(visit, address):
    """Open a tab of the page for a visitor who may read the clipboard."""

    def open_named(name, **kind):
        page = visit(address, **(kind or DESKTOP))
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        return Tab(page, name)

    return open_named
