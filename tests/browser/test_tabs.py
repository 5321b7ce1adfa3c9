"""One flow per tab in a real browser: example, run, result, what one takes away."""

import json
import re
import time
from pathlib import Path

import pytest

from tests.browser.tabs import TABS, check_phones, check_sentences
from tests.browser.visits import (
    DESKTOP,
    ENGLISH,
    PATIENCE_MS,
    PHONE,
    open_tab,
    running_now,
    shoot,
)
from tests.fake_text_rewriter import SLOWLY

pytestmark = pytest.mark.browser

PLAYS = ("title", "triples", "qa", "facts", "fewshot", "summary")
LONG = {"title": 4, "summary": 3}  # the first example that takes a while to write
FAMILY, NOVELS = 5, 6  # among the examples of triples: texts that the stand-in knows
EXTRACT = 0  # among those of summaries: one that is only extracted


def posts_of(page):
    """Return the list that grows with every request that may start a computation."""
    posts = []
    page.on(
        "request",
        lambda asked: "/queue/join" in asked.url and posts.append(asked.url),
    )
    return posts


def test_headlines_with_their_scores_and_the_mask_of_this_very_request(tab):
    title = tab("title")
    assert title.page.locator("#mp-title-stop").is_disabled()
    title.fill_example(LONG["title"])
    title.run()
    cards = title.view.locator(".mp-titles > .mp-card")
    assert cards.count() == 3
    assert "模型的窗口只装得下前 400 字" in title.view.inner_text()
    shares = cards.locator(".mp-confidence b").all_inner_texts()
    assert all(re.fullmatch(r"\d+%", share) for share in shares)
    best = cards.first.locator(".mp-text").inner_text()
    assert title.copied() == best
    name, record = title.saved_json()
    assert name == "maskplay-titles.json"
    assert [one["text"] for one in record["titles"]] == (
        cards.locator(".mp-text").all_inner_texts()
    )
    title.page.locator("#mp-title-how .label-wrap").click()
    mask = title.page.locator("#mp-title-mask")
    mask.locator(".mp-whole svg").wait_for()
    assert "标 target" in mask.inner_text()
    shoot(title.page, "title")


def test_titles_never_exceed_the_beams(tab):
    title = tab("title")
    beams, titles = (
        title.page.locator(f"input[type=number][aria-label*='{name}']")
        for name in ("束宽", "标题数")
    )
    titles.fill("7")
    titles.press("Enter")
    title.page.wait_for_function(
        "beams => beams.value === '7'", arg=beams.element_handle()
    )
    beams.fill("2")
    beams.press("Enter")
    title.page.wait_for_function(
        "titles => titles.value === '2'", arg=titles.element_handle()
    )
    assert int(titles.input_value()) == int(beams.input_value())


@pytest.mark.parametrize("name", LONG)
def test_stop_frees_the_slot_and_keeps_what_is_there(tab, address, name):
    writing = tab(name)
    writing.fill_example(LONG[name])
    text = writing.field("text")
    text.fill(f"大运河{SLOWLY}，{text.input_value()}")
    writing.begin()
    writing.stop(address)
    assert "停在这里 stopped" in writing.view.inner_text()
    assert writing.page.locator(f"#mp-{name}-stop").is_disabled()


