"""The flat base holds exactly the triples it was given, each once."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demos.qa.facts_base import BaseBuilder, split_meaning
from model_core.interfaces import FactKey

NAMES = st.sampled_from(["甲", "乙（人）", "丙", "𝑥²", "a", "عربي"])
TRIPLES = st.lists(st.tuples(NAMES, NAMES, NAMES), max_size=30)


def base_of(triples):
    builder = BaseBuilder()
    for triple in triples:
        builder.add(*triple)
    return builder.build()


@given(TRIPLES)
@settings(deadline=None)
def test_it_holds_every_triple_once_under_its_key_in_the_order_met(triples):
    base = base_of(triples)
    expected = {}
    for subject, predicate, found in dict.fromkeys(triples):
        expected.setdefault((subject, predicate), []).append(found)
    held = {
        (base.subject_of(n), base.predicate_of(n)): list(base.objects_of(n))
        for n in range(base.num_keys)
    }
    assert held == expected
    assert list(held) == list(expected)
    assert set(base.triples()) == set(triples)
    assert base.num_triples == len(set(triples))
    assert base.num_duplicates == len(triples) - len(set(triples))


@given(TRIPLES)
@settings(deadline=None)
def test_keys_are_the_same_by_index_and_in_a_row(triples):
    keys = base_of(triples).keys
    assert list(keys) == [keys[n] for n in range(len(keys))] == keys[:]
    if keys:
        assert keys[-1] == list(keys)[-1]
    with pytest.raises(IndexError):
        keys[len(keys)]


@pytest.mark.parametrize(
    ("name", "parted"),
    [
        ("红楼梦（小说）", ("红楼梦", "小说")),
        ("红楼梦 (小说)", ("红楼梦", "小说")),
        ("浮士德（歌德的诗剧）", ("浮士德", "歌德的诗剧")),
        ("甲（乙）（丙）", ("甲（乙）", "丙")),
        ("红楼梦", ("红楼梦", "")),
        ("（小说）", ("（小说）", "")),
        ("红楼梦（）", ("红楼梦（）", "")),
        ("红楼梦（ ）", ("红楼梦（ ）", "")),
        ("甲（乙（丙））", ("甲（乙（丙））", "")),
        ("f(x)的零点", ("f(x)的零点", "")),
        ("）", ("）", "")),
    ],
)
def test_the_brackets_at_the_end_are_the_meaning(name, parted):
    assert split_meaning(name) == parted


def test_a_key_carries_its_meaning_and_the_subject_stays_as_written():
    base = base_of([("红楼梦（小说）", "作者", "曹雪芹")])
    assert base.keys[0] == FactKey("红楼梦", "作者", "小说")
    assert base.subject_of(0) == "红楼梦（小说）"


def test_an_empty_base_has_nothing():
    base = base_of([])
    assert (base.num_keys, base.num_triples, len(base.keys)) == (0, 0, 0)


def test_fifty_thousand_triples_stay_under_a_hundred_bytes_each():
    tracemalloc.start()
    base = base_of(
        (
            f"人物{n // 4:06d}（学者）",
            ("生年", "卒年", "作品", "籍贯")[n % 4],
            f"答案{n}",
        )
        for n in range(50_000)
    )
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert base.num_keys == 50_000
    assert base.size_bytes < 50 * 50_000
    assert held < 1.3 * base.size_bytes
    assert peak < 300 * 50_000  # a million: 300 MB on the way
