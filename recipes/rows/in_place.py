"""Rows whose text stays where it stands: written on, half read, or with blanks.

Changes when one of these kinds is made differently.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from recipes.rows.row import Fragment, Row, SpecialIds, Stretch, fragments
from recipes.rows.sentences import sentence_starts

HIDDEN_SHARE = 0.15  # of the plain tokens of a cloze row (arXiv 1810.04805)
MASKED_UP_TO, KEPT_UP_TO = 0.8, 0.9  # of those: mask, keep, then random
LEAST_READ, MOST_READ = 0.2, 0.8  # of a document, before it is written on


def causal_row(
    stream: Iterator[Stretch], ids: SpecialIds, rng: np.random.Generator
) -> Row:
    """Every token predicts the next, except across documents."""
    del rng
    row = next(stream).token_ids
    return Row.written(row, np.ones_like(row), ids.cls)


def prefix_row(
    stream: Iterator[Stretch], ids: SpecialIds, rng: np.random.Generator
) -> Row:
    """Each document is cut at a random place; the loss stands on its second part."""
    row = next(stream).token_ids
    segments = np.ones_like(row)
    edges = [0, *(np.flatnonzero(row == ids.cls)), len(row)]
    for start, end in pairwise(edges):
        size = end - start
        segments[start : start + int(rng.uniform(LEAST_READ, MOST_READ) * size)] = 0
    return Row.written(row, segments, ids.cls)


def sentence_row(
    stream: Iterator[Stretch], ids: SpecialIds, rng: np.random.Generator
) -> Row:
    """Each document is cut where a sentence begins, not too near its ends.

    Where one begins only near an end, there; where none does but the first, nothing is
    read before it; and what is the rest of a sentence is read only.
    """
    read = next(stream)
    segments = np.zeros_like(read.token_ids)
    for fragment in fragments(read, ids):
        segments[_first_written(fragment, ids, rng) : fragment.end] = 1
    return Row.written(read.token_ids, segments, ids.cls)


def cloze_row(
    stream: Iterator[Stretch], ids: SpecialIds, rng: np.random.Generator
) -> Row:
    """15 % of the plain tokens are hidden as in BERT (80 % mask, 10 % random)."""
    row = next(stream).token_ids
    plain = np.flatnonzero(row >= ids.first_plain)
    count = max(1, int(HIDDEN_SHARE * len(plain)))
    places = np.sort(rng.permutation(plain)[:count])
    hidden, fate = row.copy(), rng.random(len(places))
    hidden[places[fate < MASKED_UP_TO]] = ids.mask
    swapped = places[fate > KEPT_UP_TO]
    hidden[swapped] = rng.integers(ids.first_plain, ids.vocab_size, len(swapped))
    return Row(hidden, np.zeros_like(row), places, row[places])


def word_cloze_row(
    stream: Iterator[Stretch], ids: SpecialIds, rng: np.random.Generator
) -> Row:
    """As many tokens are hidden, but whole words of them (arXiv 1906.08101).

    The tokens of a word are all masked, all kept or all random.
    """
    read = next(stream)
    row = read.token_ids
    is_plain = row >= ids.first_plain
    words = np.cumsum(read.begins) - read.begins[0]
    starts = np.flatnonzero(np.diff(words, prepend=-1))
    sizes = np.diff(starts, append=len(row))
    whole = np.flatnonzero(np.logical_and.reduceat(is_plain, starts))
    count = max(1, int(HIDDEN_SHARE * is_plain.sum()))
    chosen = _words_of(rng.permutation(whole).tolist(), sizes, count)
    fate = np.full(len(sizes), np.nan)
    fate[chosen] = rng.random(len(chosen))
    fates = fate[words]
    hidden, swapped = row.copy(), fates > KEPT_UP_TO
    hidden[fates < MASKED_UP_TO] = ids.mask
    hidden[swapped] = rng.integers(ids.first_plain, ids.vocab_size, swapped.sum())
    places = np.flatnonzero(~np.isnan(fates))
    return Row(hidden, np.zeros_like(row), places, row[places])


def _first_written(
    fragment: Fragment, ids: SpecialIds, rng: np.random.Generator
) -> int:
    """Return the place where a fragment's target begins; its end for nowhere."""
    size = fragment.end - fragment.start
    starts = sentence_starts(fragment.text.token_ids, ids)[1:] + len(fragment.head)
    far = starts[(starts >= LEAST_READ * size) & (starts <= MOST_READ * size)]
    places = far if len(far) else starts
    if len(places):
        return fragment.start + int(rng.choice(places))
    opens = len(fragment.head) and len(fragment.text)
    return fragment.text_start if opens else fragment.end


def _words_of(order: list[int], sizes: np.ndarray, count: int) -> list[int]:
    """Return the first words that together have so many tokens, or nearly.

    A word that is too long is left out, but for the first where all are.
    """
    lengths, left = sizes.tolist(), count
    taken: list[int] = []
    for word in order:
        if lengths[word] <= left:
            taken.append(word)
            left -= lengths[word]
            if not left:
                break
    return taken or order[:1]
