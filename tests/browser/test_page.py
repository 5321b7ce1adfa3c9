"""The page in a real browser: from a click to Stop, and everything in between."""

import json
import re
import time
from pathlib import Path

import pytest

from tests.browser.visits import (
    DARK,
    DESKTOP,
    ENGLISH,
    PATIENCE_MS,
    PHONE,
    ROOT,
    open_tab,
    running,
    running_now,
    shoot,
    width_of,
)

pytestmark = pytest.mark.browser

EMBEDDED = ROOT / "assets" / "embedded" / "model.safetensors"
NASTY = "春风 {{value}} ${1+1} <b id=x>x</b>&amp;"


def fill_example(page, caption):
    page.locator("#mp-examples button", has_text=caption).first.click()
    opening = caption.split(" · ")[-1]
    page.wait_for_function(
        "text => document.querySelector('textarea').value.startsWith(text)", arg=opening
    )


def prompt(page):
    return page.locator("textarea").first


def generate(page):
    page.click("#mp-run")
    page.wait_for_selector(".mp-streaming", timeout=PATIENCE_MS)


def await_result(page):
    page.wait_for_selector(".mp-settled", timeout=PATIENCE_MS)
    page.wait_for_selector("#mp-run:not([disabled])", timeout=PATIENCE_MS)


def await_ready(page, count):
    ready = "document.querySelectorAll('.mp-chip.mp-ready').length"
    page.wait_for_function(f"{ready} === {count}")


def written(page):
    return page.locator(".mp-written").first.text_content()


def test_from_a_click_to_stop(visit, address):
    page = visit(address, **DESKTOP)
    assert page.locator("#mp-stop").is_disabled()
    assert page.locator("#mp-again").is_disabled()
    fill_example(page, "散文 · 雨停以后")
    generate(page)
    page.wait_for_function(
        "document.querySelector('.mp-written').textContent.length > 9"
    )
    assert page.locator("#mp-run").is_disabled()
    page.wait_for_selector("#mp-stop:not([disabled])")
    shoot(page, "streaming")
    page.click("#mp-stop")
    asked = time.monotonic()
    while running_now(address):
        assert time.monotonic() - asked < 1, "Stop did not free the slot"
    await_result(page)
    assert page.locator("#mp-stop").is_disabled()
    text = written(page)
    assert 9 < len(text) < 160
    assert page.locator("text=停在这里 stopped").is_visible()
    page.wait_for_timeout(300)
    assert written(page) == text


def test_a_whole_run_with_everything_one_can_do_next(visit, address):
    page = visit(address, **DESKTOP)
    fill_example(page, "五言绝句 · 春风")
    style = "document.querySelector(\"input[aria-label='体裁 Style']\")"
    page.wait_for_function(f"{style}.value === '五言绝句'")
    generate(page)
    await_result(page)
    assert page.locator(".mp-card").count() == 4
    widths = [card.bounding_box()["width"] for card in page.locator(".mp-card").all()]
    assert max(widths) < 450  # side by side
    page.locator("text=按概率上色").click()
    token = page.locator("[data-mp-token]").nth(5)
    token.hover()
    assert page.locator(".mp-popover").is_visible()
    assert page.locator(".mp-popover .mp-rival").count() > 2
    shoot(page, "desktop")
    page.locator("[data-mp-token]").first.focus()
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.dataset.mpToken")
    second = page.locator("[data-mp-token]").nth(1)
    assert focused == second.get_attribute("data-mp-token")
    page.keyboard.press("Escape")
    assert not page.locator(".mp-popover").is_visible()


def test_copy_and_download(visit, address):
    page = visit(address, **DESKTOP)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    prompt(page).fill("春风")
    generate(page)
    await_result(page)
    page.locator("[data-mp-action=copy]").click()
    page.wait_for_selector("text=已复制 Copied")
    whole = "春风" + written(page)
    assert page.evaluate("navigator.clipboard.readText()") == whole
    with page.expect_download() as caught:
        page.locator("[data-mp-action=txt]").click()
    assert Path(caught.value.path()).read_text("utf-8") == whole + "\n"
    with page.expect_download() as caught:
        page.locator("[data-mp-action=jsonl]").click()
    assert caught.value.suggested_filename == "maskplay-7.jsonl"
    record = json.loads(Path(caught.value.path()).read_text("utf-8"))
    assert record["prompt"] + record["texts"][0]["text"] == whole


