"""Claims merge to their best place, in one order however the windows come."""

from hypothesis import given
from hypothesis import strategies as st

from demos.triples.found import ABSENT, ExtractedTriple, merge, place
from demos.triples.windows import Window
from model_core.interfaces import PointedTriple, Relation

TEXT = "甲乙丙甲乙丁"
AUTHOR = Relation("图书作品", "作者", "人物")


@st.composite
def triples(draw):
    spans = [sorted(draw(st.tuples(*[st.integers(0, 6)] * 2))) for _ in range(2)]
    (start, end), (other_start, other_end) = spans
    return ExtractedTriple(
        subject=TEXT[start:end],
        predicate=draw(st.sampled_from(["作者", "父亲"])),
        object=TEXT[other_start:other_end],
        subject_start=start,
        object_start=other_start,
        probability=draw(st.sampled_from([0.2, 0.5, 0.9])),
    )


@given(st.lists(triples(), max_size=12))
def test_every_claim_stays_once_with_its_best_probability(found):
    merged = merge(found)
    best = {}
    for triple in found:
        best[triple.said] = max(best.get(triple.said, 0), triple.probability)
    assert {triple.said: triple.probability for triple in merged} == best
    assert len(merged) == len(best)
    assert set(merged) <= set(found)


@given(st.lists(triples(), max_size=12), st.randoms())
def test_the_order_of_the_windows_does_not_matter(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    assert merge(shuffled) == merge(found)


@given(st.lists(triples(), max_size=12))
def test_merging_twice_changes_nothing(found):
    assert merge(merge(found)) == merge(found)


@given(st.lists(triples(), max_size=12))
def test_merged_triples_stand_in_reading_order(found):
    places = [(one.subject_start, one.object_start) for one in merge(found)]
    assert places == sorted(places)


@given(triples())
def test_spans_slice_to_their_strings(triple):
    start, end = triple.subject_span
    assert TEXT[start:end] == triple.subject
    start, end = triple.object_span
    assert TEXT[start:end] == triple.object


def test_what_is_not_in_the_text_has_no_span():
    triple = ExtractedTriple("甲", "作者", "乙", ABSENT, ABSENT, 0.5)
    assert triple.subject_span is None
    assert triple.object_span is None


def test_offsets_in_a_window_become_offsets_in_the_text():
    window = Window(3, TEXT[3:])
    triple = place(PointedTriple(0, (0, 2), (2, 3), 0.75), window, AUTHOR)
    assert triple == ExtractedTriple(
        "甲乙", "作者", "丁", 3, 5, 0.75, "图书作品", "人物"
    )
