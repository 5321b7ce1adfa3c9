"""A form is so many lines of so many Han characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.generation.poem import FORMS, faults, keeps_form, verse_lines

QUATRAIN = FORMS["五言绝句"]
POEM = "白日依山尽，黄河入海流。\n欲穷千里目，更上一层楼。"


def test_the_four_forms():
    sizes = {name: (f.num_lines, f.line_chars) for name, f in FORMS.items()}
    assert sizes == {
        "五言绝句": (4, 5),
        "七言绝句": (4, 7),
        "五言律诗": (8, 5),
        "七言律诗": (8, 7),
    }


def test_a_poem_keeps_its_own_form_and_no_other():
    kept = [name for name, form in FORMS.items() if keeps_form(POEM, form)]
    assert kept == ["五言绝句"]


@pytest.mark.parametrize("title", ["《登鹳雀楼》\n", "《登鹳雀楼》", " 《登》 \n"])
def test_a_title_is_no_line(title):
    assert keeps_form(title + POEM, QUATRAIN)


@given(
    form=st.sampled_from(sorted(FORMS)),
    pauses=st.lists(st.sampled_from([*"，。！？；\n", "。\n", ", "]), min_size=8),
)
def test_punctuation_and_line_breaks_do_not_matter(form, pauses):
    shape = FORMS[form]
    line = "春" * shape.line_chars
    text = "".join(line + pause for pause in pauses[: shape.num_lines])
    assert keeps_form(text, shape)
    assert len(verse_lines(text)) == shape.num_lines


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        (POEM[:-6], "共 3 句，应为 4 句。", "3 lines, 4 expected."),
        (POEM + "白日依山尽。", "共 5 句，应为 4 句。", "5 lines, 4 expected."),
        (
            POEM.replace("依山", "山"),
            "第 1 句有 4 字，应为 5 字：白日山尽",
            "Line 1 has 4 characters, 5 expected: 白日山尽",
        ),
        (
            POEM.replace("海", "A"),
            "第 2 句含有汉字以外的字符：黄河入A流",
            "Line 2 has characters other than Han: 黄河入A流",
        ),
        ("", "共 0 句，应为 4 句。", "0 lines, 4 expected."),
    ],
)
def test_a_fault_says_where_and_what(text, zh, en):
    (fault,) = faults(text, QUATRAIN)
    assert (fault.zh, fault.en) == (zh, en)
    assert not keeps_form(text, QUATRAIN)


def test_rare_han_characters_count():
    assert keeps_form("𠀀日依山尽，黄河入海流。欲穷千里目，更上一层楼。", QUATRAIN)
