"""What a stranger may paste on every tab of the page: a sentence or an answer.

Reads the page in a real browser.
"""

import pytest

from tests.browser.tabs import FIELDS, SETTLED, TABS, Tab
from tests.browser.visits import PATIENCE_MS, PHONE

pytestmark = pytest.mark.browser

MARKUP = "<img src=x onerror=alert(1)><b id=mp-odd>粗</b>{{x}} ${1}</textarea>春天"
ODD = {
    "one character": "春",
    "markup": MARKUP,
    "right to left": "\u202e\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd, مرحبا",
    "mathematics": "∀ε>0 ∃δ>0：|x−a|<δ ⇒ |f(x)−f(a)|<ε，∑xᵢ²≥0",
    "emoji": "\U0001f469\u200d\U0001f467 春 \U0001f1e8\U0001f1f3",
}
REFUSED = {
    "nothing": ("", "收到 0 个"),
    "blank lines": ("\n\n\n", "全是空白"),
    "too long": ("天" * 20_001, "收到 20001 个"),
}
OTHERS = {  # fields besides the one that is tried
    "similarity": {"text-b": "你好"},
    "qa": {"passages": "春天来了。"},
    "nearest": {"lines": "你好\n再见"},
}


OFTEN = ("triples",)
"""In every check; the others' guards are tried without a browser as well."""
PARTED = [
    name if name in OFTEN else pytest.param(name, marks=pytest.mark.slow)
    for name in TABS
]


def opened(page, name):
    tab = Tab(page, name)
    for field, text in OTHERS.get(name, {}).items():
        tab.field(field).fill(text)
    return tab, tab.field(FIELDS.get(name, "text"))


def ended(page, name):
    page.wait_for_selector(f"#mp-{name}-run:not([disabled])", timeout=PATIENCE_MS)


def answer(tab):
    """Press Run and wait for a result that was not there: it may come at once."""
    tab.view.evaluate("view => { view.querySelector('[class^=mp-]').id = 'mp-stale'; }")
    tab.run_button.click()
    tab.page.locator("#mp-stale").wait_for(state="detached", timeout=PATIENCE_MS)
    tab.view.locator(SETTLED).first.wait_for(timeout=PATIENCE_MS)
    ended(tab.page, tab.name)


@pytest.mark.parametrize("name", PARTED)
def test_odd_text_is_answered_as_text(visit, address, name):
    page = visit(address, **PHONE)
    dialogs = []
    page.on("dialog", lambda asked: dialogs.append(asked.message))
    tab, field = opened(page, name)
    for text in ODD.values():
        field.fill(text)
        answer(tab)
        assert page.locator(".toast-body").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert dialogs == []
    assert page.locator("#mp-odd, img[src=x]").count() == 0


@pytest.mark.parametrize("name", PARTED)
def test_text_that_cannot_be_read_earns_a_sentence(visit, address, name):
    page = visit(address, **PHONE)
    _, field = opened(page, name)
    for text, sentence in REFUSED.values():
        field.fill(text)
        page.click(f"#mp-{name}-run")
        page.wait_for_selector(f".toast-body >> text={sentence}")
        ended(page, name)
        page.locator(".toast-body button").first.click()