def test_triples_marked_tabled_drawn_and_filtered_without_asking_again(tab):
    triples = tab("triples")
    triples.fill_example(NOVELS)
    triples.run()
    rows = triples.view.locator("tbody tr")
    assert rows.count() == 3
    text = triples.field("text").input_value()
    marked = triples.view.locator(".mp-marked")
    assert marked.inner_text() == text
    assert marked.locator(".mp-subject").all_inner_texts()[0] == "红楼梦"
    assert marked.locator(".mp-object").all_inner_texts()[0] == "曹雪芹"
    assert triples.view.locator("svg .mp-node").count() == 6
    rows.first.hover()
    assert triples.view.locator(".mp-marked .mp-lit").all_inner_texts() == [
        "红楼梦",
        "曹雪芹",
    ]
    posts = posts_of(triples.page)
    slider = triples.page.locator("#mp-triples-threshold input[type=range]")
    slider.focus()
    for _ in range(15):
        slider.press("ArrowLeft")
    triples.page.wait_for_function(
        "document.querySelectorAll('#mp-triples-view tbody tr').length === 4"
    )
    assert posts == []  # no model was asked
    assert triples.copied().split("\n")[0] == "红楼梦\t作者\t曹雪芹"
    name, table = triples.saved_rows()
    assert name == "maskplay-triples.csv"
    assert [row["object"] for row in table] == ["曹雪芹", "吴承恩", "罗贯中", "施耐庵"]
    for row in table:
        start = int(row["subject_start"])
        assert text[start:].startswith(row["subject"])
    _, record = triples.saved_json()
    assert (record["threshold"], len(record["triples"])) == (0.35, 4)
    shoot(triples.page, "triples")


def test_known_relations_are_picked_and_written_as_lines(tab):
    triples = tab("triples")
    triples.page.locator("#mp-triples-schema .label-wrap").click()
    picker = triples.page.locator("input[aria-label='认识的关系 Known relations']")
    picker.click()
    triples.page.get_by_role("option", name="人物 父亲 → 人物").click()
    schema = triples.page.locator("#mp-triples-schema textarea")
    triples.page.wait_for_function(
        "field => field.value.includes('父亲')", arg=schema.element_handle()
    )
    triples.fill_example(FAMILY)
    triples.page.wait_for_function(
        "field => field.value === ''", arg=schema.element_handle()
    )
    schema.fill("人物 父亲 人物")
    triples.run()
    assert triples.view.locator("tbody td:nth-child(2)").all_inner_texts() == ["父亲"]


def test_an_answer_in_its_passage_with_the_modes_side_by_side(tab):
    qa = tab("qa")
    qa.fill_example()
    qa.page.locator("#mp-qa-compare input").check()
    qa.run()
    assert qa.view.locator(".mp-qa-answer .mp-text").inner_text() == "李希霍芬"
    assert qa.view.locator(".mp-mode").count() == 3
    times = qa.view.locator(".mp-mode .mp-time").all_inner_texts()
    assert all(re.search(r"\d+ ms · \d+ 步 steps", time) for time in times)
    found = qa.view.locator(".mp-chosen-passage mark.mp-found")
    assert found.inner_text() == "李希霍芬"
    assert found.is_visible()
    assert qa.view.locator(".mp-passage").count() == 3
    assert qa.copied() == "李希霍芬"
    name, record = qa.saved_json()
    assert (name, record["answer"]) == ("maskplay-answer.json", "李希霍芬")
    passage = record["passages"][record["passage"]]
    assert passage[record["start"] :].startswith("李希霍芬")
    _, table = qa.saved_rows()
    assert {row["mode"] for row in table} == {"mlm", "seq2seq", "span"}
    shoot(qa.page, "qa")


def test_no_answer_is_an_answer(tab):
    qa = tab("qa")
    qa.fill_example(3)
    qa.run()
    assert "没有答案" in qa.view.locator(".mp-qa-answer").inner_text()
    assert qa.view.locator("[data-mp-action=copy]").count() == 0
    assert qa.view.locator("mark.mp-found").count() == 0


def build_base(facts, path):
    own = facts.page.locator("#mp-facts-own .label-wrap")
    if "open" not in own.get_attribute("class"):
        own.click()
    clear = facts.page.locator("#mp-facts-upload button[aria-label='清除']")
    if clear.count():
        clear.click()
    facts.page.set_input_files("#mp-facts-upload input[type=file]", path)
    facts.page.wait_for_selector(f"#mp-facts-upload >> text={path.stem}")
    facts.page.click("#mp-facts-build")


