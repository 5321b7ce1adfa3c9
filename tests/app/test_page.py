import re
from pathlib import Path

import gradio as gr
import pytest

import app
import demos
from app.lines import READERS, READING_QUEUE
from app.metrics import Metrics
from app.page import SCRIPTS, STYLES, build_page, head_html, theme
from app.runs import Runs
from app.tabs import TABS
from app.wiring import MODEL_QUEUE, Desk
from tests.fakes import FakeShelf

PUBLIC = {
    "/generate",
    "/chat",
    "/title",
    "/extract_triples",
    "/answer",
    "/answer_from_facts",
    "/classify",
    "/summarize",
    "/similarity",
    "/nearest",
    "/rephrase",
    "/categorize",
    "/detect",
}
QUESTIONS = {"mp-qa-question", "mp-facts-question"}


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


def test_whatever_computes_waits_in_one_queue_with_its_slots_but_for_readers(page):
    computing = [one for one in page.fns.values() if one.concurrency_id == MODEL_QUEUE]
    assert {one.api_name for one in computing} == {
        "generate",
        "generate_run",
        "chat",
        "chat_run",
        "chat_again_run",
        "title",
        "title_run",
        "answer_from_facts",
        "answer_from_facts_run",
        "facts_base_run",
        "classify_run",
        "summarize",
        "summarize_run",
        "similarity",
        "similarity_run",
        "rephrase",
        "rephrase_run",
        "categorize",
        "categorize_run",
        "detect",
        "detect_run",
        "files_run",
    }
    assert {one.concurrency_limit for one in computing} == {3}
    reading = [one for one in page.fns.values() if one.concurrency_id == READING_QUEUE]
    assert {one.api_name for one in reading} == {
        name for endpoint in READERS for name in (endpoint, f"{endpoint}_run")
    }
    assert {one.concurrency_limit for one in reading} == {1}
    computing += reading
    others = [one for one in page.fns.values() if one not in computing]
    assert {one.api_name for one in others if one.queue} == {
        "load",
        "describe",
        "unload",
        "classify",
        "learn_run",
        "learn_keep",
        "learn_drop",
        "learn_pack",
        "fewshot_leave",
    }


def test_a_tab_for_every_demo_and_a_demo_for_every_tab():
    tasks = {
        folder.name
        for folder in Path(demos.__path__[0]).iterdir()
        if (folder / "task.py").exists()
    }
    assert {tab.task for tab in TABS} == tasks


@pytest.mark.parametrize("file", [*STYLES, *SCRIPTS])
def test_the_assets_name_no_other_host(file):
    assert not re.findall(r"(?:https?:)?//[a-z]", file.read_text("utf-8"))


def selectors_of(file):
    text = re.sub(r"/\*.*?\*/", "", file.read_text("utf-8"), flags=re.DOTALL)
    rules = (part.strip() for part in re.findall(r"([^{};]+)\{", text))
    for rule in rules:
        if not rule.startswith("@"):
            yield from (one.strip() for one in rule.split(","))


def test_no_tabs_style_reaches_into_another_tab():
    used = {}  # class: the sheets that name it
    owned = {}  # class: the sheets that style it wherever it stands
    for file in STYLES:
        for selector in selectors_of(file):
            for name in re.findall(r"\.(mp-[\w-]+)", selector):
                used.setdefault(name, set()).add(file.name)
            first = re.findall(r"\.([\w-]+)", re.split(r"[\s>+~]+", selector)[0])
            if len(first) == 1:
                owned.setdefault(first[0], set()).add(file.name)
    house = STYLES[0].name
    for name, sheets in owned.items():
        assert len(sheets) == 1, (name, sheets)
        assert house in sheets or used.get(name, sheets) == sheets, (name, used[name])


def test_every_action_of_a_button_is_served_by_the_script():
    drawn = "".join(
        path.read_text("utf-8") for path in Path(app.__path__[0]).rglob("*.py")
    )
    scripts = "".join(path.read_text("utf-8") for path in SCRIPTS)
    for name in set(re.findall(r"data-(mp-[a-z-]+)=", drawn)):
        camel = re.sub("-([a-z])", lambda found: found[1].upper(), name)
        assert f"data-{name}" in scripts or camel in scripts, name


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


def texts_of(page):
    return [part for part in page.blocks.values() if isinstance(part, gr.Textbox)]


def test_a_text_that_is_too_long_is_told_and_not_cut_in_silence(page):
    cut = [text.label for text in texts_of(page) if text.lines > 1 and text.max_length]
    asked = [text for text in texts_of(page) if text.elem_id in QUESTIONS]
    assert len(asked) == len(QUESTIONS)
    assert [text.label for text in asked if text.max_length] == []
    assert cut == []


def test_a_text_that_is_hidden_at_first_sends_text_and_not_none(page):
    sent = {part for listener in page.fns.values() for part in listener.inputs}
    hidden = [text for text in texts_of(page) if text in sent and not text.visible]
    assert hidden
    assert [text.label for text in hidden if text.value is None] == []
