"""How a stretch of text becomes a row that is learned from; a line per kind.

Changes when a kind is added. ``text`` is what a document says, between its marks and
its ``[SEP]``; what stands after the wide gap is segment 1 and has a loss:

    causal      everything, token by token
    prefix      the first part of a text  its second part
    sentence    the same, but the second part begins with a sentence
    span        a text with [MASK] for each span [SEP]  span [空格] span [SEP]
    gap         [CLS][标题] a text without a sentence [SEP]  the sentence [SEP]
                [CLS][摘要] a text without some sentences [SEP]  the sentences [SEP]
    cloze       a text with hidden tokens, all of it segment 0, the loss at those
    word_cloze  the same, but whole words are hidden
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from recipes.rows import in_place, taken_out
from recipes.rows.row import Row, SpecialIds, Stretch

Kind = Callable[[Iterator[Stretch], SpecialIds, np.random.Generator], Row]

KINDS: Mapping[str, Kind] = {
    "causal": in_place.causal_row,
    "prefix": in_place.prefix_row,
    "sentence": in_place.sentence_row,
    "span": taken_out.span_row,
    "gap": taken_out.gap_row,
    "cloze": in_place.cloze_row,
    "word_cloze": in_place.word_cloze_row,
}

__all__ = ["KINDS", "Row", "SpecialIds", "Stretch"]
