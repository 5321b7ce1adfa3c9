"""Windows hold the whole text, each fits, and offsets lead back."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.triples.windows import Window, windows

TEXTS = st.text(
    st.sampled_from("天地玄黄。！？；\n，、：”」 .ab\t𠀀אב"), max_size=120
) | st.text(max_size=60)


@given(TEXTS, st.integers(1, 40))
def test_offsets_lead_back_and_every_window_fits(text, most):
    for window in windows(text, most):
        assert text[window.start : window.end] == window.text
        assert 0 < len(window.text) <= most
        assert window.text.strip()


@given(TEXTS, st.integers(1, 40))
def test_the_windows_hold_everything_but_blanks(text, most):
    held = {place for w in windows(text, most) for place in range(w.start, w.end)}
    left_out = set(range(len(text))) - held
    assert all(text[n].isspace() for n in left_out)


@given(TEXTS, st.integers(1, 40))
def test_windows_move_on(text, most):
    for before, after in pairwise(windows(text, most)):
        assert before.start < after.start
        assert before.end < after.end


@given(TEXTS)
def test_a_text_that_fits_is_one_window(text):
    whole = [Window(0, text)] if text.strip() else []
    assert list(windows(text, 200)) == whole


@given(st.lists(st.integers(2, 6), min_size=2, max_size=30), st.integers(12, 30))
def test_neighbouring_sentences_that_fit_are_seen_together(lengths, most):
    sentences = [chr(0x4E00 + n) * (size - 1) + "。" for n, size in enumerate(lengths)]
    cut = [window.text for window in windows("".join(sentences), most)]
    for pair in pairwise(sentences):
        assert any("".join(pair) in text for text in cut)


def texts(text, most):
    return [window.text for window in windows(text, most)]


def test_windows_end_where_sentences_do_and_overlap_by_one():
    assert texts("一二。三四。五六。", 6) == ["一二。三四。", "三四。五六。"]


def test_a_quote_stays_with_its_sentence():
    assert texts("他说：“走吧！”我们就走了。", 8) == ["他说：“走吧！”", "我们就走了。"]


def test_a_long_sentence_is_cut_at_commas():
    assert texts("一二三四，五六七八，九十。", 6) == [
        "一二三四，",
        "五六七八，",
        "九十。",
    ]


def test_without_any_mark_stretches_overlap_by_a_quarter():
    assert texts("0123456789ABCDEF", 8) == ["01234567", "6789ABCD", "CDEF"]


def test_right_to_left_words_and_formulas_are_cut_at_blanks():
    hebrew = "\u05e9\u05dc\u05d5\u05dd " * 6
    assert all(text.endswith(" ") for text in texts(hebrew, 12))
    formula = "∀x∈ℝ: x² ≥ 0 ⇒ √(x²) = |x| " * 4
    for text in texts(formula, 30):
        assert text in formula


@pytest.mark.parametrize("blank", [" \n\t ", "\u3000" * 50])
def test_blanks_alone_are_no_window(blank):
    assert windows(blank, 4) == ()


def test_a_window_of_one_character_still_ends():
    assert texts("天地。玄", 1) == list("天地。玄")
