"""A schema reads the same however it is written; what is unknown is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.errors import InvalidRequestError
from demos.triples.schema import (
    MAX_RELATIONS,
    SCHEMA_LABEL,
    choose,
    close_to,
    line_of,
    schema_of,
    written,
)
from model_core.interfaces import Relation
from tests.fake_triple_pointer import RELATIONS

NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8
).filter(lambda name: name == name.strip())


def read(value):
    return schema_of(SCHEMA_LABEL, value)


def refusal(value):
    with pytest.raises(InvalidRequestError) as caught:
        read(value)
    return caught.value


@pytest.mark.parametrize(
    "value",
    [
        "图书作品 作者 人物",
        " 图书作品\t作者  人物 \n\n",
        '[["图书作品", "作者", "人物"]]',
        '\n[["图书作品",\n "作者", "人物"]]\n',
        '{"subject_type": "图书作品", "predicate": "作者", "object_type": "人物"}',
        [["图书作品", "作者", "人物"]],
        (("图书作品", "作者", "人物"), ("图书作品", "作者", "人物")),
        ["图书作品 作者 人物"],
        [{"subject_type": "图书作品", "predicate": "作者", "object_type": "人物"}],
        {"subject_type": "图书作品", "predicate": "作者", "object_type": "人物"},
    ],
    ids=repr,
)
def test_one_relation_in_many_ways(value):
    assert read(value) == (("图书作品", "作者", "人物"),)


@pytest.mark.parametrize(
    "value",
    ["人物: 父亲, 母亲", "人物：父亲、母亲", "人物 父亲；人物 母亲", "人物:父亲 母亲",
     {"人物": ["父亲", "母亲"]}, {"人物": ("父亲", "母亲")},
     '{"人物": ["父亲", "母亲"]}', [{"人物": "父亲"}, "人物: 母亲"],
     [["人物", "父亲", None], ["人物", "母亲", ""]]],
    ids=repr,
)  # fmt: skip
def test_predicates_of_one_type(value):
    assert read(value) == (("人物", "父亲", ""), ("人物", "母亲", ""))


@pytest.mark.parametrize(
    "value",
    ["作者, 导演", "作者\n导演", "作者，导演；作者", '["作者", "导演"]',
     ["作者", "导演"], ("作者", "导演"), "作者\n[\"导演\"]"],
    ids=repr,
)  # fmt: skip
def test_predicates_alone(value):
    assert read(value) == (("", "作者", ""), ("", "导演", ""))


@pytest.mark.parametrize("nothing", [None, "", " \n ", [], (), "[]", ["", " "], {}])
def test_nothing_asked_is_nothing_named(nothing):
    assert read(nothing) == ()


@given(st.lists(st.builds(Relation, NAMES, NAMES, NAMES), max_size=5))
def test_a_relation_written_out_reads_back(relations):
    asked = [(one.subject_type, one.predicate, one.object_type) for one in relations]
    written = "\n".join(map(line_of, relations))
    assert read(written) == read(asked) == tuple(dict.fromkeys(asked))


@given(NAMES, NAMES, NAMES)
def test_open_types_written_out_read_back(subject_type, predicate, object_type):
    for relation in (
        ("", predicate, ""),
        (subject_type, predicate, ""),
        ("", predicate, object_type),
    ):
        assert read(line_of(relation)) == (relation,)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_whatever_comes_is_read_or_refused_with_a_sentence(value):
    try:
        asked = read(value)
    except InvalidRequestError as error:
        refused = str(error)
    else:
        assert all(len(one) == 3 and one[1] for one in asked)
        return
    assert refused.startswith("“关系”")
    assert " / “Relations” " in refused


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (3, "cannot be read: 3; write “图书作品 作者 人物”"),
        ("甲 乙 丙 丁", "cannot be read: '甲 乙 丙 丁'"),
        ("人物:", "cannot be read: '人物:'"),
        (": 父亲", "cannot be read: ': 父亲'"),
        ("人物: 父亲: 母亲", "cannot be read"),
        ("[[1, 2", "cannot be read: '[[1, 2'"),
        ("[" * 5000, "cannot be read"),
        ([["人物", "父亲"]], "cannot be read: ['人物', '父亲']"),
        ([["人物", 3, "人物"]], "cannot be read: ['人物', 3, '人物']"),
        ([["人物", "", "人物"]], "cannot be read: ['人物', '', '人物']"),
        ({"人物": []}, "cannot be read"),
        ({"人物": 3}, "cannot be read"),
        ({3: ["父亲"]}, "cannot be read"),
        (["长" * 61], "may hold names of 60 characters"),
        (["a\x00b"], "a control character, U+0000"),
        (["a\ud800b"], "a lone surrogate, U+D800"),
        (["父亲"] * (MAX_RELATIONS + 1), f"may name {MAX_RELATIONS}, got 201"),
        ("，".join(map(str, range(300))), f"may name {MAX_RELATIONS}, got 300"),
        ("父" * 20_001, "may have 20000 characters, got 20001"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_cannot_be_read_is_refused(value, sentence):
    assert sentence in refusal(value).en


def test_the_refusal_is_in_chinese_too():
    assert refusal("人物:").zh.startswith(
        "“关系”读不懂 '人物:'；可写“图书作品 作者 人物”"
    )


def test_nothing_asked_is_every_known_relation():
    assert choose((), RELATIONS) == set(range(len(RELATIONS)))


def test_every_known_relation_can_be_asked_for_by_itself():
    for index, relation in enumerate(RELATIONS):
        assert choose(read(line_of(relation)), RELATIONS) == {index}


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("父亲", {1}),
        ("人物: 父亲", {1}),
        ("历史人物: 朝代, 号", {2, 3}),
        ("饰演", {4, 5}),
        ("娱乐人物: 饰演", {4, 5}),
        ("娱乐人物 饰演 人物", {4}),
        ("饰演_inWork", {5}),
    ],
)
def test_a_predicate_without_an_object_type_brings_its_slots(asked, chosen):
    assert choose(read(asked), RELATIONS) == chosen


def test_an_unknown_relation_names_those_that_are_close():
    with pytest.raises(InvalidRequestError) as caught:
        choose(read("图书作品 作家 人物"), RELATIONS)
    assert "'图书作品 作家 人物' 不在所用权重认识的 6 种关系中" in caught.value.zh
    assert "相近的有：图书作品 作者 人物" in caught.value.zh
    assert "is not among the 6 relations that these weights know" in caught.value.en
    assert "close ones are 图书作品 作者 人物" in caught.value.en


def test_a_relation_like_no_other_names_some():
    with pytest.raises(
        InvalidRequestError, match="some of them are 图书作品 作者 人物"
    ):
        choose(read("zzz"), RELATIONS)


def test_a_known_predicate_under_the_wrong_type_leads_to_the_right_one():
    assert close_to(("动物", "父亲", ""), RELATIONS)[0] == RELATIONS[1]


# Names of several words, and names that weights give themselves


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("per: place of birth", [("per", "place of birth", "")]),
        (
            "per: place of birth, spouse",
            [("per", "place of birth", ""), ("per", "spouse", "")],
        ),
        ("人物: 父亲 母亲", [("人物", "父亲", ""), ("人物", "母亲", "")]),
        ("人物: 父亲 spouse", [("人物", "父亲", ""), ("人物", "spouse", "")]),
        (
            "located in the administrative territorial entity",
            [("", "located in the administrative territorial entity", "")],
        ),
        ("Person spouse Person", [("Person", "spouse", "Person")]),
    ],
)
def test_latin_words_are_one_name_where_commas_part_them(text, asked):
    assert list(schema_of(SCHEMA_LABEL, text)) == asked


FOUND = (
    Relation("per", "place of birth", "loc"),
    Relation("per", "spouse", "per"),
    Relation("media", "author", "per"),
)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", {0, 1, 2}),
        ("spouse", {1}),
        ("Spouse", {1}),
        ("per: spouse, author", {1}),
        ("place of birth", {0}),
        ("per: place of birth", {0}),
        ("per spouse per", {1}),
        ("per spouse loc", set()),
        ("人物: 配偶", set()),
    ],
)
def test_names_that_weights_gave_are_kept_where_they_are_named(text, kept):
    assert written(schema_of(SCHEMA_LABEL, text), FOUND) == kept