@pytest.mark.slow
def test_copy_says_how_it_went_and_then_its_own_name_again(visit, address):
    page = visit(address, **DESKTOP)
    prompt(page).fill("春风")
    generate(page)
    await_result(page)
    button = page.locator("[data-mp-action=copy]")
    name = button.inner_text()
    for refusal, said in (
        ("", "已复制 Copied"),
        ("", "已复制 Copied"),  # pressed again while it still says so
        ("navigator.clipboard.writeText = () => Promise.reject()", "已复制 Copied"),
        ("document.execCommand = () => false", "没能复制"),
    ):
        page.evaluate(f"void ({refusal or 0})")  # else a function would be called
        button.click()
        page.wait_for_selector(f"text={said}")
    page.wait_for_function(
        "([one, name]) => one.textContent === name",
        arg=[button.element_handle(), name],
        timeout=10_000,
    )


def test_use_again_brings_back_the_settings_and_the_seed(visit, address):
    page = visit(address, **DESKTOP)
    fill_example(page, "七言绝句 · 明月")
    generate(page)
    await_result(page)
    prompt(page).fill("别的")
    page.locator("text=参数 Settings").first.click()
    seed = page.locator("input[aria-label='随机种子 Seed']")
    assert seed.input_value() == ""
    page.click("#mp-again")
    page.wait_for_function("document.querySelector('textarea').value === '明月'")
    assert seed.input_value() == "7"
    shoot(page, "settings")
    page.locator("text=随机 Random").last.click()
    page.wait_for_timeout(500)
    assert seed.input_value() == ""
    first = written(page)
    generate(page)
    await_result(page)
    assert written(page) == first  # the stand-in's own seed is fixed


@pytest.mark.slow
def test_looking_at_the_settings_changes_nothing(visit, address):
    page = visit(address, **DESKTOP)
    prompt(page).fill("春风")
    page.locator("#mp-settings .label-wrap").click()
    seed = page.locator("input[aria-label='随机种子 Seed']")
    seed.wait_for()
    assert seed.input_value() == ""  # gradio would put a 0 there
    generate(page)
    await_result(page)
    facts = page.locator("#mp-view .mp-facts div", has_text="种子 seed")
    assert facts.locator("dd").inner_text() == "7"  # the stand-in's own


def test_bad_input_is_a_toast_and_the_page_goes_on(visit, address):
    page = visit(address, **DESKTOP)
    page.click("#mp-run")
    page.wait_for_selector("text=“开头”须为 1 到 2000 个字符，收到 0 个。")
    page.wait_for_selector("#mp-run:not([disabled])")
    prompt(page).fill(NASTY)
    generate(page)
    await_result(page)
    assert page.locator(".mp-prompt").first.text_content() == NASTY
    assert page.locator("#x").count() == 0


def test_a_refusal_at_the_door_is_a_toast_too(visit, address):
    page = visit(address, **DESKTOP)
    answer = {"status": 429, "json": {"detail": "排队的人已满，请过一会儿再试。"}}
    page.route("**/queue/join*", lambda route: route.fulfill(**answer))
    prompt(page).fill("春风")
    page.click("#mp-run")
    page.wait_for_selector("text=排队的人已满，请过一会儿再试。")
    page.wait_for_selector("#mp-run:not([disabled])")
    page.unroute("**/queue/join*")
    generate(page)
    await_result(page)
    assert written(page)


def test_an_english_browser_reads_english_toasts(visit, address):
    page = visit(address, **ENGLISH)
    page.click("#mp-run")
    toast = page.wait_for_selector("text=must have 1 to 2000 characters, got 0.")
    assert toast.is_visible()


