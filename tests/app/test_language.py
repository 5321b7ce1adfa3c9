"""Whoever says what they read gets that; whoever does not gets both languages."""

import gradio as gr
import pytest

from app.language import language_of, said
from app.wiring import told
from demos.errors import DemoError
from model_core.interfaces import ModelError


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "both"),
        ("", "both"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9", "en"),
        ("en;q=0.5, zh;q=0.9", "zh"),
        ("fr,en;q=0.7", "en"),
        ("fr", "both"),
        ("en;q=0", "both"),
        ("*", "both"),
        ("en;q=x,,;", "both"),
        ("EN", "en"),
    ],
)
def test_the_first_spoken_language_of_the_header_counts(header, language):
    assert language_of(header) == language


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("zh", "忙。"), ("en", "Busy."), ("both", "忙。 / Busy.")],
)
def test_a_sentence_is_said_in_one_language_or_in_both(language, sentence):
    assert said({"zh": "忙。", "en": "Busy."}, language) == sentence
    assert DemoError("忙。", "Busy.").text(language) == sentence
    assert ModelError("busy", "忙。", "Busy.").text(language) == sentence


@pytest.mark.parametrize(
    ("raised", "sentence"),
    [
        (DemoError("忙。", "Busy."), "忙。 / Busy."),
        (
            RuntimeError("x"),
            "出了意外，已记入日志；请再试一次。 / Something unexpected",
        ),
    ],
)
def test_an_error_is_told_in_both_to_a_client_that_does_not_say(raised, sentence):
    with pytest.raises(gr.Error) as caught, told(language_of(None), str):
        raise raised
    assert caught.value.message.startswith(sentence)
    assert caught.value.title == "没能完成 / Not done"
