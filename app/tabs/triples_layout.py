"""Places for the nodes of a small graph: what is joined lies close. Pure geometry.

Changes when graphs are laid out differently. The start is fixed, so that the same
graph always lies alike. Knows no triple and no SVG; lengths are in pixels.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

GAP = np.array([22.0, 18.0])  # between boxes
LABEL_GAP = np.array([30.0, 32.0])  # between joined boxes, beside the label
IDEAL = 66.0  # length of an edge
STRETCH = np.array([1.5, 1.0])  # names are wider than high
STEPS = 160
STEPS_PER_NODE = 16  # few nodes come to rest sooner
MARGIN = 16.0
ROW_WIDTH = 800.0
FAR = 3.0  # ideal lengths: those further apart leave each other alone
GRAVITY = 0.4  # pull towards the middle, per ideal length

Points = npt.NDArray[np.float64]


def layout(
    sizes: Points, pairs: Sequence[tuple[int, int]], label_widths: Sequence[float]
) -> Points:
    """Return the centres of boxes: those joined lie close, none covers another.

    Args:
        sizes: Width and height of every box, (num_nodes, 2).
        pairs: Which nodes are joined.
        label_widths: The room that each pair's label needs between them.

    Returns:
        (num_nodes, 2), all boxes right of and below MARGIN.
    """
    centres, reach = np.zeros_like(sizes), reaches(sizes, pairs, label_widths)
    corner, row_height = np.array([MARGIN, MARGIN]), 0.0
    for members in components(len(sizes), pairs):
        ranks = {node: rank for rank, node in enumerate(members)}
        inner = [(ranks[a], ranks[b]) for a, b in pairs if a in ranks]
        boxes = sizes[members]
        drawn = pulled(len(members), inner) * STRETCH
        placed = separated(drawn, reach[np.ix_(members, members)])
        placed -= (placed - boxes / 2).min(axis=0)
        extent = (placed + boxes / 2).max(axis=0)
        if corner[0] > MARGIN and corner[0] + extent[0] > ROW_WIDTH:
            corner, row_height = np.array([MARGIN, corner[1] + row_height]), 0.0
        centres[members] = placed + corner
        corner = corner + np.array([extent[0] + 2 * GAP[0], 0.0])
        row_height = max(row_height, extent[1] + 2 * GAP[1])
    return centres


def components(num_nodes: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the nodes that hang together, the largest group first."""
    group = list(range(num_nodes))
    for one, other in pairs:
        low, high = sorted((group[one], group[other]))
        group = [low if label == high else label for label in group]
    members = [[n for n in range(num_nodes) if group[n] == g] for g in set(group)]
    return sorted(members, key=lambda nodes: (-len(nodes), nodes))


def pulled(count: int, pairs: Sequence[tuple[int, int]]) -> Points:
    """Return points after Fruchterman and Reingold (1991), from a circle.

    Args:
        count: Number of points.
        pairs: Which points attract one another.

    Returns:
        (count, 2), the longest extent lies along x.
    """
    angles = 2 * math.pi * np.arange(count) / max(count, 1)
    radius = IDEAL * math.sqrt(count) / 2
    # radii differ a little: a perfect circle would stay one
    radii = radius * (1 + 0.1 * np.sin(2.4 * np.arange(count)))
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, None]
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    for heat in np.linspace(IDEAL, 1.0, min(STEPS, STEPS_PER_NODE * (count - 1))):
        apart = points[:, None] - points[None]
        distance = np.maximum(np.linalg.norm(apart, axis=2, keepdims=True), 1.0)
        near = distance < FAR * IDEAL
        force = (near * apart / distance**2).sum(axis=1) * IDEAL**2
        force -= GRAVITY * (points - points.mean(axis=0))
        along = points[ends[:, 0]] - points[ends[:, 1]]
        pull = along * np.linalg.norm(along, axis=1, keepdims=True) / IDEAL
        np.add.at(force, ends[:, 0], -pull)
        np.add.at(force, ends[:, 1], pull)
        strength = np.maximum(np.linalg.norm(force, axis=1, keepdims=True), 1e-9)
        points = points + force / strength * np.minimum(strength, heat)
    return _lying(points)


def _lying(points: Points) -> Points:
    """Turn the points so that their longest extent lies along x."""
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    turned: Points = centred @ (axes * signs[:, None]).T
    return turned if turned.shape[1] == centred.shape[1] else centred


def reaches(
    sizes: Points, pairs: Iterable[tuple[int, int]], label_widths: Iterable[float]
) -> Points:
    """Return how far apart two boxes' centres must lie, in one of both directions.

    Returns:
        (num_nodes, num_nodes, 2)
    """
    reach: Points = (sizes[:, None] + sizes[None]) / 2 + GAP
    for (one, other), width in zip(pairs, label_widths, strict=True):
        room = (sizes[one] + sizes[other]) / 2 + LABEL_GAP + [width, 0.0]
        reach[one, other] = np.maximum(reach[one, other], room)
        reach[other, one] = reach[one, other]
    return reach


def separated(points: Points, reach: Points) -> Points:
    """Push boxes apart, along the shorter way, until none covers another.

    Args:
        points: Their centres, (num_nodes, 2).
        reach: How far apart two must lie, in one of both directions.
    """
    same = np.eye(len(points), dtype=bool)
    for _ in range(STEPS):
        apart = points[:, None] - points[None]
        overlap = reach - np.abs(apart)
        touching = (overlap > 0).all(axis=2) & ~same
        if not touching.any():
            break
        across = overlap.argmin(axis=2)[..., None] == np.arange(2)
        # the later one goes on where two stand on one spot
        order = np.sign(np.arange(len(points))[:, None] - np.arange(len(points)))
        way = np.where(apart == 0, order[..., None], np.sign(apart))
        push = np.where(touching[..., None] & across, way * (overlap + 1) / 2, 0.0)
        points = points + push.sum(axis=1) * 0.6
    return points
