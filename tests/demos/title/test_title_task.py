"""Headlines: one question to the model, its frames passed on, batches kept in order."""

from pathlib import Path

import pytest

from demos.errors import InvalidRequestError
from demos.limits import label_of
from demos.title.examples import EXAMPLES, SAMPLES, caption
from demos.title.record import ADDED_FIELDS, render_text, to_record
from demos.title.task import PART, Title, TitleRequest, write_many, write_titles
from model_core.interfaces import Candidate, ModelError, RewriteOptions, TokenScore
from tests.fake_text_rewriter import FakeRewriter

ASSETS = Path(__file__).resolve().parents[3] / "assets"
ARTICLE = "湖边来了候鸟，数量比去年多。孩子们去看，老师讲解。"
SAID_TWICE = "好天气，好天气，好天气。"


def results(text=ARTICLE, model=None, **asked):
    return list(write_titles(TitleRequest(text, **asked), model or FakeRewriter()))


def texts_of(result):
    return [title.text for title in result.titles]


def test_defaults_are_those_of_the_contract():
    assert TitleRequest("春").options == RewriteOptions(
        part="title",
        max_new_tokens=32,
        min_new_tokens=4,
        num_beams=4,
        num_return=3,
        length_penalty=1.0,
        no_repeat_ngram_size=3,
    )


@pytest.mark.parametrize(("beams", "titles"), [(1, 1), (2, 2), (3, 3), (8, 3)])
def test_three_titles_are_returned_or_as_many_as_there_are_beams(beams, titles):
    assert TitleRequest("春", num_beams=beams).options.num_return == titles


def test_every_setting_reaches_the_model_under_its_name():
    given = {
        "num_beams": 7,
        "num_return": 5,
        "max_new_tokens": 20,
        "min_new_tokens": 6,
        "length_penalty": 0.5,
    }
    model = FakeRewriter()
    results(model=model, **given)
    ((text, options),) = model.asked
    assert (text, options.part) == (ARTICLE, PART)
    assert {name: getattr(options, name) for name in given} == given


def test_each_result_is_the_whole_so_far():
    frames = results(max_new_tokens=8)
    firsts = [texts_of(frame)[0] for frame in frames]
    assert firsts == [ARTICLE[:n] for n in range(1, 9)]
    assert [frame.finished for frame in frames] == [False] * 7 + [True]
    assert [frame.frame.attention is None for frame in frames] == [True] * 7 + [False]


def test_titles_come_best_first_with_their_scores():
    titles = results(max_new_tokens=4)[-1].titles
    assert [title.log_prob for title in titles] == [-2.0, -3.0, -4.0]
    assert [title.mean_log_prob for title in titles] == [-0.5, -0.75, -1.0]
    assert [title.score for title in titles] == [-0.5, -0.75, -1.0]


def test_halves_of_a_headline_stand_a_space_apart():
    tokens = tuple(TokenScore(text, -1.0) for text in ("甲", "\n", "乙丙"))
    title = Title(Candidate("甲\n乙丙", -3.0, tokens, "stop"), -1.0)
    assert title.text == "甲 乙丙"
    assert "".join(token.text for token in title.tokens) == title.text


def test_a_text_that_two_beams_write_is_told_once_as_its_best():
    result = results(SAID_TWICE, max_new_tokens=4, num_return=3)[0]
    assert texts_of(result) == ["好"]
    assert result.titles[0].log_prob == -0.5


def test_what_did_not_fit_is_told_and_blanks_are_no_loss():
    model = FakeRewriter(window=len(ARTICLE))
    assert results(ARTICLE + "\n \n", model)[-1].read_whole
    cut = results(ARTICLE + "后来", model)[-1]
    assert not cut.read_whole
    assert cut.num_chars_read == len(ARTICLE)


def test_closing_the_results_stops_the_model():
    model = FakeRewriter()
    running = write_titles(TitleRequest(ARTICLE), model)
    next(running)
    assert model.closed == 0
    running.close()
    assert model.closed == 1


def test_weights_that_write_no_titles_say_so():
    with pytest.raises(ModelError, match=r"Cannot write that\."):
        results(model=FakeRewriter(parts=("summary",)))


@pytest.mark.parametrize(
    "text",
    [
        "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",  # right to left
        "∫₀¹ x² dx = ⅓，∀ε>0 ∃δ>0",
        "没有句号的一句话",
        "\U0001f469\u200d\U0001f467一家",
        "长" * 20_000,
    ],
    ids=["hebrew", "mathematics", "no stop", "emoji and words", "longest"],
)
def test_whatever_is_text_gets_a_title(text):
    result = results(text)[-1]
    assert result.titles
    assert result.num_chars_read <= len(text)


