import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.labelling import TAGS, copy_tags, copy_tags_anywhere
from recipes.labelling.copying import align

IDS = st.lists(st.integers(1, 5), max_size=12)
TAGGERS = pytest.mark.parametrize("tag", [copy_tags, copy_tags_anywhere])


def tagged(tag, source, target):
    return "".join(TAGS[i] for i in tag(list(map(ord, source)), list(map(ord, target))))


@TAGGERS
@pytest.mark.parametrize(
    ("source", "target", "tags"),
    [
        ("北京大学在海淀", "北京大学很大", "BIIIOO"),
        ("北京大学在海淀", "北大在海淀", "OOBII"),
        ("春天来了", "冬天走了", "OOOO"),
        ("甲乙丙丁戊", "甲乙戊", "BIO"),
        ("甲乙和丙丁", "甲乙丙丁", "BIBI"),
        ("", "甲", "O"),
        ("甲", "", ""),
    ],
)
def test_stretches_of_two_or_more_are_copies(tag, source, target, tags):
    assert tagged(tag, source, target) == tags


def test_only_one_of_the_two_lets_a_stretch_go_back():
    assert tagged(copy_tags, "甲乙丙丁戊", "丁戊甲乙丙") == "OOBII"
    assert tagged(copy_tags_anywhere, "甲乙丙丁戊", "丁戊甲乙丙") == "BIBII"


@TAGGERS
@given(source=IDS, target=IDS)
def test_every_copy_stands_in_the_source(tag, source, target):
    tags = "".join(TAGS[i] for i in tag(source, target))
    assert len(tags) == len(target)
    assert not tags.startswith("I")
    assert "OI" not in tags
    given_text = "".join(map(str, source))
    for start in (i for i, one in enumerate(tags) if one == "B"):
        end = start + 1
        while tags[end : end + 1] == "I":
            end += 1
        assert end - start >= 2
        assert "".join(map(str, target[start:end])) in given_text


def longest(source, target):
    row = [0] * (len(source) + 1)
    for token in target:
        before, row = row, [0]
        for place, other in enumerate(source, 1):
            longer = before[place - 1] + 1
            row.append(longer if token == other else max(row[-1], before[place]))
    return row[-1]


@given(IDS, IDS)
def test_the_alignment_is_a_longest_common_subsequence(source, target):
    places = align(source, target)
    matched = places[places >= 0]
    assert len(matched) == longest(source, target)
    assert (np.diff(matched) > 0).all()
    assert all(source[p] == t for p, t in zip(places, target, strict=True) if p >= 0)


@given(IDS)
def test_a_source_is_a_copy_of_itself(ids):
    expected = "BI" + "I" * (len(ids) - 2) if len(ids) > 1 else "O" * len(ids)
    assert "".join(TAGS[i] for i in copy_tags(ids, ids)) == expected
