"""Draw triples as a graph in SVG: names as nodes, relations as arrows. Pure.

Changes when the graph looks different. The same triples are always drawn alike;
colours come from the style sheet.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.tabs.triples_layout import MARGIN, Points, layout
from app.views import escape
from demos.triples.complex_objects import ComplexObject
from demos.triples.found import ExtractedTriple
from demos.triples.record import part_name

MAX_NODES = 60
MAX_NAME_UNITS = 20  # a Han character is two, a Latin letter one
UNIT = 7.5  # pixels of a unit in a node
LABEL_UNIT = 6.2  # pixels of a unit in a label
NODE_HEIGHT = 30.0
PADDING = 14.0  # left and right of a name
BEND = 0.12  # of an edge's length: there and back do not cover each other
ARROW = 8.0
LOOP_HEIGHT = 20.0  # above a node that points at itself


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow between two nodes.

    Attributes:
        source: Index of the node it leaves.
        target: Index of the node it points at.
        labels: What it says, in order.
        triples: Indices of the triples it stands for.
        slot: Whether it joins the parts of a complex object.
    """

    source: int
    target: int
    labels: tuple[str, ...]
    triples: tuple[int, ...]
    slot: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """Names and arrows.

    Attributes:
        names: One node each.
        edges: The arrows.
        num_left_out: Triples without an arrow, as there would be too many names.
    """

    names: tuple[str, ...]
    edges: tuple[Edge, ...]
    num_left_out: int


@dataclass(frozen=True, slots=True)
class _Link:
    """What one triple says between two names."""

    source: str
    target: str
    label: str
    triple: int
    slot: bool


def drawing(graph: Graph) -> str:
    """Return a graph as one ``svg`` element, "" where it has no arrow."""
    if not graph.edges:
        return ""
    widths = np.array([_width(name) for name in graph.names])
    sizes = np.stack([widths, np.full_like(widths, NODE_HEIGHT)], axis=1)
    pairs = [(edge.source, edge.target) for edge in graph.edges]
    labels = [LABEL_UNIT * _num_units(_label(edge)) for edge in graph.edges]
    places = layout(sizes, pairs, labels)
    width, height = (places + sizes / 2).max(axis=0) + MARGIN
    top = LOOP_HEIGHT if any(a == b for a, b in pairs) else 0.0
    box = f"0 {0.0 - top:.0f} {width:.0f} {height + top:.0f}"
    count = len({triple for edge in graph.edges for triple in edge.triples})
    caption = f"{count} 条三元组的关系图 · graph of {count} triples"
    edges = "".join(_edge(edge, places, sizes) for edge in graph.edges)
    nodes = "".join(_nodes(graph, places, sizes))
    return (
        f'<svg class="mp-graph" viewBox="{box}" width="{width:.0f}" '
        f'height="{height + top:.0f}" role="img" '
        f'aria-label="{escape(caption)}">{edges}{nodes}</svg>'
    )


def graph_of(
    triples: Sequence[ExtractedTriple], joined: Iterable[ComplexObject] = ()
) -> Graph:
    """Return the graph of triples, the most probable ones first where it is full.

    A slot of a complex object leaves from its value: 孙悟空 → 西游记, not the actor.
    """
    names: dict[str, int] = {}
    kept: dict[tuple[int, int, bool], list[_Link]] = {}
    drawn: set[int] = set()
    for link in _links(triples, joined):
        missing = {link.source, link.target} - names.keys()
        if len(names) + len(missing) > MAX_NODES:
            continue
        ends = [
            names.setdefault(name, len(names)) for name in (link.source, link.target)
        ]
        kept.setdefault((ends[0], ends[1], link.slot), []).append(link)
        drawn.add(link.triple)
    edges = tuple(
        Edge(
            source=source,
            target=target,
            labels=tuple(dict.fromkeys(link.label for link in links)),
            triples=tuple(dict.fromkeys(link.triple for link in links)),
            slot=slot,
        )
        for (source, target, slot), links in kept.items()
    )
    return Graph(tuple(names), edges, len(triples) - len(drawn))


def _links(
    triples: Sequence[ExtractedTriple], joined: Iterable[ComplexObject]
) -> Iterator[_Link]:
    """Yield what the triples say, the most probable first."""
    values: dict[ExtractedTriple, list[str]] = {}
    for one in joined:
        for slot in one.slots if one.value else ():
            values.setdefault(slot, []).append(one.value.object if one.value else "")
    for index in sorted(
        range(len(triples)), key=lambda n: (-triples[n].probability, n)
    ):
        triple = triples[index]
        if triple not in values:
            source, label = triple.subject, triple.predicate
            yield _Link(source, triple.object, label, index, slot=False)
        for value in values.get(triple, ()):
            label = part_name(triple.predicate)
            yield _Link(value, triple.object, label, index, slot=True)


