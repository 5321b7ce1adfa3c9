"""Manners on stand-ins: what is asked, what is counted, how the card tells it."""

import json
from argparse import Namespace
from pathlib import Path

import pytest

from demos.generation.task import GenerationRequest
from model_core.interfaces import ModelError
from recipes import evaluate_command, evaluation, manners
from recipes.mannercard import manner_rows
from tests.fake_summarizer import FakeSummarizer
from tests.fakes import FakeGenerator, FakePlayer

POEM = "，白日依山尽。\n黄河入海流，疑是地上霜。"  # ends of lines: begun, 尽, 流, 霜
RHYMED = "山，天上霜。\n云，故乡。"
HELD = {
    "modern": [("散文", f"第{n}篇，" + "从前有座山山里有座庙。" * 3) for n in range(9)],
    "novels": [("小说", "却说" + "众人听罢大笑不止一去不回" * 2)],
    "poems": [
        ("五言绝句", "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。"),
        ("七言绝句", "一二三四五六七，东西。\n八，故乡。"),
        ("五言律诗", "白日依山尽，黄河入海流。\n欲穷千里目，更上一层楼。"),
    ],
}


@pytest.fixture(name="corpus")
def fixture_corpus(tmp_path):
    for name, documents in HELD.items():
        rows = (json.dumps({"style": s, "text": t}) for s, t in documents)
        (tmp_path / f"{name}-held.jsonl").write_text("\n".join(rows), encoding="utf8")
    return tmp_path


def test_openings_come_from_every_source_and_fill_up(corpus):
    begun = manners.openings(corpus, 9)
    counts = {n: sum(one.source == n for one in begun) for n in manners.SOURCES}
    assert counts == {"novels": 1, "poems": 3, "modern": 5}
    assert {len(one.text) for one in begun} == {manners.OPENING_CHARS}
    texts = {text for documents in HELD.values() for _, text in documents}
    assert {one.text + one.rest for one in begun} <= texts


def test_no_opening_is_an_error_that_says_so(corpus):
    for name in manners.SOURCES:
        (corpus / f"{name}-held.jsonl").write_text("", encoding="utf8")
    with pytest.raises(ValueError, match="longer than 16 characters"):
        manners.openings(corpus, 5)


def test_samples_are_asked_at_the_pages_defaults(corpus):
    writer = FakeGenerator()
    begun = manners.openings(corpus, 4)
    report = manners.loops(writer, begun)
    expected = [
        GenerationRequest(one.text, max_new_tokens=256, seed=seed).options
        for seed, one in enumerate(begun)
    ]
    assert [options for _, options in writer.asked] == expected
    assert [prompt for prompt, _ in writer.asked] == [one.text for one in begun]
    assert (report["samples"], report["loops"], report["full"]) == (4, 0.0, 0)
    assert report["tokens"] == 24


def test_loops_are_told_apart_from_texts(corpus):
    report = manners.loops(
        FakeGenerator("绕来绕去，" * 60), manners.openings(corpus, 3)
    )
    assert (report["loops"], report["full"], report["loops_full"]) == (1.0, 3, 1.0)
    assert report["most_repeated"] == 51
    assert report["real"] == 0
    assert report["by_source"]["novels"] == {"samples": 1, "loops": 1.0}


def test_rhymes_are_beside_chance_and_poems_of_the_past(corpus):
    turned = FakeGenerator(RHYMED)  # a seed shifts it: only seed 0 is the poem
    report = manners.rhymed(turned, corpus, 1)
    assert (report["poems"], report["rhyme"]) == (2, 1.0)
    assert report["by_form"] == {"五言绝句": 1.0, "七言绝句": 1.0}
    assert report["real_poems"] == 2  # five-character quatrains and seven, no other
    assert report["real"] == 0.5
    assert {o.style for _, o in turned.asked} == set(manners.RHYMED_FORMS)


def test_a_poem_without_a_fourth_line_does_not_rhyme(corpus):
    assert manners.rhymed(FakeGenerator("山，上霜。"), corpus, 1)["rhyme"] == 0


def test_numbers_are_those_of_the_pages_summaries():
    model = FakeSummarizer()
    report = manners.numbers_kept(model, ["甲公司于2019年欠款35元，乙未还，ABC作证。"])
    assert report["summaries"] == 1
    assert report["digits"]["said"] == report["digits"]["kept"] > 0
    assert report["numbers"]["share"] == 1.0
    ((_, options),) = model.asked or [(None, None)]
    assert (options.copy, options.num_beams) == (True, 3)
    assert options.sparse_top_k > 0


def test_a_summary_that_failed_is_an_error():
    model = FakeSummarizer(failures={"坏": ModelError("unsupported", "坏。", "Bad.")})
    with pytest.raises(ModelError, match="Bad"):
        manners.numbers_kept(model, ["坏"])


def test_the_command_gives_one_report(corpus, monkeypatch):
    rows = [{"text": f"欠款{n}元，未还。", "summary": "欠款"} for n in range(4)]
    file = corpus / "dev.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf8")
    parts = {"text_generator": FakeGenerator(), "summarizer": FakeSummarizer()}
    monkeypatch.setattr(evaluation, "load_player", lambda *_: FakePlayer(parts))
    asked = {"weights": Path(), "engine": "auto", "corpus": corpus, "poems": 2}
    report = evaluate_command.score_manners(Namespace(**asked, input=file, limit=3))
    assert report["task"] == "manners"
    assert report["loops"]["samples"] == report["numbers"]["summaries"] == 3
    assert report["rhyme"]["poems"] == 4
    alone = evaluate_command.score_manners(Namespace(**asked, input=None, limit=3))
    assert "numbers" not in alone


def test_the_card_tells_a_row_per_habit():
    made = {
        "loops": {
            "samples": 100,
            "loops": 0.02,
            "full": 30,
            "loops_full": 0.0667,
            "real": 0.01,
        },
        "rhyme": {
            "poems": 40,
            "rhyme": 0.25,
            "chance": 0.1,
            "real": 0.775,
            "real_poems": 120,
        },
        "numbers": {
            "summaries": 88,
            "digits": {"said": 10, "kept": 9, "share": 0.9},
            "numbers": {"said": 4, "kept": 3, "share": 0.75},
            "latin_words": {"said": 0, "kept": 0, "share": 1.0},
            "names": {"said": 8, "kept": 7, "share": 0.875},
        },
    }
    qa = {"examples": 50, "model": {"span": {"no_answer_f1": 0.51}, "mlm": {"f1": 0.1}}}
    rows = list(manner_rows(made, {"qa": qa}))
    assert "| 2.0% | 100 段" in rows[0]
    assert "须低于 3%" in rows[0]
    assert "| 6.7% | 30 段" in rows[1]
    assert "| 25.0% | 40 首 · poems，±13.4（95%）：高于碰巧 · above chance |" in rows[3]
    assert "| 90.0% | 10 个 of 88 篇" in rows[6]
    assert "| 51.0% | span，50 例" in rows[-1]
    assert "| 87.5% | 8 个 of 88 篇" in rows[8]
    assert len(rows) == 10  # of Latin words nothing was said
    assert len(list(manner_rows({**made, "numbers": {}}, {}))) == 6
    within = {**made, "rhyme": {**made["rhyme"], "chance": 0.2}}
    assert "：不高于碰巧 · not above chance |" in list(manner_rows(within, {}))[3]
