import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.labelling import TAGS, copy_tags

IDS = st.lists(st.integers(1, 5), max_size=12)


def tagged(source, target):
    return "".join(
        TAGS[i] for i in copy_tags(list(map(ord, source)), list(map(ord, target)))
    )


@pytest.mark.parametrize(
    ("source", "target", "tags"),
    [
        ("北京大学在海淀", "北京大学很大", "BIIIOO"),
        ("北京大学在海淀", "北大在海淀", "OOBII"),
        ("甲乙丙丁戊", "丁戊甲乙丙", "BIBII"),
        ("春天来了", "冬天走了", "OOOO"),
        ("甲乙丙丁戊", "甲乙戊", "BIO"),
        ("甲乙和丙丁", "甲乙丙丁", "BIBI"),
        ("", "甲", "O"),
        ("甲", "", ""),
    ],
)
def test_stretches_of_two_or_more_are_copies(source, target, tags):
    assert tagged(source, target) == tags


@given(source=IDS, target=IDS)
def test_every_copy_stands_in_the_source(source, target):
    tags = "".join(TAGS[i] for i in copy_tags(source, target))
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


@given(IDS)
def test_a_source_is_a_copy_of_itself(ids):
    expected = "BI" + "I" * (len(ids) - 2) if len(ids) > 1 else "O" * len(ids)
    assert "".join(TAGS[i] for i in copy_tags(ids, ids)) == expected
