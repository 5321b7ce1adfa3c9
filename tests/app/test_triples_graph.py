"""A graph is always drawn alike; boxes keep apart; every arrow says its relation."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.tabs import triples_graph as graphs
from app.tabs.triples_layout import MARGIN, components, layout
from demos.triples.complex_objects import complex_objects
from demos.triples.found import ExtractedTriple


def triple(subject, predicate, name, probability=0.9):
    return ExtractedTriple(subject, predicate, name, 0, 0, probability)


FAMILY = [triple("苏轼", "父亲", "苏洵"), triple("苏辙", "父亲", "苏洵")]
FILM = [
    triple("六小龄童", "饰演", "孙悟空"),
    triple("六小龄童", "饰演_inWork", "西游记", 0.7),
]
CROWD = [triple(f"人{n % 40}", "认识", f"人{(7 * n + 3) % 40}") for n in range(80)]
STAR = [triple("书", "主角", f"人物{n}") for n in range(30)]
LONG = "一个名字长得在图里放不下的机构有限公司"


def drawn(triples):
    return graphs.drawing(graphs.graph_of(triples, complex_objects(triples)))


@pytest.mark.parametrize("triples", [FAMILY, FILM, CROWD, STAR])
def test_the_same_triples_are_drawn_alike(triples):
    assert drawn(triples) == drawn(list(triples))


@given(
    st.integers(1, 25),
    st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), max_size=30),
    st.integers(20, 180),
)
@settings(max_examples=25, deadline=None)
def test_boxes_keep_apart_and_stay_in_the_picture(count, pairs, width):
    pairs = [(a % count, b % count) for a, b in pairs]
    sizes = np.full((count, 2), [width, 30.0])
    places = layout(sizes, pairs, [40.0] * len(pairs))
    assert np.isfinite(places).all()
    assert (places - sizes / 2 >= MARGIN - 1e-6).all()
    apart = np.abs(places[:, None] - places[None]) >= sizes - 1e-6
    assert (apart.any(axis=2) | np.eye(count, dtype=bool)).all()


@pytest.mark.parametrize("triples", [CROWD, STAR, FAMILY])
def test_no_name_covers_another(triples):
    found = re.findall(
        r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"',
        drawn(triples),
    )
    boxes = np.array(found, dtype=float)
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    covers = (low[:, None] < high[None]).all(axis=2)
    covers &= (low[None] < high[:, None]).all(axis=2)
    assert covers.sum() == len(boxes)


def test_what_hangs_together_is_one_component():
    assert components(6, [(0, 3), (3, 5), (1, 2)]) == [[0, 3, 5], [1, 2], [4]]
    assert components(0, []) == []


def test_one_name_is_one_node_and_a_relation_one_arrow():
    graph = graphs.graph_of(FAMILY)
    assert graph.names == ("苏轼", "苏洵", "苏辙")
    assert [(edge.source, edge.target) for edge in graph.edges] == [(0, 1), (2, 1)]
    assert [edge.labels for edge in graph.edges] == [("父亲",), ("父亲",)]


def test_two_relations_between_two_names_share_an_arrow():
    (edge,) = graphs.graph_of([*FILM[:1], triple("六小龄童", "配音", "孙悟空")]).edges
    assert (edge.labels, edge.triples) == (("饰演", "配音"), (0, 1))


def test_a_slot_leaves_from_its_value():
    graph = graphs.graph_of(FILM, complex_objects(FILM))
    names = [
        (graph.names[edge.source], *edge.labels, graph.names[edge.target], edge.slot)
        for edge in graph.edges
    ]
    assert names == [
        ("六小龄童", "饰演", "孙悟空", False),
        ("孙悟空", "作品", "西游记", True),
    ]


def test_a_slot_without_a_value_leaves_from_the_subject():
    graph = graphs.graph_of(FILM[1:], complex_objects(FILM[1:]))
    assert graph.edges[0].labels == ("饰演_inWork",)
    assert not graph.edges[0].slot


def test_a_crowd_is_cut_to_the_most_probable():
    triples = [triple(f"甲{n}", "认识", f"乙{n}", n / 100) for n in range(90)]
    graph = graphs.graph_of(triples)
    assert len(graph.names) == graphs.MAX_NODES
    assert graph.num_left_out == 90 - graphs.MAX_NODES // 2
    assert {n for edge in graph.edges for n in edge.triples} == set(range(60, 90))


def test_arrows_and_names_carry_the_numbers_of_their_triples():
    found = re.findall(
        r'class="mp-(edge|node)[^"]*" data-mp-marks="([^"]*)"', drawn(FAMILY)
    )
    assert sorted(found) == [
        ("edge", "0"),
        ("edge", "1"),
        ("node", "0"),
        ("node", "0 1"),
        ("node", "1"),
    ]


def test_a_long_name_is_cut_and_whole_in_its_title():
    svg = drawn([triple(LONG, "简称", "某")])
    assert f"<title>{LONG}</title>" in svg
    assert f">{LONG}</text>" not in svg
    assert graphs.shortened(LONG).endswith("…")


def test_what_fits_is_not_cut():
    assert graphs.shortened("短名") == "短名"
    assert graphs.shortened("a" * graphs.MAX_NAME_UNITS) == "a" * graphs.MAX_NAME_UNITS
    assert graphs.shortened("两\n行") == "两 行"


def test_a_name_may_point_at_itself():
    svg = drawn([triple("甲", "简称", "甲")])
    assert 'viewBox="0 -20 ' in svg
    assert "简称" in svg


def test_without_triples_there_is_no_picture():
    assert drawn([]) == ""
