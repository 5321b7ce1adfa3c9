import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding.tree import TokenTree

ROWS = ([7, 8], [7], [7, 8, 4], [5], [7, 8])
ENDS = "rows"  # a key that no token has

sequences = st.lists(st.lists(st.integers(0, 4), max_size=6), min_size=1, max_size=30)


def built(rows, dtype=np.uint16):
    token_ids = np.array([token for row in rows for token in row], dtype)
    return TokenTree.build(token_ids, np.cumsum([0, *map(len, rows)]))


def nested(rows):
    """The reference: dictionaries in dictionaries."""
    root = {}
    for number, row in enumerate(rows):
        node = root
        for token in row:
            node = node.setdefault(token, {})
        node.setdefault(ENDS, []).append(number)
    return root


def same(tree, node, reference):
    """Whether a node and all below equal the reference; counts the nodes."""
    tokens, nodes = tree.children(node)
    assert tree.rows_at(node).tolist() == reference.get(ENDS, [])
    assert tokens.tolist() == sorted(reference.keys() - {ENDS})
    below = [
        same(tree, child, reference[token])
        for token, child in zip(tokens.tolist(), nodes.tolist(), strict=True)
    ]
    return 1 + sum(below)


def test_the_arrays_are_those_drawn():
    tree = built(ROWS)
    assert tree.tokens.tolist()[1:] == [5, 7, 8, 4]
    assert tree.first_children.tolist() == [1, 3, 3, 4, 5, 5]
    assert tree.end_nodes.tolist() == [1, 2, 3, 4]
    assert tree.end_starts.tolist() == [0, 1, 2, 4, 5]
    assert tree.rows.tolist() == [3, 1, 0, 4, 2]
    assert (tree.num_nodes, tree.num_rows, tree.max_depth) == (5, 5, 3)


@settings(deadline=None)
@given(sequences)
def test_it_equals_dictionaries_in_dictionaries(rows):
    tree = built(rows)
    assert same(tree, 0, nested(rows)) == tree.num_nodes
    assert sorted(tree.rows.tolist()) == list(range(len(rows)))
    assert tree.max_depth == max(map(len, rows))


@settings(deadline=None)
@given(sequences, st.lists(st.integers(-1, 6), max_size=7))
def test_walking_is_following_the_dictionaries(rows, way):
    tree = built(rows)
    node, length = nested(rows), 0
    while node is not None and length < len(way):
        node = node.get(way[length])
        length += node is not None
    found = tree.walk(way)
    assert (found is None) == (node is None)
    if found is not None:
        assert tree.rows_at(found).tolist() == node.get(ENDS, [])
    assert tree.match_length(way) == length


@settings(deadline=None)
@given(sequences)
def test_every_row_leads_to_itself(rows):
    tree = built(rows)
    for number, row in enumerate(rows):
        assert number in tree.rows_at(tree.walk(row))


@settings(deadline=None)
@given(sequences)
def test_what_is_forced_is_every_way_on(rows):
    tree = built(rows)
    for node in range(tree.num_nodes):
        tokens, reached = tree.forced(node)
        assert tree.walk(tokens, node) == reached
        is_choice = len(tree.children(reached)[0]) > 1
        is_leaf = not len(tree.children(reached)[0])
        assert is_choice or is_leaf or len(tree.rows_at(reached))
        for length in range(len(tokens)):
            between = tree.walk(tokens[:length], node)
            assert len(tree.children(between)[0]) == 1
            assert not len(tree.rows_at(between))


def test_children_and_rows_are_views():
    tree = built(ROWS)
    assert tree.children(0)[0].base is tree.tokens
    assert tree.rows_at(3).base is tree.rows


def test_tokens_beyond_16_bits_take_32():
    assert built([[65535]]).tokens.dtype == np.uint16
    wide = built([[65536, 3], [70_000]], np.int64)
    assert wide.tokens.dtype == np.uint32
    assert wide.rows_at(wide.walk([70_000])).tolist() == [1]
    assert built(ROWS).child(0, 70_000) is None


def test_a_tree_takes_six_bytes_a_node_and_a_dozen_a_row():
    rng = np.random.default_rng(0)
    tree = built(rng.integers(0, 50, (5000, 8)).tolist())
    assert tree.size_bytes <= 6 * tree.num_nodes + 12 * tree.num_rows + 8


@pytest.mark.parametrize(
    ("token_ids", "starts", "message"),
    [
        ([], [0], "at least one row.* got 1 entries"),
        ([1, 2], [0, 1], r"from 0 to the number of tokens \(2\), got 0 to 1"),
        ([1, 2], [0, 2, 1, 2], "must rise from 0"),
        ([1, -2], [0, 2], "token ids must be >= 0, got -2"),
    ],
)
def test_rows_that_do_not_fit_are_refused(token_ids, starts, message):
    with pytest.raises(ValueError, match=message):
        TokenTree.build(np.array(token_ids, np.int64), np.array(starts))


@pytest.mark.slow
def test_a_million_rows_build_within_a_minute():
    rng = np.random.default_rng(0)
    lengths = rng.integers(15, 26, 1_000_000)
    token_ids = rng.integers(0, 8000, lengths.sum(), dtype=np.uint16)
    starts = np.append(0, lengths.cumsum())
    began = time.monotonic()
    tree = TokenTree.build(token_ids, starts)
    assert time.monotonic() - began < 60
    assert tree.size_bytes < 200e6
    for row in rng.integers(0, len(lengths), 100).tolist():
        way = token_ids[starts[row] : starts[row + 1]].tolist()
        assert row in tree.rows_at(tree.walk(way))
