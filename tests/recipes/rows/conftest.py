"""Rows of a small made-up language: sentences of numbers between marks."""

from itertools import pairwise

import numpy as np
import pytest

from recipes.rows import SpecialIds, Stretch

LENGTH = 96
STYLE, END, QUOTE = 9, 12, 13
IDS = SpecialIds(
    cls=0,
    sep=1,
    mask=2,
    first_plain=12,
    vocab_size=60,
    newline=3,
    blank=4,
    title=5,
    summary=6,
    sentence_ends=(END,),
    closers=(QUOTE,),
)


@pytest.fixture(name="ids")
def fixture_ids():
    return IDS


def written(rng, sentences):
    """A text: sentences of 1 to 20 tokens, some in quotes, some behind a new line."""
    text = []
    for _ in range(sentences):
        text += rng.integers(14, 60, rng.integers(1, 20)).tolist()
        text += [END] * int(rng.integers(1, 3))
        text += [QUOTE] * int(rng.random() < 0.2) + [3] * int(rng.random() < 0.2)
    return text


def documents(seed):
    """Endless documents of words of 1 to 4 tokens; marks are words of their own."""
    rng = np.random.default_rng(seed)
    while True:
        text = written(rng, int(rng.integers(1, 12)))
        tokens = np.array([0, STYLE, *text, 1])
        begins = (rng.random(len(tokens)) < 0.5) | (tokens < 14)
        begins[1:] |= tokens[:-1] < 14
        yield Stretch(tokens, begins)


def rows_of(seed, length=LENGTH):
    """Endless rows, cut from documents laid end to end."""
    made, rest = documents(seed), Stretch(np.empty(0, int), np.empty(0, bool))
    while True:
        while len(rest) < length:
            rest = Stretch.join([rest, next(made)])
        begins = rest.begins[:length].copy()
        begins[0] = True
        yield Stretch(rest.token_ids[:length].astype("int32"), begins)
        rest = rest.cut(length)


class Kept:
    """A stream that remembers what was read of it."""

    def __init__(self, stream):
        self.stream, self.read = stream, []

    def __iter__(self):
        return self

    def __next__(self):
        self.read.append(next(self.stream))
        return self.read[-1]


@pytest.fixture(name="made")
def fixture_made():
    """Make rows of a kind; return each with what was read for it."""

    def make(kind, count=60, length=LENGTH, seed=0):
        rng = np.random.default_rng(seed)
        stream = Kept(rows_of(seed, length))
        pairs = []
        for _ in range(count):
            stream.read.clear()
            row = kind(stream, IDS, rng)
            pairs.append((row, tuple(stream.read)))
        return pairs

    return make


def parts(row, ids=IDS):
    """Return (source, target) of every document of a row, as lists."""
    tokens, segments = row.token_ids, row.segment_ids
    opened = np.flatnonzero(tokens == ids.cls).tolist()
    edges = sorted({0, *opened, len(tokens)})
    found = []
    for start, end in pairwise(edges):
        whole, part = tokens[start:end], segments[start:end]
        assert (np.diff(part) >= 0).all()  # a source, then its target
        found.append((whole[part == 0].tolist(), whole[part == 1].tolist()))
    return found


@pytest.fixture(name="parts_of")
def fixture_parts_of():
    return parts
