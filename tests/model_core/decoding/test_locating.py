"""Names stand where the text has them, the pair that is nearest to one another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_core.decoding.locating import nearest_pair, searched

ALPHABET = st.text("ab京都 ，", max_size=24)
NAMES = st.text("ab京都", min_size=1, max_size=3)


def found(text, name):
    return [text[slice(*span)] for span in searched(text).occurrences(name)]


def pair(text, subject, object_):
    spans = nearest_pair(searched(text), subject, object_)
    return spans and tuple(spans)


@pytest.mark.parametrize(
    ("text", "name", "spans"),
    [
        ("鲁迅原名周樟寿，鲁迅是笔名", "鲁迅", [(0, 2), (8, 10)]),
        ("鲁迅", "老舍", []),
        ("鲁迅", "", []),
        ("鲁迅", "  ", []),
        ("aaa", "a", []),  # amid a word
        ("哈哈哈", "哈哈", [(0, 2), (1, 3)]),
        ("King Arthur and Art", "Art", [(16, 19)]),
        ("Café Ö", "Caf", []),
        ("生于1881年", "1881", [(2, 6)]),
        ("生于1881年", "18", []),
        ("iPhone15发布", "iPhone", [(0, 6)]),
        # as SentencePiece writes it: blanks, and letters of one width
        ("生于 1881 年", "1881年", [(3, 9)]),
        ("ＡＢＣ公司", "ABC公司", [(0, 5)]),
        ("Los\u3000Angeles", "Los Angeles", [(0, 11)]),
        ("㎞数", "km", [(0, 1)]),  # one character that reads as two
        ("abc", "ABC", []),
    ],
)
def test_a_name_stands_in_the_text_as_it_was_typed(text, name, spans):
    assert list(searched(text).occurrences(name)) == spans


@pytest.mark.parametrize(
    ("text", "subject", "object_", "expected"),
    [
        # the second 鲁迅 is nearer
        ("鲁迅说，许广平和鲁迅住上海", "鲁迅", "上海", ((8, 10), (11, 13))),
        ("上海的鲁迅在上海", "鲁迅", "上海", ((3, 5), (0, 2))),  # as near: the first
        ("北京大学在北京", "北京大学", "北京", ((0, 4), (5, 7))),  # not within itself
        ("北京大学", "北京大学", "北京", ((0, 4), (0, 2))),  # unless there is no other
        ("鲁迅", "鲁迅", "鲁迅", None),
        ("鲁迅和鲁迅", "鲁迅", "鲁迅", ((0, 2), (3, 5))),
        ("鲁迅", "鲁迅", "上海", None),
    ],
)
def test_of_several_places_the_nearest_two_count(text, subject, object_, expected):
    assert pair(text, subject, object_) == expected


@given(ALPHABET, NAMES, NAMES)
def test_what_is_found_reads_as_the_names(text, subject, object_):
    spans = pair(text, subject, object_)
    if spans is None:
        either = not found(text, subject) or not found(text, object_)
        assert either or subject == object_
        return
    for (start, end), name in zip(spans, (subject, object_), strict=True):
        assert text[start:end].replace(" ", "") == name
    assert spans[0] != spans[1]


@given(ALPHABET, NAMES)
def test_asking_the_other_way_round_is_as_near(text, name):
    one, other = pair(text, name, "京"), pair(text, "京", name)
    assert (one is None) == (other is None)
    if one and other:
        gaps = [max(a[0], b[0]) - min(a[1], b[1]) for a, b in (one, other)]
        assert max(gaps[0], 0) == max(gaps[1], 0)