def _edge(edge: Edge, places: Points, sizes: Points) -> str:
    """Draw one arrow with its label."""
    if edge.source == edge.target:
        path, middle, tip, way = _loop(places[edge.source], sizes[edge.source])
    else:
        path, middle, tip, way = _bow(edge, places, sizes)
    kind = " mp-slot" if edge.slot else ""
    side = np.array([-way[1], way[0]]) * ARROW / 2.4
    corners = [tip, tip - way * ARROW + side, tip - way * ARROW - side]
    head = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return (
        f'<g class="mp-edge{kind}" data-mp-marks="{_marks(edge.triples)}">'
        f'<path d="{path}"/><polygon points="{head}"/>'
        f'<text x="{middle[0]:.1f}" y="{middle[1]:.1f}">'
        f"{_short(_label(edge))}</text></g>"
    )


def _bow(
    edge: Edge, places: Points, sizes: Points
) -> tuple[str, Points, Points, Points]:
    """Return a bent line's path, its middle, its tip and the tip's direction."""
    start, end = places[edge.source], places[edge.target]
    along = end - start
    bend = (start + end) / 2 + np.array([-along[1], along[0]]) * BEND
    tail = _border(start, bend, sizes[edge.source])
    tip = _border(end, bend, sizes[edge.target])
    way = (tip - bend) / max(float(np.linalg.norm(tip - bend)), 1e-9)
    path = (
        f"M{tail[0]:.1f} {tail[1]:.1f}Q{bend[0]:.1f} {bend[1]:.1f} "
        f"{tip[0]:.1f} {tip[1]:.1f}"
    )
    return path, (tail + 2 * bend + tip) / 4, tip, way


def _loop(place: Points, size: Points) -> tuple[str, Points, Points, Points]:
    """Return an arrow from a node to itself."""
    x, top = place[0], place[1] - size[1] / 2
    path = f"M{x - 10:.1f} {top:.1f}C{x - 24:.1f} {top - 30:.1f} "
    path += f"{x + 24:.1f} {top - 30:.1f} {x + 10:.1f} {top:.1f}"
    middle, tip = np.array([x, top - 18]), np.array([x + 10, top])
    return path, middle, tip, np.array([-0.5, 0.86])


def _border(centre: Points, toward: Points, size: Points) -> Points:
    """Return where the way out of a box crosses its border."""
    way = toward - centre
    reach = np.abs(way) / (size / 2 + 2)
    scale = max(float(reach.max()), 1.0)
    crossing: Points = centre + way / scale
    return crossing


def _nodes(graph: Graph, places: Points, sizes: Points) -> Iterator[str]:
    sources = {edge.source for edge in graph.edges if not edge.slot}
    for index, name in enumerate(graph.names):
        marks = {
            triple
            for edge in graph.edges
            if index in (edge.source, edge.target)
            for triple in edge.triples
        }
        kind = "mp-subject" if index in sources else "mp-object"
        (x, y), (width, height) = places[index], sizes[index]
        yield (
            f'<g class="mp-node {kind}" data-mp-marks="{_marks(sorted(marks))}">'
            f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" '
            f'width="{width:.1f}" height="{height:.1f}" rx="{height / 2:.0f}"/>'
            f'<text x="{x:.1f}" y="{y:.1f}">{_short(name)}</text></g>'
        )


def _label(edge: Edge) -> str:
    return "、".join(edge.labels)


def _marks(triples: Iterable[int]) -> str:
    return " ".join(map(str, triples))


def _short(text: str) -> str:
    """Return text that fits a node, whole in its title where it is cut."""
    cut = shortened(text)
    title = "" if cut == text else f"<title>{escape(text)}</title>"
    return title + escape(cut)


def shortened(text: str) -> str:
    """Return the start of a text, on one line, with an ellipsis where it is cut."""
    line, units = " ".join(text.split()), 0
    for place, char in enumerate(line):
        units += _units(char)
        if units > MAX_NAME_UNITS and place < len(line) - 1:
            return line[:place] + "…"
    return line


def _width(name: str) -> float:
    return UNIT * max(2, _num_units(name)) + 2 * PADDING


def _num_units(text: str) -> int:
    return sum(map(_units, shortened(text)))


def _units(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WFA" else 1
