"""Flat triples of one event come together; none is lost, none is made up."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from demos.triples.complex_objects import complex_objects, split_predicate
from demos.triples.found import ABSENT, ExtractedTriple, merge
from demos.triples.record import describe

PREDICATES = ["饰演", "饰演_inWork", "获奖", "获奖_onDate", "获奖_period", "父亲"]
TRIPLES = st.builds(
    ExtractedTriple,
    subject=st.sampled_from(["甲", "乙"]),
    predicate=st.sampled_from(PREDICATES),
    object=st.sampled_from(["子", "丑寅", "卯"]),
    subject_start=st.integers(ABSENT, 20),
    object_start=st.integers(ABSENT, 20),
    probability=st.just(0.5),
)


def slot_of(triple):
    return split_predicate(triple.predicate)[1]


def flat(predicate, name, start, subject="胡歌"):
    return ExtractedTriple(subject, predicate, name, 0, start, 0.9)


def described(*triples):
    return [describe(one) for one in complex_objects(triples)]


@given(st.lists(TRIPLES, max_size=10).map(merge))
def test_every_slot_belongs_somewhere_and_nothing_is_made_up(triples):
    joined = complex_objects(triples)
    used = {triple for one in joined for triple in one.triples}
    assert used <= set(triples)
    assert {t for t in triples if slot_of(t) != "@value"} <= used


@given(st.lists(TRIPLES, max_size=10).map(merge))
def test_a_complex_object_is_of_one_subject_and_one_predicate(triples):
    for one in complex_objects(triples):
        assert one.slots
        for triple in one.triples:
            assert triple.subject == one.subject
            assert split_predicate(triple.predicate)[0] == one.predicate
        assert one.value is None or slot_of(one.value) == "@value"


@given(st.lists(TRIPLES, max_size=10).map(merge))
def test_a_value_has_one_complex_object(triples):
    named = Counter(
        (one.subject, one.predicate, one.value and one.value.object)
        for one in complex_objects(triples)
    )
    assert set(named.values()) <= {1}


@given(st.lists(TRIPLES, max_size=10).map(merge), st.randoms())
def test_the_order_of_the_triples_does_not_matter(triples, random):
    shuffled = list(triples)
    random.shuffle(shuffled)
    assert complex_objects(shuffled) == complex_objects(triples)


def test_a_part_and_its_film():
    triples = flat("饰演", "李逍遥", 9), flat("饰演_inWork", "仙剑奇侠传", 3)
    assert described(*triples) == ["饰演: 角色=李逍遥, 作品=仙剑奇侠传"]


def test_parts_and_films_pair_up_as_they_are_read():
    assert described(
        flat("饰演_inWork", "仙剑奇侠传", 3),
        flat("饰演", "李逍遥", 9),
        flat("饰演_inWork", "射雕英雄传", 14),
        flat("饰演", "郭靖", 20),
    ) == [
        "饰演: 角色=李逍遥, 作品=仙剑奇侠传",
        "饰演: 角色=郭靖, 作品=射雕英雄传",
    ]


def test_two_parts_in_one_film_both_have_it():
    assert described(
        flat("饰演_inWork", "原来就是你", 3),
        flat("饰演", "杜慕雪", 20),
        flat("饰演", "锦儿", 40),
    ) == ["饰演: 角色=杜慕雪, 作品=原来就是你", "饰演: 角色=锦儿, 作品=原来就是你"]


def test_otherwise_a_slot_goes_to_the_nearest_value():
    assert described(
        flat("获奖", "甲奖", 0),
        flat("获奖", "乙奖", 30),
        flat("获奖", "丙奖", 60),
        flat("获奖_onDate", "2001年", 34),
        flat("获奖_onDate", "2002年", 55),
    ) == ["获奖: 奖项=乙奖, 时间=2001年", "获奖: 奖项=丙奖, 时间=2002年"]


def test_slots_without_a_value_stay_together():
    assert described(
        flat("获奖_period", "三", 4), flat("获奖_inWork", "平凡的世界", 9)
    ) == ["获奖: 届次=三, 作品=平凡的世界"]


def test_a_simple_predicate_is_no_complex_object():
    assert complex_objects([flat("父亲", "某", 3), flat("饰演", "某", 3)]) == ()


def test_predicates_split_into_name_and_slot():
    assert split_predicate("饰演_inWork") == ("饰演", "inWork")
    assert split_predicate("饰演_@value") == ("饰演", "@value")
    for whole in ("饰演", "_inWork", "饰演_", "_", ""):
        assert split_predicate(whole) == (whole, "@value")
