"""Every limit refuses by name, limit and value, in both languages."""

import math
from dataclasses import dataclass
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos import limits
from demos.errors import InvalidRequestError
from demos.limits import (
    Label,
    Length,
    OneOf,
    OptionalRange,
    Range,
    Switch,
)
from demos.qa.passages import Passages

BEAMS = Label("束宽", "Beams")


def refusal(limit, value):
    with pytest.raises(InvalidRequestError) as caught:
        limit.check(BEAMS, value)
    return caught.value


@pytest.mark.parametrize("value", [1, 8])
def test_both_ends_of_a_range_are_inside(value):
    Range(1, 8).check(BEAMS, value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (9, "9"),
        (True, "True"),
        (4.0, "4.0"),
        ("4", "'4'"),
        (None, "None"),
        (math.nan, "nan"),
        pytest.param(10**6000, "1e+30…", id="huge"),
    ],
)
def test_a_whole_range_refuses_and_says_what_it_received(value, shown):
    error = refusal(Range(1, 8), value)
    assert error.zh == f"“束宽”须为 1 到 8 之间的整数，收到 {shown}。"
    assert error.en == f"“Beams” must be a whole number between 1 and 8, got {shown}."
    assert str(error) == f"{error.zh} / {error.en}"
    assert error.text("zh") == error.zh
    assert error.text("en") == error.en


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.04, 3, True])
def test_a_real_range_refuses(value):
    assert "须为 0.05 到 2 之间的数" in refusal(Range(0.05, 2.0, 0.05), value).zh


def test_a_real_range_takes_whole_numbers_too():
    Range(0.05, 2.0, 0.05).check(BEAMS, 1)


def test_an_optional_range_is_a_range_or_nothing():
    OptionalRange(0, 9).check(BEAMS, None)
    assert "between 0 and 9, got -1" in refusal(OptionalRange(0, 9), -1).en


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "must have 1 to 5 characters, got 0."),
        ("   ", "must have 1 to 5 characters, got 3, all blank."),
        ("春" * 6, "must have 1 to 5 characters, got 6."),
        pytest.param(" " * 100_000, "got 100000, all blank.", id="blanks"),
        (7, "must be text, got 7."),
        (b"ab", "must be text, got b'ab'."),
        ("a\0", "a control character, U+0000, at character 2"),
        ("\x1b[1m", "a control character, U+001B, at character 1"),
        ("a\r\n", "a control character, U+000D"),
        ("a\x85", "a control character, U+0085"),
        ("春\ud83d", "a lone surrogate, U+D83D, at character 2"),
    ],
)
def test_a_length_refuses(value, sentence):
    assert sentence in refusal(Length(1, 5), value).en


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_a_length_lets_every_printable_text_of_its_length_through(text):
    Length(0, len(text)).check(BEAMS, text)


def test_newline_tab_and_emoji_are_text():
    Length(1, 9).check(BEAMS, "a\n\t👩‍👧")


def test_one_of_lists_its_choices():
    assert "one of auto, span, got 'mlm'" in refusal(OneOf(("auto", "span")), "mlm").en
    assert "auto、span之一" in refusal(OneOf(("auto", "span")), 3).zh
    OneOf(("auto", "span")).check(BEAMS, "span")


def test_a_switch_is_no_number():
    Switch().check(BEAMS, False)
    assert "true or false, got 1" in refusal(Switch(), 1).en


def test_a_refused_value_is_shown_short_and_printable():
    assert len(limits.shown("长" * 1000)) == limits.SHOWN_CHARS
    assert limits.shown("\x1b[2J") == "'\\x1b[2J'"


@dataclass(frozen=True)
class Question:
    text: Annotated[str, Length(1, 9), Label("文", "Text")]
    seed: Annotated[int | None, OptionalRange(0, 9), Label("种子", "Seed")] = None
    parts: Annotated[tuple[str, ...], Passages(), BEAMS] = ()

    def __post_init__(self):
        limits.check(self)


def test_the_limit_label_and_type_of_a_field_are_found_by_its_name():
    assert limits.names_of(Question) == ("text", "seed", "parts")
    assert limits.limit_of(Question, "text") == Length(1, 9)
    assert limits.label_of(Question, "seed").en == "Seed"
    types = [limits.type_of(Question, name) for name in limits.names_of(Question)]
    assert types == [str, int, tuple]


def test_a_request_says_what_to_lower_where_it_takes_too_long():
    class Long(Question):
        ADVICE = ("请写短些", "write less")

    assert limits.advice_of(Question) == limits.LATER
    assert limits.advice_of(Long) == ("请写短些", "write less")


def test_the_first_refused_field_is_named():
    with pytest.raises(InvalidRequestError, match="“文”须为 1 到 9 个字符"):
        Question("", seed=99)


@pytest.mark.parametrize("text", ["春", "a", "7", "…字…", "\u05e9\u05dc", "∑x²"])
def test_a_character_a_letter_or_a_digit_is_a_word(text):
    limits.check_words(Question(text), "text")


@pytest.mark.parametrize("text", ["。", "？！…", "\U0001f600", "\u200b\ufeff", "∑∫√"])
def test_signs_alone_are_no_words(text):
    with pytest.raises(InvalidRequestError, match=r"“文”里没有字.*“Text” needs words"):
        limits.check_words(Question(text), "text")


@pytest.mark.parametrize(
    ("limit", "summary"),
    [
        (Range(1, 8), "1..8"),
        (Range(0.05, 2.0, 0.05), "0.05..2"),
        (Length(1, 9), "1..9 字 chars"),
        (OneOf(("a", "b")), "a|b"),
        (Switch(), "true|false"),
    ],
)
def test_a_limit_has_a_summary_for_help_texts(limit, summary):
    assert limit.summary == summary
