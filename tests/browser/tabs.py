"""How a browser test works one tab: examples, a run, its end, what one takes away.

The ids of a tab's components begin with its name.
"""

import csv
import io
import json
import re
import time
from pathlib import Path

from tests.browser.visits import (
    PATIENCE_MS,
    open_tab,
    running_now,
    shoot,
    width_of,
)

FREED_SECONDS = 5  # beside other tests; what is stopped would go on for longer

TABS = {
    "title": "标题 Title",
    "triples": "三元组 Triples",
    "qa": "问答 Q&A",
    "facts": "查图谱 From facts",
    "fewshot": "分类 Classify",
    "summary": "摘要 Summary",
    "similarity": "比两句 Compare",
    "nearest": "找相近句 Nearest",
    "rephrasing": "相似句 Rephrase",
    "classification": "判类别 Fine-tuned classes",
    "detection": "找换过的字 Replaced",
}
OUTER = {  # of a tab inside a tab
    "facts": TABS["qa"],
    **dict.fromkeys(
        ("similarity", "nearest", "rephrasing", "classification", "detection"),
        "句子 Sentences",
    ),
}
FIELDS = {"qa": "question", "facts": "question", "nearest": "query"}
SETTLED = ".mp-result, .mp-settled"
WATCH_DISABLED = """id => {
    window.mpWasDisabled = false;
    new MutationObserver((changes, observer) => {
        if (!changes.some(one => one.target.id === id && one.target.disabled)) return;
        window.mpWasDisabled = true;
        observer.disconnect();
    }).observe(document.body, {attributeFilter: ["disabled"], subtree: true});
}"""


class Tab:
    """One tab of an open page; its components' ids begin with its name."""

    def __init__(self, page, name):
        self.page, self.name = page, name
        if name in OUTER:
            open_tab(page, OUTER[name])
        open_tab(page, TABS[name])
        self.run_button = page.locator(f"#mp-{name}-run")
        self.run_button.wait_for()
        self.view = page.locator(f"#mp-{name}-view")

    def field(self, name):
        return self.page.locator(f"#mp-{self.name}-{name} textarea")

    def fill_example(self, number=0):
        """Click an example and wait until the text has arrived."""
        field = self.field(FIELDS.get(self.name, "text"))
        before = field.input_value()
        self.page.locator(f"#mp-{self.name}-examples button").nth(number).click()
        self.page.wait_for_function(
            "([field, before]) => field.value !== before",
            arg=[field.element_handle(), before],
        )

    def begin(self):
        """Press Run; see it disabled, for however short a time."""
        self.page.evaluate(WATCH_DISABLED, f"mp-{self.name}-run")
        self.run_button.click()
        self.page.wait_for_function("window.mpWasDisabled")

    def end(self):
        self.page.wait_for_selector(
            f"#mp-{self.name}-run:not([disabled])", timeout=PATIENCE_MS
        )

    def run(self):
        self.begin()
        self.end()
        self.view.locator(SETTLED).first.wait_for()

    def stop(self, address):
        """Press Stop in the very moment the first words stand there."""
        self.page.wait_for_function(
            """([stop, words]) => {
                const button = document.querySelector(stop);
                if (!button || !document.querySelector(words)) return false;
                button.click();
                return true;
            }""",
            arg=[
                f"#mp-{self.name}-stop:not([disabled])",
                f"#{self.view.get_attribute('id')} .mp-streaming .mp-text",
            ],
        )
        asked = time.monotonic()
        while running_now(address):
            assert time.monotonic() - asked < FREED_SECONDS, "Stop did not free it"
        self.end()

    def saved(self, button):
        """Press a button that saves; return the file's name and text."""
        with self.page.expect_download() as caught:
            self.view.locator(f"button:has-text('{button}')").click()
        text = Path(caught.value.path()).read_bytes().decode("utf-8")
        return caught.value.suggested_filename, text

    def saved_json(self):
        name, text = self.saved("下载 Download JSON")
        return name, json.loads(text)

    def saved_rows(self):
        name, text = self.saved("下载 Download CSV")
        assert text.startswith("\ufeff")  # or a spreadsheet reads it as something else
        assert text.endswith("\r\n")
        return name, list(csv.DictReader(io.StringIO(text[1:], newline="")))

    def copied(self, nth=0):
        self.view.locator("[data-mp-action=copy]").nth(nth).click()
        self.page.wait_for_selector("text=已复制 Copied")
        return self.page.evaluate("navigator.clipboard.readText()")


def check_phones(page, names):
    """Run an example on each tab of a phone's page and check its width."""
    for name in names:
        phone = Tab(page, name)
        phone.fill_example()
        phone.run()
        check_phone(phone)
        shoot(page, f"phone-{name}")


def check_sentences(page, sentences):
    """Ask for nothing on each tab and check that its refusal is in English alone."""
    for name, sentence in sentences.items():
        tab = Tab(page, name)
        tab.run_button.click()
        toast = page.wait_for_selector(f"text={sentence}")
        assert not re.search(r"[\u4e00-\u9fff]", toast.inner_text())
        page.locator(".toast-body button").first.click()
        toast.wait_for_element_state("hidden")
        tab.end()


def check_phone(phone):
    """Check that a phone shows a tab, and every folded part of it, in its width."""
    assert width_of(phone.page) <= 390
    box = phone.view.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    folded = phone.page.locator("[role=tabpanel] .label-wrap:visible:not(.open)")
    while folded.count():
        one = folded.first.element_handle()
        one.click()
        phone.page.wait_for_function("one => one.matches('.open')", arg=one)
    assert width_of(phone.page) <= 390
