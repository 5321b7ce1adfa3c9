"""Rows whose text has parts taken out and written behind it: spans, whole sentences.

Changes when one of these kinds is made differently. Marks make such a row longer than
what it is made of: the last document is cut where the row ends.
"""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np

from recipes.rows.row import Fragment, Row, SpecialIds, Stretch, fragments
from recipes.rows.sentences import (
    SHORTEST_TEXT,
    SUMMARY_ROOM,
    TITLE_TOKENS,
    gap_sentences,
)

SPAN_SHARE = 0.3  # of a text's words: spans are to be written, not only guessed
SPAN_TOKENS = 10  # of a span, about
FEWEST_WORDS = 4  # of a text that has a span

TITLES = 0.5  # of pseudo-summaries are one sentence
STAYING = 0.2  # of texts keep what was taken as well: summaries copy (PEGASUS)
STRETCHES = 4  # read for a row, at most
AROUND = 4  # [CLS][标题] source [SEP] target [SEP]
LEAST_ROOM = SHORTEST_TEXT + AROUND


class Laid(NamedTuple):
    """A document as it is learned from.

    Attributes:
        source: int (source_length,), its marks included; segment 0.
        target: int (target_length,), its end mark included; segment 1.
    """

    source: np.ndarray
    target: np.ndarray

    @property
    def size(self) -> int:
        """Tokens of both."""
        return len(self.source) + len(self.target)


def span_row(
    stream: Iterator[Stretch], ids: SpecialIds, rng: np.random.Generator
) -> Row:
    """Some spans of each document stand behind it (arXiv 1910.10683, 2103.10360).

    Spans are whole words, in the order of the text; one [MASK] stands for each.
    """
    read = next(stream)
    laid: list[Laid] = []
    room = len(read)
    for fragment in fragments(read, ids):
        laid.append(_with_spans(read, fragment, room, ids, rng))
        room -= laid[-1].size
    return _row(laid, read, ids)


def gap_row(
    stream: Iterator[Stretch], ids: SpecialIds, rng: np.random.Generator
) -> Row:
    """Each document of several sentences is rewritten to its pseudo-summary.

    Documents of fewer are passed over; when too many are, what is left of the row is
    text without a loss, so that nothing is learned from it but how to be read.
    """
    first = next(stream)
    more = (fragments(next(stream), ids) for _ in range(STRETCHES - 1))
    laid: list[Laid] = []
    room = len(first)
    for fragment in chain(fragments(first, ids), chain.from_iterable(more)):
        if room < LEAST_ROOM:
            break
        one = _with_gap(fragment, room, ids, rng)
        if one:
            laid.append(one)
            room -= one.size
    return _row(laid, first, ids)


def _row(laid: list[Laid], read: Stretch, ids: SpecialIds) -> Row:
    """Put documents end to end; what room is left is text that is read only."""
    left = len(read) - sum(one.size for one in laid)
    opening = [ids.cls] * int(read.token_ids[0] != ids.cls)
    rest = np.concatenate([opening, read.token_ids])[:left]
    laid = [*laid, Laid(rest, rest[:0])]
    sizes = [len(part) for one in laid for part in one]
    return Row.written(
        np.concatenate([part for one in laid for part in one]).astype("int32"),
        np.repeat(np.tile([0, 1], len(laid)), sizes).astype("int32"),
        ids.cls,
    )


def _with_spans(
    read: Stretch,
    fragment: Fragment,
    room: int,
    ids: SpecialIds,
    rng: np.random.Generator,
) -> Laid:
    """Take spans out of as much of a document as fits with its marks.

    Of too little to have one, as much as fits is read only.
    """
    size = min(len(fragment.text), room - len(fragment.head) - 1)
    while size > 0 and len(fragment.head) + size + 2 * _num_spans(size) + 1 > room:
        size -= 1
    text = fragment.text.cut(0, max(0, size))
    starts, ends = drawn_spans(text.begins, rng)
    if not len(starts):
        whole = read.token_ids[fragment.start : fragment.end][:room]
        return Laid(whole, whole[:0])
    source, target, last = [fragment.head], [np.empty(0, "int32")], 0
    for start, end in zip(starts, ends, strict=True):
        source += [text.token_ids[last:start], np.array([ids.mask])]
        target += [text.token_ids[start:end], np.array([ids.blank])]
        last = end
    source += [text.token_ids[last:], np.array([ids.sep])]
    target[-1] = np.array([ids.sep])
    return Laid(np.concatenate(source), np.concatenate(target))


def drawn_spans(
    begins: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return where spans of whole words begin and end; a word at least between two.

    Hidden words and those between are parted at random, as T5's noise is. The spans of
    a text of less than ``FEWEST_WORDS`` are none.

    Args:
        begins: bool (length,), where words begin; what stands before the first is
            left alone.
        rng: Draws them.
    """
    edges = np.append(np.flatnonzero(begins), len(begins))
    words = len(edges) - 1
    if words < FEWEST_WORDS:
        return edges[:0], edges[:0]
    hidden = max(1, round(SPAN_SHARE * words))
    spans = min(_num_spans(len(begins)), hidden, words - hidden)
    lengths = _parted(hidden, spans, rng)
    gaps = _parted(words - hidden + 2, spans + 1, rng)
    gaps[0] -= 1  # the first and the last may be empty
    starts = np.cumsum(gaps[:-1]) + np.cumsum(lengths) - lengths
    return edges[starts], edges[starts + lengths]


def _num_spans(num_tokens: int) -> int:
    return max(1, round(SPAN_SHARE * num_tokens / SPAN_TOKENS))


def _parted(total: int, parts: int, rng: np.random.Generator) -> np.ndarray:
    """Return so many positive numbers of that sum, all such lists alike likely."""
    cuts = np.sort(rng.choice(total - 1, parts - 1, replace=False)) + 1
    return np.diff(cuts, prepend=0, append=total)


def _with_gap(
    fragment: Fragment, room: int, ids: SpecialIds, rng: np.random.Generator
) -> Laid | None:
    """Take a document's best sentences out, if it has enough to choose from."""
    is_title, stays = rng.random() < TITLES, rng.random() < STAYING
    longest = _most_tokens(room - AROUND, is_title=is_title, stays=stays)
    text = fragment.text.token_ids[: max(0, longest)]
    spans = gap_sentences(
        text, ids, is_title=is_title, from_start=len(fragment.head) > 0
    )
    if not spans:
        return None
    left = np.ones(len(text), bool)
    for start, end in spans:
        left[start:end] = stays
    mark = ids.title if is_title else ids.summary
    source = np.concatenate([[ids.cls, mark], text[left], [ids.sep]])
    target = [text[start:end] for start, end in spans]
    return Laid(source, np.concatenate([*target, [ids.sep]]))


def _most_tokens(room: int, *, is_title: bool, stays: bool) -> int:
    """Return how long a text may be: what stays in it takes its room twice."""
    if not stays:
        return room
    return room - TITLE_TOKENS if is_title else int(room / (1 + SUMMARY_ROOM))
