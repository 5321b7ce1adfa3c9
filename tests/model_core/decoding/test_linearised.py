"""What was written becomes whole triples only, whatever was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_core.decoding.linearised import TEXT, linear_triples

NAMES = ("triplet", "relation", "per", "loc")
MARKS = st.lists(st.sampled_from(["", "", "", *NAMES]), max_size=40)
WORDS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3)
OBJECTS = st.tuples(WORDS, st.sampled_from(["loc", "org"]), WORDS)
SUBJECTS = st.tuples(
    WORDS, st.sampled_from(["per", "media"]), st.lists(OBJECTS, min_size=1, max_size=3)
)


def read(text, **options):
    """What a line reads as: words of the parts, types between."""
    tokens = text.split()
    marks = [t[1:-1] if t.startswith("<") else TEXT for t in tokens]
    return [
        (
            *(" ".join(tokens[n] for n in part) for part in (one.subject, one.object)),
            " ".join(tokens[n] for n in one.relation),
            one.subject_type,
            one.object_type,
        )
        for one in linear_triples(marks, **options)
    ]


LU = ("鲁 迅", "绍 兴", "place of birth", "per", "loc")


@pytest.mark.parametrize(
    ("text", "triples"),
    [
        ("<triplet> 鲁 迅 <per> 绍 兴 <loc> place of birth", [LU]),
        (
            "<triplet> 鲁 迅 <per> 绍 兴 <loc> place of birth "
            "<per> 呐 喊 <media> wrote",
            [LU, ("鲁 迅", "呐 喊", "wrote", "per", "media")],
        ),
        (
            "<triplet> 鲁 迅 <per> 绍 兴 <loc> place of birth "
            "<relation> 彷 徨 <media> 鲁 迅 <per> author",
            [LU, ("彷 徨", "鲁 迅", "author", "media", "per")],
        ),
    ],
)
def test_subjects_share_their_objects_line(text, triples):
    assert read(text) == triples


@pytest.mark.parametrize(
    ("text", "triples"),
    [
        ("", []),
        ("words without any mark", []),
        ("<per> 甲 <loc> 乙", []),  # nothing opened
        ("junk <triplet> 甲 <per> 乙 <loc> r", [("甲", "乙", "r", "per", "loc")]),
        ("<triplet>", []),
        ("<triplet> <triplet> <triplet>", []),
        ("<triplet> 甲", []),
        ("<triplet> 甲 <per>", []),
        ("<triplet> 甲 <per> 乙", []),
        ("<triplet> 甲 <per> 乙 <loc>", []),
        ("<triplet> <per> 乙 <loc> r", []),  # no subject
        ("<triplet> 甲 <per> <loc> r", []),  # no object
        # types alternate on, so the next object is read as it should be
        (
            "<triplet> 甲 <per> <loc> r <per> 丙 <loc> s",
            [("甲", "丙", "s", "per", "loc")],
        ),
        (
            "<triplet> 甲 <per> 乙 <loc> <per> 丙 <loc> s",
            [("甲", "丙", "s", "per", "loc")],
        ),
        # a nested mark takes nothing from the triple after it
        (
            "<triplet> 甲 <triplet> 乙 <per> 丙 <loc> r",
            [("乙", "丙", "r", "per", "loc")],
        ),
        # a type nobody knows is a type
        ("<triplet> 甲 <x9> 乙 <y> r", [("甲", "乙", "r", "x9", "y")]),
    ],
)
def test_what_lacks_a_part_is_left_out(text, triples):
    assert read(text) == triples


def test_what_breaks_off_loses_its_last_triple():
    text = "<triplet> 甲 <per> 乙 <loc> r <per> 丙 <loc> place of"
    assert [one[1] for one in read(text)] == ["乙", "丙"]
    assert [one[1] for one in read(text, is_finished=False)] == ["乙"]
    # what was only begun is what it loses
    begun = f"{text} <triplet> 丁"
    assert [one[1] for one in read(begun, is_finished=False)] == ["乙", "丙"]


@given(MARKS, st.booleans())
def test_every_triple_is_whole_and_in_order(marks, is_finished):
    triples = linear_triples(marks, is_finished=is_finished)
    for one in triples:
        assert one.subject
        assert one.object
        assert one.relation
        parts = (one.subject, one.object, one.relation)
        assert all(marks[place] == TEXT for part in parts for place in part)
        assert all(marks[place] not in (TEXT, "triplet") for place in one.types)
        assert list(one.tokens) == sorted(set(one.tokens))
        assert one.opening[0] < min(one.subject) < min(one.object) < min(one.relation)
    starts = [one.object[0] for one in triples]
    assert starts == sorted(set(starts))


@given(MARKS)
def test_breaking_off_only_loses_triples(marks):
    whole, broken = linear_triples(marks), linear_triples(marks, is_finished=False)
    assert broken == whole[: len(broken)]
    assert len(whole) - len(broken) <= 1


@given(st.lists(SUBJECTS, max_size=4))
def test_what_is_written_by_the_rules_is_read_back(subjects):
    written, expected = [], []
    for subject, subject_type, objects in subjects:
        written += ["<triplet>", *subject]
        for object_, object_type, relation in objects:
            written += [f"<{subject_type}>", *object_, f"<{object_type}>", *relation]
            expected.append((
                " ".join(subject), " ".join(object_), " ".join(relation),
                subject_type, object_type,
            ))  # fmt: skip
    assert read(" ".join(written)) == expected
