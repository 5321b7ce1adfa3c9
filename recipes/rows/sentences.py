"""The sentences of a text as tokens, and those that stand for the whole of it.

Changes when sentences are cut or chosen differently. A text's pseudo-summary are the
sentences that share most with its other sentences (PEGASUS, arXiv 1912.08777).
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from recipes.rows.row import SpecialIds

TITLE_TOKENS = 40  # as titles are taught
SUMMARY_SHARE = 0.25  # of a text's sentences
SUMMARY_ROOM = 1 / 3  # of a text's tokens
FEWEST_SENTENCES = 3
SHORTEST_SENTENCE, SHORTEST_TEXT = 6, 24  # tokens

Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


def sentence_starts(token_ids: np.ndarray, ids: SpecialIds) -> Places:
    """Return where sentences begin, 0 first: behind a sentence's end and its quotes."""
    ends, marks = _tables(ids)
    is_end = ends[token_ids]
    inside = np.flatnonzero(~marks[token_ids])
    ends_before = np.cumsum(is_end)[inside]
    starts = inside[np.diff(ends_before, prepend=0) > 0]
    return np.concatenate([[0], starts]).astype("int64")


def gap_sentences(
    token_ids: np.ndarray, ids: SpecialIds, *, is_title: bool, from_start: bool
) -> list[tuple[int, int]]:
    """Return where the sentences of a text's pseudo-summary begin and end.

    Sentences of which a part is missing are not taken, and new lines stay.

    Args:
        token_ids: Integers (length,).
        ids: Tell sentences.
        is_title: One sentence, no longer than a title.
        from_start: The text begins with a sentence, not inside one.
    """
    starts = sentence_starts(token_ids, ids)
    if len(token_ids) < SHORTEST_TEXT or len(starts) < FEWEST_SENTENCES:
        return []
    ends = _without_lines(token_ids, starts, ids)
    sizes = ends - starts
    scores = rouge_1(token_ids, starts, ids)
    scores[sizes < SHORTEST_SENTENCE] = 0
    scores[0] *= from_start
    scores[-1] *= _tables(ids)[0][token_ids[starts[-1] :]].any()
    count = 1 if is_title else max(1, round(SUMMARY_SHARE * len(starts)))
    least = min(TITLE_TOKENS, len(token_ids) // 2)
    room = least if is_title else int(SUMMARY_ROOM * len(token_ids))
    taken = best_sentences(scores, sizes, count, room)
    return [(int(starts[n]), int(ends[n])) for n in taken]


def rouge_1(token_ids: np.ndarray, starts: Places, ids: SpecialIds) -> Scores:
    """Return every sentence's Rouge-1 F1 against all the others together.

    Tokens are counted as often as both sides have them; marks are left out. Both sides
    together are the text, so that the best sentence is the one that shares most.
    """
    plain = token_ids >= ids.first_plain
    _, codes = np.unique(token_ids[plain], return_inverse=True)
    width = int(codes.max(initial=0)) + 1
    sentence = np.zeros(len(token_ids), "int64")
    sentence[starts[1:]] = 1
    places = np.cumsum(sentence)[plain] * width + codes
    counts = np.bincount(places, minlength=len(starts) * width)
    table = counts.reshape(len(starts), width)
    common = np.minimum(table, table.sum(axis=0) - table).sum(axis=1)
    scores: Scores = 2.0 * common / max(1, len(codes))
    return scores


def best_sentences(
    scores: Scores, sizes: npt.NDArray[np.int64], count: int, room: int
) -> list[int]:
    """Return the best sentences that together fit, in the order of the text.

    Args:
        scores: Of the sentences; what is not above 0 is never taken.
        sizes: Tokens of each.
        count: At most so many of them.
        room: Most tokens of all that are taken.
    """
    taken: list[int] = []
    for number in np.argsort(-scores, kind="stable").tolist():
        if len(taken) == count or scores[number] <= 0:
            break
        if sizes[number] <= room:
            taken.append(number)
            room -= int(sizes[number])
    return sorted(taken)


@lru_cache
def _tables(ids: SpecialIds) -> tuple[Flags, Flags]:
    """Return by id what ends a sentence, and what may close it: ends and quotes."""
    ends = [one for one in (*ids.sentence_ends, ids.newline) if one >= 0]
    is_end = np.zeros(max(ids.vocab_size, *ends, *ids.closers) + 1, bool)
    is_end[ends] = True
    is_mark = is_end.copy()
    is_mark[[*ids.closers]] = True
    return is_end, is_mark


def _without_lines(token_ids: np.ndarray, starts: Places, ids: SpecialIds) -> Places:
    """Return where sentences end before the new lines that close them."""
    said = np.where(token_ids == ids.newline, 0, np.arange(1, len(token_ids) + 1))
    ends: Places = np.maximum(np.maximum.reduceat(said, starts), starts)
    return ends