def test_a_base_of_facts_the_sample_and_ones_own(tab, tmp_path):
    facts = tab("facts")
    facts.field("question").fill("土星的最大的卫星叫什么？")
    facts.run()
    answer = facts.view.locator(".mp-qa-answer .mp-text")
    assert answer.inner_text() == "土卫六"
    assert "树节点 nodes" in facts.page.locator("#mp-facts-in-use").inner_text()
    _, table = facts.saved_rows()
    assert table[0]["object"] == "土卫六"
    own = tmp_path / "mylake.csv"
    own.write_bytes("玄武湖,所在城市,南京\n玄武湖,面积,五平方公里\n".encode("gbk"))
    build_base(facts, own)
    facts.page.wait_for_selector("#mp-facts-progress >> text=建好了")
    assert "mylake.csv" in facts.page.locator("#mp-facts-in-use").inner_text()
    facts.field("question").fill("玄武湖的所在城市是哪里？")
    facts.run()
    assert answer.inner_text() == "南京"
    shoot(facts.page, "facts")
    broken = tmp_path / "broken.csv"
    broken.write_text("甲,乙,丙\n甲,乙\n丁\n", encoding="utf8")
    build_base(facts, broken)
    facts.page.wait_for_selector("text=共 2 行缺列")
    facts.page.wait_for_selector("text=第 2、3 行")
    assert "mylake.csv" in facts.page.locator("#mp-facts-in-use").inner_text()
    facts.page.locator("button:has-text('改用示例库')").click()
    facts.page.wait_for_selector("#mp-facts-in-use >> text=示例库")


def test_what_is_too_large_is_told_and_never_sent(tab, tmp_path):
    facts = tab("facts")
    large = tmp_path / "large.tsv"
    with large.open("wb") as stream:
        stream.truncate(65 << 20)
    facts.page.locator("#mp-facts-own .label-wrap").click()
    sent = []
    facts.page.on("request", lambda asked: sent.append(asked.url))
    facts.page.set_input_files("#mp-facts-upload input[type=file]", large)
    facts.page.wait_for_selector("text=这个文件超过 64 MB，没有上传")
    assert [url for url in sent if "upload" in url] == []
    assert facts.page.locator("[data-mp-upload=mp-files-upload]").is_hidden()


def test_learning_from_examples_keep_ask_drop(tab):
    fewshot = tab("fewshot")
    fewshot.fill_example()
    fewshot.run()
    before = fewshot.view.locator(".mp-tally").all_inner_texts()
    assert len(before) == 2
    assert fewshot.page.locator("#mp-fewshot-who").is_hidden()
    fewshot.page.locator("#mp-fewshot-learn .label-wrap").first.click()
    lesson = fewshot.page.locator("#mp-lesson-view")
    assert fewshot.page.locator("#mp-lesson-keep").is_disabled()
    fewshot.page.click("#mp-lesson-sample")
    lines = fewshot.page.locator("#mp-lesson-lines textarea")
    fewshot.page.wait_for_function(
        "field => field.value.includes('好评')", arg=lines.element_handle()
    )
    fewshot.page.click("#mp-lesson-run")
    lesson.locator(".mp-streaming .mp-curve circle").nth(3).wait_for()
    shoot(fewshot.page, "learning")
    lesson.locator(".mp-settled .mp-compare").wait_for(timeout=PATIENCE_MS)
    told = lesson.inner_text()
    assert "学之前 zero-shot" in told
    assert "学之后 few-shot" in told
    fewshot.page.click("#mp-lesson-keep:not([disabled])")
    fewshot.page.locator("#mp-fewshot-who").wait_for()
    fewshot.run()
    assert "学过的权重 learned" in fewshot.view.inner_text()
    assert fewshot.view.locator(".mp-tally").all_inner_texts() != before
    with fewshot.page.expect_download() as caught:
        fewshot.page.click("#mp-lesson-pack")
    assert caught.value.suggested_filename == "maskplay-learned.zip"
    shoot(fewshot.page, "fewshot")
    fewshot.page.click("#mp-lesson-drop")
    fewshot.page.locator("#mp-fewshot-who").wait_for(state="hidden")
    fewshot.run()
    assert fewshot.view.locator(".mp-tally").all_inner_texts() == before


