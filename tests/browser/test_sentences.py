"""The sentences tab in a real browser: its five parts, from a click to a file."""

import pytest

from tests.browser.tabs import check_phones, check_sentences
from tests.browser.visits import ENGLISH, PHONE, shoot

pytestmark = pytest.mark.browser

PARTS = ("similarity", "nearest", "rephrasing", "classification", "detection")


def test_two_sentences_and_their_cosine(tab):
    pair = tab("similarity")
    pair.fill_example(1)
    pair.run()
    cosine = pair.view.locator(".mp-sent-cosine").inner_text()
    assert 0 < float(cosine) < 1
    name, record = pair.saved_json()
    assert name == "maskplay-similarity.json"
    assert f"{record['cosine']:.3f}" == cosine
    assert record["text"] == pair.field("text").input_value()
    assert record["text_b"] == pair.field("text-b").input_value()
    pair.field("text-b").fill(record["text"])
    pair.run()
    pair.page.wait_for_selector(".mp-sent-cosine >> text=1.000")
    shoot(pair.page, "similarity")


def test_the_nearest_lines_pasted_and_from_a_file(tab, tmp_path):
    nearest = tab("nearest")
    nearest.fill_example()
    nearest.run()
    rows = nearest.view.locator(".mp-sent-lines li")
    assert rows.count() == 5
    name, table = nearest.saved_rows()
    assert name == "maskplay-nearest.csv"
    cosines = [float(row["cosine"]) for row in table]
    assert cosines == sorted(cosines, reverse=True)
    lines = nearest.field("lines").input_value().split("\n")
    assert all(lines[int(row["line"]) - 1] == row["text"] for row in table)
    shoot(nearest.page, "nearest")
    own = tmp_path / "faq.txt"
    own.write_bytes("明天几点开门\n\n快递还要几天到\n".encode("gbk"))
    nearest.page.locator("#mp-nearest-own .label-wrap").click()
    nearest.page.set_input_files("#mp-nearest-upload input[type=file]", own)
    nearest.page.wait_for_selector("#mp-nearest-upload >> text=faq")
    nearest.run()
    assert rows.count() == 2
    assert rows.first.locator("bdi").inner_text() == "快递还要几天到"
    assert "第 3 行 line" in rows.first.inner_text()


def test_a_file_that_is_too_large_is_told_and_never_sent(tab, tmp_path):
    nearest = tab("nearest")
    large = tmp_path / "large.txt"
    with large.open("wb") as stream:
        stream.truncate(5 << 20)
    nearest.page.locator("#mp-nearest-own .label-wrap").click()
    sent = []
    nearest.page.on("request", lambda asked: sent.append(asked.url))
    nearest.page.set_input_files("#mp-nearest-upload input[type=file]", large)
    nearest.page.wait_for_selector("text=这个文件超过 4 MB，没有上传")
    assert [url for url in sent if "upload" in url] == []


def test_classes_of_one_text_and_of_two(tab):
    judge = tab("classification")
    judge.field("text").fill("好，很好，下次还来")
    judge.run()
    assert judge.view.locator(".mp-tally.mp-best b").inner_text() == "好评"
    name, record = judge.saved_json()
    assert name == "maskplay-classes.json"
    assert abs(sum(record["probabilities"].values()) - 1) < 1e-6
    judge.fill_example(4)
    assert judge.field("text-b").input_value()
    judge.run()
    _, table = judge.saved_rows()
    assert {row["label"] for row in table} == {"好评", "差评"}
    shoot(judge.page, "classification")


def test_a_sentence_in_other_words(tab):
    other = tab("rephrasing")
    other.fill_example()
    other.run()
    rows = other.view.locator(".mp-sent-lines li")
    name, record = other.saved_json()
    assert name == "maskplay-rephrasings.json"
    assert rows.locator("bdi").all_inner_texts() == [
        one["text"] for one in record["rephrasings"]
    ]
    shoot(other.page, "rephrasing")


def test_replaced_characters_are_marked_in_their_text(tab):
    check = tab("detection")
    text = "今天<b>天气</b>错得很，\n有点疑"
    check.field("text").fill(text)
    check.run()
    shown = check.view.locator(".mp-sent-text")
    assert shown.inner_text() == text
    assert shown.locator("mark").all_inner_texts() == ["错"]
    _, table = check.saved_rows()
    assert [row["text"] for row in table if float(row["probability"]) > 0.5] == ["错"]
    assert all(
        text[int(row["start"]) : int(row["end"])] == row["text"] for row in table
    )
    shoot(check.page, "detection")


@pytest.mark.slow
def test_a_phone_shows_every_part_in_its_width(tab):
    check_phones(tab(PARTS[0], **PHONE).page, PARTS)


ENGLISH_SENTENCES = {
    "similarity": "“First text” must have 1 to 2000 characters, got 0.",
    "nearest": "“Query” must have 1 to 2000 characters, got 0.",
    "rephrasing": "“Sentence” must have 1 to 100 characters, got 0.",
    "classification": "“Text” must have 1 to 2000 characters, got 0.",
    "detection": "“Text” must have 1 to 2000 characters, got 0.",
}


@pytest.mark.slow
def test_an_english_browser_reads_english_sentences(tab):
    check_sentences(tab(PARTS[0], **ENGLISH).page, ENGLISH_SENTENCES)


def test_a_missing_second_sentence_is_named_in_the_readers_language(tab):
    for kind, sentence in (
        ({}, "“第二句”须为 1 到 2000 个字符，收到 0 个。"),
        (ENGLISH, "“Second text” must have 1 to 2000 characters, got 0."),
    ):
        pair = tab("similarity", **kind)
        pair.field("text").fill("你好")
        pair.run_button.click()
        pair.page.wait_for_selector(f"text={sentence}")
        pair.end()
