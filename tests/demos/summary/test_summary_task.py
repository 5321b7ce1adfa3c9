"""A summary: extraction at once, then the rewriting, within its bounds and true."""

from pathlib import Path

import pytest

from demos.errors import InvalidRequestError
from demos.limits import label_of
from demos.summary.ending import MORE
from demos.summary.examples import EXAMPLES, SAMPLES, caption
from demos.summary.record import ADDED_FIELDS, render_text, to_record
from demos.summary.task import (
    EXTRACT,
    MAX_CLAUSES,
    SummaryRequest,
    extract,
    options_of,
    summarize,
    summarize_many,
)
from model_core.interfaces import ModelError, RewriteFrame, RewriteOptions
from tests.fake_summarizer import FakeSummarizer

ASSETS = Path(__file__).resolve().parents[3] / "assets"
SAMPLE_TEXTS = {
    name: (ASSETS / "samples" / name).read_text("utf-8") for name in SAMPLES
}
TEXT = "今天开会，讨论三件事。空调要换新的；预算八万元，没有异议。散会以后，大家回家。"
WORTH = {"讨论": 0.9, "空调": 0.7, "预算": 0.8}
CHOSEN = "讨论三件事。空调要换新的；预算八万元，"
HOSTILE = {
    "stop": "。",
    "marks": "！？……——\n\n。",
    "hebrew": "שלום עולם. זה טקסט ארוך, עם פסיק; " * 20,
    "mathematics": "设 f(x)=∑ₙ aₙxⁿ，∀ε>0，∃δ>0：|x|<δ ⇒ |f(x)|<ε。∴ □" * 9,
    "no stop": "这句话没有句号也没有逗号" * 40,
    "emoji": "\U0001f469\u200d\U0001f467" * 30,
    "one character": "春",
    "blank lines": "一\n\n\n\n二\n\n\n\n三",
    "longest": "春天来了，花开了。" * 2222 + "夏至",
}
SIGNS = {"stop", "marks", "emoji"}  # can be extracted from; there is nothing to rewrite


def model_of(**settings):
    return FakeSummarizer(**{"worth": WORTH, **settings})


def results(text=TEXT, model=None, **asked):
    return list(summarize(SummaryRequest(text, **asked), model or model_of()))


def check_laws(result):
    """Whatever was asked: offsets slice, copies are true, bounds are kept."""
    text, draft = result.request.text, result.draft
    assert len(draft.text) <= result.request.max_chars
    for clause in result.extraction.clauses:
        assert text[clause.start : clause.end] == clause.text
    for one in to_record(result)["extracted"]:
        start = one["start"]
        assert text[start : start + len(one["text"])] == one["text"] != ""
        assert 0 <= one["score"] <= 1
    for span in draft.copied:
        there = text[span.source_start : span.source_start + span.end - span.start]
        assert draft.text[span.start : span.end] == there != ""


def begun(text, **given):
    return extract(SummaryRequest(text, **given), model_of())


def test_a_summary_fills_most_of_its_room_and_never_more_than_its_source():
    long, some = "空调要换。" * 80, "空调要换。" * 12
    least = [
        options_of(begun(text, max_chars=room), model_of()).min_new_tokens
        for text, room in ((long, 150), (long, 300), (some, 300), ("春", 300))
    ]
    taken = [
        len(begun(text, max_chars=300).extraction.passage.text) for text in (some, "春")
    ]
    assert least[:2] == [90, 120]
    assert least[2] == int(0.6 * taken[0]) // 30 * 30
    assert least[3] == 8


def test_defaults_are_those_of_the_contract():
    assert options_of(begun("春"), model_of()) == RewriteOptions(
        part="summary",
        max_new_tokens=150,
        min_new_tokens=8,
        num_beams=3,
        num_return=1,
        no_repeat_ngram_size=10,
        no_loop_ngram_size=3,
        copy=True,
        sparse_top_k=10,
    )


def test_the_switches_reach_the_model():
    switches = {"copy": False, "sparse": False, "num_beams": 5, "max_chars": 80}
    options = options_of(begun("春", **switches), model_of())
    assert (options.copy, options.sparse_top_k) == (False, 0)
    assert (options.num_beams, options.max_new_tokens) == (5, 80)


def test_the_extraction_comes_first_and_the_summary_grows_after_it():
    first, *growing = results()
    assert first.draft.text == ""
    assert first.frame is None
    assert first.extraction.passage.text == CHOSEN
    texts = [result.draft.text for result in growing]
    assert texts[:3] == [CHOSEN[:1], CHOSEN[:2], CHOSEN[:3]]
    assert texts[-1] == CHOSEN
    assert {result.extraction for result in growing} == {first.extraction}
    assert [result.finished for result in growing].index(True) == len(growing) - 1