def test_a_lesson_can_be_stopped_and_leaves_nothing(tab, address):
    fewshot = tab("fewshot")
    fewshot.page.locator("#mp-fewshot-learn .label-wrap").first.click()
    fewshot.page.click("#mp-lesson-sample")
    lines = fewshot.page.locator("#mp-lesson-lines textarea")
    fewshot.page.wait_for_function(
        "field => field.value.includes('好评')", arg=lines.element_handle()
    )
    fewshot.page.click("#mp-lesson-run")
    fewshot.page.locator("#mp-lesson-view .mp-curve circle").nth(3).wait_for()
    fewshot.page.click("#mp-lesson-stop:not([disabled])")
    fewshot.page.wait_for_selector("#mp-lesson-view >> text=停在这里 stopped")
    fewshot.page.wait_for_selector("#mp-lesson-run:not([disabled])")
    assert fewshot.page.locator("#mp-lesson-keep").is_disabled()
    asked = time.monotonic()
    while running_now(address):
        assert time.monotonic() - asked < 2, "the lesson goes on"


def test_a_play_brings_its_pattern_labels_and_examples(tab):
    fewshot = tab("fewshot")
    assert fewshot.field("text-b").is_hidden()
    fewshot.page.get_by_label("蕴含 Entailment").check()
    fewshot.field("text-b").wait_for()
    fewshot.fill_example(1)
    assert fewshot.field("text").input_value() == "商店门口排着长队"
    assert fewshot.field("text-b").input_value() == "商店今天在打折"
    fewshot.run()
    assert fewshot.view.locator(".mp-tally").count() == 3
    name, record = fewshot.saved_json()
    assert name == "maskplay-label.json"
    assert abs(sum(record["probabilities"].values()) - 1) < 1e-6
    _, table = fewshot.saved_rows()
    assert {row["label"] for row in table} == {"蕴含", "中立", "矛盾"}
    assert fewshot.copied() == record["filled"]


def test_a_summary_with_its_clauses_shaded_and_its_copies_traced(tab):
    summary = tab("summary")
    summary.fill_example(LONG["summary"])
    summary.run()
    clause = summary.view.locator(".mp-source-text .mp-taken").first

    def shade():
        return clause.evaluate("one => getComputedStyle(one).backgroundColor")

    shaded = shade()
    summary.page.locator("#mp-summary-shade input").uncheck()
    summary.page.wait_for_function("document.body.classList.contains('mp-unshaded')")
    summary.page.wait_for_timeout(300)  # the shade fades
    assert shade() != shaded
    summary.page.locator("#mp-summary-shade input").check()
    copied = summary.view.locator(".mp-copied")
    copied.nth(1).hover()
    assert summary.view.locator(".mp-source-text .mp-lit").count() == 1
    name, record = summary.saved_json()
    assert name == "maskplay-summary.json"
    for span in record["copied"]:
        start, length = span["source_start"], span["end"] - span["start"]
        written = record["summary"][span["start"] : span["end"]]
        assert record["text"][start : start + length] == written
    assert summary.copied() == record["summary"]
    summary.page.locator("#mp-summary-how .label-wrap").click()
    summary.page.locator("#mp-summary-mask .mp-whole svg").wait_for()
    shoot(summary.page, "summary")


