import re
from pathlib import Path

import pytest

import app
import demos
from app.metrics import Metrics
from app.page import SCRIPT, STYLE, build_page, head_html, theme
from app.runs import Runs
from app.tabs import TABS
from app.wiring import MODEL_QUEUE, Desk
from tests.fakes import FakeShelf

PUBLIC = {"/generate"}


@pytest.fixture(scope="module")
def shelf():
    return FakeShelf()


@pytest.fixture(scope="module")
def page(shelf):
    return build_page(shelf, Desk(Runs(Metrics()), slots=3))


def test_building_the_page_starts_nothing(page, shelf):
    assert page.title
    assert shelf.started == 0
    assert shelf.generator.asked == []


def test_every_public_endpoint_is_named_on_purpose(page):
    assert page.get_api_info()["named_endpoints"].keys() == PUBLIC


def test_every_listener_has_a_name_of_its_own(page):
    names = [listener.api_name for listener in page.fns.values()]
    unnamed = [name for name in names if not name or "lambda" in str(name)]
    assert not unnamed
    assert len(set(names)) == len(names)


def test_every_other_listener_is_private(page):
    hidden = [one for one in page.fns.values() if f"/{one.api_name}" not in PUBLIC]
    assert hidden
    assert {one.api_visibility for one in hidden} == {"private"}


def test_whatever_computes_waits_in_the_one_queue_with_its_slots(page):
    computing = [one for one in page.fns.values() if one.concurrency_id == MODEL_QUEUE]
    assert {one.api_name for one in computing} == {
        "generate",
        "generate_run",
        "files_run",
    }
    assert {one.concurrency_limit for one in computing} == {3}
    others = [one for one in page.fns.values() if one not in computing]
    assert {one.api_name for one in others if one.queue} == {"load", "unload"}


def test_a_tab_for_every_demo_and_a_demo_for_every_tab():
    tasks = {
        folder.name
        for folder in Path(demos.__path__[0]).iterdir()
        if (folder / "task.py").exists()
    }
    assert {tab.task for tab in TABS} == tasks


@pytest.mark.parametrize("file", [STYLE, SCRIPT])
def test_the_assets_name_no_other_host(file):
    assert not re.findall(r"(?:https?:)?//[a-z]", file.read_text("utf-8"))


def test_the_theme_pulls_no_font_from_anywhere():
    assert theme()._stylesheets == []
    assert "url(http" not in theme()._get_theme_css().replace("'", "").replace('"', "")


def test_the_head_draws_the_logo_itself():
    assert "<svg" in head_html()


def test_the_app_never_imports_a_framework():
    folder = Path(app.__path__[0])
    for source in folder.rglob("*.py"):
        text = source.read_text("utf-8")
        assert not re.search(r"^\s*(import|from) (keras|tensorflow|jax|torch)\b", text)