def test_only_what_was_extracted_is_rewritten():
    model = model_of()
    results(model=model)
    ((source, _),) = model.asked
    assert source == CHOSEN


def test_extracting_alone_asks_the_rewriter_nothing():
    model = model_of()
    (result,) = results(model=model, mode=EXTRACT)
    assert model.asked == []
    assert result.finished
    assert result.draft.text == CHOSEN[:-1] + "。"
    check_laws(result)


def test_an_extract_keeps_the_best_within_its_bound():
    text = "甲" * 15 + "，" + "乙" * 15 + "，" + "丙" * 15 + "。"
    model = model_of(worth={"甲": 0.5, "乙": 0.9, "丙": 0.6})
    (result,) = results(text, model, mode=EXTRACT, max_chars=35)
    assert result.draft.text == "乙" * 15 + "，" + "丙" * 15 + "。"
    assert result.draft.finish == "stop"


def test_a_single_clause_that_is_too_long_is_cut_and_said_so():
    (result,) = results("长" * 64, mode=EXTRACT, max_chars=20)
    assert result.draft.text == "长" * 19 + MORE
    assert result.draft.finish == "length"
    check_laws(result)


def test_copied_stretches_point_into_the_whole_text():
    result = results()[-1]
    (span,) = result.draft.copied
    assert (span.start, span.end) == (0, len(CHOSEN))
    assert span.source_start == TEXT.index("讨论")


def test_without_the_switch_or_the_head_nothing_is_copied():
    off = results(copy=False)[-1]
    headless = results(model=model_of(can_copy=False))[-1]
    for result in (off, headless):
        assert result.draft.copied == ()
        assert not result.copying
    assert headless.draft.text == CHOSEN


def test_a_summary_that_grows_too_long_ends_at_a_clause():
    text = "空调要换新的；" * 4
    frames = results(text, max_chars=20)
    result = frames[-1]
    assert frames[-2].draft.text == text[:19]
    assert result.draft.text == "空调要换新的；空调要换新的…"
    assert result.draft.finish == "length"
    check_laws(result)


def test_where_nothing_is_worth_much_the_best_few_are_rewritten():
    first, *_ = results(model=model_of(worth={}), threshold=0.9)
    assert len(first.extraction.chosen) == 5


def test_what_is_extracted_leaves_room_for_the_summary():
    assert SummaryRequest("春", max_chars=50).source_chars == 400
    assert SummaryRequest("春", max_chars=150).source_chars == 350
    assert SummaryRequest("春", max_chars=500).source_chars == 200
    assert SummaryRequest("春", max_chars=500, mode=EXTRACT).source_chars == 500


@pytest.mark.parametrize("mode", ["full", "extract"])
@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_keep_every_law_in_every_frame(name, mode):
    model = model_of(worth={"年": 0.6, "租金": 0.5, "本院": 0.7})
    frames = results(SAMPLE_TEXTS[name], model, mode=mode)
    for result in frames:
        check_laws(result)
    assert frames[-1].draft.text
    assert frames[-1].finished


@pytest.mark.parametrize("max_chars", [20, 500])
@pytest.mark.parametrize("mode", ["full", "extract"])
@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_is_text_is_summarised_within_the_laws(name, mode, max_chars):
    text = HOSTILE[name][:20_000]
    if name in SIGNS and mode == "full":
        with pytest.raises(InvalidRequestError, match=r"“正文”里没有字.*needs words"):
            SummaryRequest(text, mode=mode, max_chars=max_chars)
        return
    *_, result = results(text, mode=mode, max_chars=max_chars)
    check_laws(result)
    assert result.draft.text
    assert result.finished


def test_a_very_long_text_is_read_from_its_end_and_says_so():
    model = model_of()
    text = ("春天来了，" * 6 + "花开了。") * 580
    (result,) = results(text, model, mode=EXTRACT)
    assert len(result.extraction.clauses) <= MAX_CLAUSES
    skipped = result.extraction.num_chars_skipped
    assert 0 < skipped < len(text)
    assert "".join(one.text for one in result.extraction.clauses) == text[skipped:]
    check_laws(result)


def test_a_scorer_is_never_asked_for_more_than_it_takes():
    model = model_of(max_clauses=3)
    (result,) = results("甲，乙，丙，丁。戊，己。庚，", model, mode=EXTRACT)
    assert model.scored == [("甲，乙，丙，丁。", "戊，己。", "庚，")]
    assert result.extraction.num_chars_skipped == 0