def test_extracting_alone_writes_nothing_new(tab):
    summary = tab("summary")
    summary.fill_example(EXTRACT)
    assert summary.page.get_by_label("只抽取 Extract only").is_checked()
    summary.run()
    _, record = summary.saved_json()
    assert record["mode"] == "extract"
    assert record["summary"]
    copied = sum(span["end"] - span["start"] for span in record["copied"])
    assert copied >= len(record["summary"]) - 1  # at most a stop is added


@pytest.mark.slow
def test_a_phone_shows_every_tab_in_its_width(tab):
    check_phones(tab(PLAYS[0], **PHONE).page, PLAYS)


ENGLISH_SENTENCES = {
    "title": "“Article” must have 1 to 20000 characters, got 0.",
    "triples": "“Text” must have 1 to 20000 characters, got 0.",
    "qa": "“Question” must have 1 to 200 characters, got 0.",
    "facts": "“Question” must have 1 to 200 characters, got 0.",
    "fewshot": "“Text” must have 1 to 2000 characters, got 0.",
    "summary": "“Text” must have 1 to 20000 characters, got 0.",
}


def test_an_english_browser_reads_english_sentences_on_every_tab(tab):
    check_sentences(tab(PLAYS[0], **ENGLISH).page, ENGLISH_SENTENCES)


def choose_task(page, name):
    page.locator("#mp-files-task input").click()
    page.get_by_role("option", name=name).click()


@pytest.mark.parametrize(
    ("task", "column", "field"),
    [("标题生成 Title", "text", "titles"), ("三元组抽取 Triples", "text", "triples")],
)
def test_a_file_is_answered_by_the_chosen_task(
    visit, address, tmp_path, task, column, field
):
    page = visit(address, **DESKTOP)
    open_tab(page, "文件 Files")
    choose_task(page, task)
    page.wait_for_selector(f"#mp-files-rules >> text={field[:-1]}")
    questions = tmp_path / "questions.csv"
    lines = ["编号,text", "甲,《史记》的作者是司马迁。", "乙,", "丙,苏轼号东坡居士。"]
    questions.write_bytes("\n".join(lines).encode("gbk"))
    page.set_input_files("#mp-files-upload input[type=file]", questions)
    page.wait_for_selector("#mp-files-upload >> text=questions")
    page.locator(".label-wrap:visible", has_text="每行通用的参数").click()
    page.click("#mp-files-run")
    page.wait_for_selector(".mp-batch.mp-settled", timeout=PATIENCE_MS)
    assert page.locator(".mp-batch tbody tr").count() == 3
    assert page.locator(".mp-batch tr.mp-failed").count() == 1
    with page.expect_download() as caught:
        page.locator(".mp-batch a.mp-button").first.click()
    records = Path(caught.value.path()).read_text("utf-8").splitlines()
    answers = [json.loads(record) for record in records]
    assert [answer["编号"] for answer in answers] == ["甲", "乙", "丙"]
    assert answers[0][field]
    assert "字符" in answers[1]["error"] or "没有给出" in answers[1]["error"]
    shoot(page, f"files-{field}")


def test_weights_that_are_loaded_are_offered_on_every_tab(visit, address):
    page = visit(address, **DESKTOP)
    page.locator("text=模型 Models").first.click()
    name = page.locator("input[aria-label='权重 Weights']").first
    name.fill("uer/gpt2-distil")
    name.press("Enter")
    page.locator("button:has-text('载入 Load')").click()
    page.wait_for_function(
        "document.querySelectorAll('.mp-chip.mp-ready').length === 2"
    )
    open_tab(page, TABS["summary"])
    page.locator("#mp-summary-settings .label-wrap").click()
    choice = page.locator("#mp-summary-settings input[aria-label*='由谁来答']")
    choice.click()
    page.get_by_role("option", name="uer/gpt2-distil").click()
    page.locator("button:has-text('卸下 Unload')").click()
    page.wait_for_function(
        "field => field.value.startsWith('自动')", arg=choice.element_handle()
    )
    choice.click()
    assert not page.get_by_role("option", name="uer/gpt2-distil").count()