def test_models_are_loaded_and_unloaded_by_name(visit, address):
    page = visit(address, **DESKTOP)
    page.locator("text=模型 Models").first.click()
    name = page.locator("input[aria-label='权重 Weights']")
    name.fill("../secret")
    name.press("Enter")
    page.locator("button:has-text('载入 Load')").click()
    page.wait_for_selector("text=没有名为 ../secret 的权重")
    name.fill("uer/gpt2-distil")
    name.press("Enter")
    page.locator("button:has-text('载入 Load')").click()
    page.wait_for_function(
        "document.querySelectorAll('.mp-chip.mp-ready').length === 2"
    )
    shoot(page, "models")
    page.locator("button:has-text('卸下 Unload')").click()
    page.wait_for_function(
        "document.querySelectorAll('.mp-chip.mp-ready').length === 1"
    )
    assert page.locator(".mp-chip.mp-ready").count() == 1


@pytest.mark.slow
def test_a_phone_stacks_everything_in_its_width(visit, address):
    page = visit(address, **PHONE)
    fill_example(page, "五言绝句 · 春风")
    generate(page)
    await_result(page)
    cards = [card.bounding_box() for card in page.locator(".mp-card").all()]
    assert len({card["x"] for card in cards}) == 1
    assert width_of(page) <= 390
    page.locator("text=按概率上色").click()
    page.locator("[data-mp-token]").nth(3).tap()
    box = page.locator(".mp-popover").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    shoot(page, "phone")


def test_a_phone_has_both_buttons_of_the_model_panel_under_their_field(visit, address):
    page = visit(address, **PHONE)
    page.locator("#mp-models .label-wrap").first.click()
    row = page.locator("#mp-models .mp-lined")
    row.locator("button:has-text('载入 Load')").wait_for()
    field, load, unload = (
        row.locator(place).first.bounding_box()
        for place in (".block", "button:has-text('Load')", "button:has-text('Unload')")
    )
    assert load["y"] >= field["y"] + field["height"]
    assert unload["y"] == load["y"]
    assert field["width"] > load["width"] + unload["width"]
    assert width_of(page) <= 390


@pytest.mark.slow
def test_the_dark_page_is_dark(visit, address):
    page = visit(address, **DARK)
    fill_example(page, "散文 · 外婆家")
    generate(page)
    await_result(page)
    page.locator("text=按概率上色").click()
    page.locator("text=怎么做到的").click()
    page.wait_for_timeout(400)
    shoot(page, "dark")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", ground)[:3])) < 60


def test_a_file_is_answered_line_by_line(visit, address, tmp_path):
    page = visit(address, **DESKTOP)
    open_tab(page, "文件 Files")
    questions = tmp_path / "questions.jsonl"
    lines = ['{"prompt": "春风", "max_new_tokens": 5}', '{"prompt": ""}', "不是 JSON"]
    questions.write_text("\n".join(lines) + "\n", encoding="utf8")
    page.set_input_files("#mp-files-upload input[type=file]", questions)
    page.wait_for_selector("#mp-files-upload >> text=questions")
    page.click("#mp-files-run")
    page.wait_for_selector(".mp-batch.mp-settled", timeout=PATIENCE_MS)
    assert page.locator(".mp-batch tbody tr").count() == len(lines)
    assert page.locator(".mp-batch tr.mp-failed").count() == 2
    with page.expect_download() as caught:
        page.locator(".mp-batch a.mp-button").first.click()
    answers = Path(caught.value.path()).read_text("utf-8").splitlines()
    assert len(answers) == len(lines)
    assert json.loads(answers[0])["prompt"] == "春风"
    assert "“开头”须为" in json.loads(answers[1])["error"]
    assert "JSON" in json.loads(answers[2])["error"]
    shoot(page, "files")


@pytest.mark.skipif(not EMBEDDED.exists(), reason="no embedded weights in assets yet")
def test_the_real_application_writes_a_poem(visit):
    with running("app.py", "--port", "{port}", "--offline") as address:
        page = visit(address, **DESKTOP)
        page.wait_for_function(
            "!document.querySelector('.mp-chip.mp-loading, .mp-chip.mp-waiting')",
            timeout=3 * PATIENCE_MS,  # the framework loads, beside other tests
        )
        fill_example(page, "五言绝句 · 春风")
        page.click("#mp-run")
        await_result(page)
        page.locator("text=按概率上色").click()
        page.locator("[data-mp-token]", has_text=re.compile(r"\S")).nth(2).hover()
        shoot(page, "real")
        assert len(written(page)) > 5