def test_closing_the_results_stops_the_model():
    model = model_of()
    running = summarize(SummaryRequest(TEXT), model)
    next(running)
    next(running)
    running.close()
    assert model.closed == 1


def test_weights_that_write_no_summaries_say_so():
    with pytest.raises(ModelError, match=r"Cannot write that\."):
        results(model=model_of(parts=("title",)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", ""),
        ("text", " \n\t "),
        pytest.param("text", "长" * 20_001, id="long"),
        pytest.param("text", "a\ud800", id="surrogate"),
        ("text", 3),
        ("max_chars", 19),
        ("max_chars", 501),
        ("max_chars", 20.5),
        ("mode", "generate"),
        ("mode", ""),
        ("mode", None),
        ("copy", "true"),
        ("copy", 1),
        ("sparse", None),
        ("threshold", -0.1),
        ("threshold", 1.1),
        ("threshold", float("nan")),
        ("num_beams", 0),
        ("num_beams", 9),
    ],
)
def test_a_field_outside_its_limit_is_refused_by_its_label(field, value):
    label = label_of(SummaryRequest, field)
    with pytest.raises(InvalidRequestError, match=f"“{label.zh}”.* / “{label.en}” "):
        SummaryRequest(**{"text": "春", field: value})


def test_a_batch_answers_in_order_as_one_by_one():
    model = model_of()
    requests = [
        SummaryRequest(TEXT),
        SummaryRequest("空调很旧，要换。"),
        SummaryRequest(TEXT, mode=EXTRACT),
        SummaryRequest(TEXT, num_beams=1),
    ]
    answers = list(summarize_many(requests, model))
    assert model.batches == [2, 1]
    assert [answer.request for answer in answers] == requests
    alone = [list(summarize(request, model_of()))[-1] for request in requests]
    assert [one.draft for one in answers] == [one.draft for one in alone]


def test_a_failure_in_a_batch_stands_in_its_place():
    failure = ModelError("busy", "忙。", "Busy.")
    unread = ModelError("unsupported", "读不了。", "Unreadable.")
    model = model_of(failures={"空调坏了。": failure, "甲。": unread})
    texts = ("空调很旧。", "空调坏了。", "甲。", "空调要换。")
    answers = list(summarize_many([SummaryRequest(text) for text in texts], model))
    assert answers[1] is failure
    assert answers[2] is unread
    assert [answers[n].draft.text for n in (0, 3)] == ["空调很旧。", "空调要换。"]


def test_a_batch_that_cannot_be_written_at_all_fails_line_by_line():
    class Unable(FakeSummarizer):
        def rewrite_many(self, sources, options):
            raise ModelError("unsupported", "不会写。", "Unable.")

    requests = [SummaryRequest("春。"), SummaryRequest("夏。"), SummaryRequest("秋。")]
    answers = list(summarize_many(requests, Unable()))
    assert [str(answer) for answer in answers] == ["不会写。 / Unable."] * 3


def test_a_frame_without_a_text_shows_none():
    class Wordless(FakeSummarizer):
        def rewrite(self, source, options):
            yield RewriteFrame((), len(source), 0, 0.1, self.weights)

    _, result = results(model=Wordless())
    assert (result.draft.text, result.finished) == ("", False)


def test_the_record_has_the_contracts_names():
    record = to_record(results("开会。空调要换。散会。", threshold=0.5)[-1])
    assert record == {
        "text": "开会。空调要换。散会。",
        "summary": "空调要换。",
        "finish": "stop",
        "extracted": [{"text": "空调要换。", "start": 3, "score": 0.7}],
        "weights": "embedded",
    }
    assert {"text", *ADDED_FIELDS} == record.keys()


def test_the_record_of_a_stopped_run_says_so():
    *growing, last = results("开会。空调要换。散会。", threshold=0.5)
    assert {to_record(result)["finish"] for result in growing} == {""}
    assert to_record(last)["finish"] == "stop"
    (cut,) = results("长" * 64, mode=EXTRACT, max_chars=20)
    assert to_record(cut)["finish"] == "length"


def test_a_terminal_shows_nothing_that_a_beam_may_take_back():
    texts = [render_text(result) for result in results("空调要换。")]
    assert texts == [""] * (len(texts) - 1) + ["空调要换。"]


def test_every_example_and_sample_is_a_request_with_a_name_of_its_own():
    assert all(1_000 <= len(text) <= 2_500 for text in SAMPLE_TEXTS.values())
    names = [*SAMPLES.values(), *map(caption, EXAMPLES)]
    assert len(set(names)) == len(names) >= 4
    assert {example.mode for example in EXAMPLES} == {"full", "extract"}