@pytest.mark.parametrize("text", ["。", "！？……——", "\U0001f469\u200d\U0001f467"])
def test_signs_alone_have_no_title(text):
    with pytest.raises(InvalidRequestError, match=r"“文章”里没有字.*“Article” needs"):
        TitleRequest(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", ""),
        ("text", " \n\t "),
        pytest.param("text", "长" * 20_001, id="long"),
        pytest.param("text", "a\ud800", id="surrogate"),
        ("text", "a\x00"),
        ("text", None),
        ("text", ["春"]),
        ("num_beams", 0),
        ("num_beams", 9),
        ("num_beams", 2.5),
        ("num_return", 9),
        ("num_return", True),
        ("max_new_tokens", 3),
        ("max_new_tokens", 65),
        ("min_new_tokens", 0),
        ("length_penalty", -0.1),
        ("length_penalty", float("nan")),
        ("length_penalty", "1"),
    ],
)
def test_a_field_outside_its_limit_is_refused_by_its_label(field, value):
    label = label_of(TitleRequest, field)
    with pytest.raises(InvalidRequestError, match=f"“{label.zh}”.* / “{label.en}” "):
        TitleRequest(**{"text": "春", field: value})


def test_one_character_too_many_says_how_many():
    with pytest.raises(InvalidRequestError, match="1 to 20000 characters, got 20001"):
        TitleRequest("长" * 20_001)


@pytest.mark.parametrize(
    ("asked", "zh", "en"),
    [
        (
            {"num_beams": 2, "num_return": 3},
            "“标题数”不能多于“束宽” 2，收到 3；请改小它，或加大“束宽”。",
            "“Titles” must not exceed “Beams”, 2; got 3: lower it, or raise “Beams”.",
        ),
        (
            {"max_new_tokens": 5, "min_new_tokens": 6},
            "“最短”不能多于“最长” 5，收到 6；请改小它，或加大“最长”。",
            "“Shortest” must not exceed “Longest”, 5; got 6: lower it, or raise "
            "“Longest”.",
        ),
    ],
)
def test_what_binds_two_fields_is_told_with_both(asked, zh, en):
    with pytest.raises(InvalidRequestError) as caught:
        TitleRequest("春", **asked)
    assert (caught.value.zh, caught.value.en) == (zh, en)


def test_a_batch_answers_in_order_and_asks_neighbours_together():
    model = FakeRewriter()
    requests = [
        TitleRequest("春天来了。"),
        TitleRequest("夏天来了。"),
        TitleRequest("秋天来了。", num_beams=6),
        TitleRequest("冬天来了。"),
    ]
    answers = list(write_many(requests, model))
    assert model.batches == [2, 1, 1]
    assert [answer.request for answer in answers] == requests
    alone = [list(write_titles(one, FakeRewriter()))[-1] for one in requests]
    assert [texts_of(answer) for answer in answers] == [texts_of(one) for one in alone]


def test_a_failure_in_a_batch_stands_in_its_place():
    failure = ModelError("busy", "忙。", "Busy.")
    model = FakeRewriter(failures={"夏。": failure})
    requests = [TitleRequest(text) for text in ("春。", "夏。", "秋。")]
    first, second, third = write_many(requests, model)
    assert second is failure
    assert [texts_of(first), texts_of(third)] == [["春。"], ["秋。"]]


def test_a_batch_that_cannot_be_written_at_all_fails_line_by_line():
    class Unable(FakeRewriter):
        def rewrite_many(self, sources, options):
            raise ModelError("unsupported", "不会写。", "Unable.")

    answers = list(write_many([TitleRequest("春。"), TitleRequest("夏。")], Unable()))
    assert [str(answer) for answer in answers] == ["不会写。 / Unable."] * 2


def test_an_empty_batch_has_no_answers():
    assert list(write_many([], FakeRewriter())) == []


def test_the_record_has_the_contracts_names():
    record = to_record(results("雨。晴。", max_new_tokens=4)[-1])
    assert record == {
        "text": "雨。晴。",
        "titles": [
            {"text": "雨。晴。", "log_prob": -2.0, "finish": "length"},
            {"text": "晴。", "log_prob": -1.5, "finish": "stop"},
        ],
        "num_chars_read": 4,
        "weights": "embedded",
    }
    assert {"text", *ADDED_FIELDS} == record.keys()


def test_the_record_of_a_stopped_run_says_so():
    stopped, *_, last = results("雨。晴。", max_new_tokens=4)
    assert {one["finish"] for one in to_record(stopped)["titles"]} == {""}
    assert "" not in {one["finish"] for one in to_record(last)["titles"]}


def test_a_terminal_shows_nothing_that_a_beam_may_take_back():
    texts = [render_text(result) for result in results("雨。晴。", max_new_tokens=4)]
    assert texts == ["", "", "", "【1】雨。晴。\n【2】晴。"]
    assert render_text(results("雨。晴。", num_return=1)[-1]) == "雨。晴。"


def test_every_example_and_sample_is_a_request_with_a_name_of_its_own():
    articles = [(ASSETS / "samples" / name).read_text("utf-8") for name in SAMPLES]
    assert all(300 <= len(TitleRequest(article).text) <= 700 for article in articles)
    names = [*SAMPLES.values(), *map(caption, EXAMPLES)]
    assert len(set(names)) == len(names) >= 5
    assert all("\n" not in name for name in names)
