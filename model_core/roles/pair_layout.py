"""How a text, or two, stand between the tokens that a published encoder expects.

Changes when encoders are published with another layout::

    [CLS] text [SEP] second [SEP]          most: segments tell the two apart
    <s> text </s> </s> second </s>         one segment only (RoBERTa)
    text <sep> second <sep> <cls>          the sentence's token stands last (XLNet)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model_core.config import TransformerConfig
from model_core.interfaces import TextPair
from model_core.tokenizers.base import Encoding, Span, Tokenizer

MAX_TOKENS = 512  # as encoders are trained, whatever their tables have room for
LAST_SEGMENT = 2  # of XLNet's last token
Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A text or a pair as an encoder reads it.

    Attributes:
        token_ids: int32 (length,).
        segment_ids: int32 (length,).
        start: Index of the text's first token.
        end: Index after its last.
        encoding: The text's tokens that fitted.
        num_chars_read: Characters of the text that fitted.
        num_chars_read_b: The same of the second text.
    """

    token_ids: Ids
    segment_ids: Ids
    start: int
    end: int
    encoding: Encoding
    num_chars_read: int
    num_chars_read_b: int = 0


class PairLayout:
    """Lays texts out for one checkpoint.

    Args:
        tokenizer: The checkpoint's.
        config: Its network's, which says where the sentence's token stands and how
            many segments there are.
    """

    def __init__(self, tokenizer: Tokenizer, config: TransformerConfig) -> None:
        self._tokenizer = tokenizer
        self._trailing = config.pooling_place == "last"
        self._one_segment = config.type_vocab_size == 1
        self._has_segments = config.type_vocab_size > 1 or self._trailing
        self._room = min(MAX_TOKENS, config.max_position_embeddings)
        self._cls = [] if tokenizer.cls_id is None else [tokenizer.cls_id]
        self._sep = [] if tokenizer.sep_id is None else [tokenizer.sep_id]
        self._opening = [] if self._trailing else self._cls

    def lay_out(self, pair: TextPair) -> Laid:
        """Return a text, or a pair, as much of both as fits.

        What does not fit is left out from the end of the longer one.
        """
        text = self._tokenizer.encode(pair.text)
        second = self._tokenizer.encode(pair.text_b) if pair.text_b else None
        around, _ = self.join([], [] if second else None)
        room = self._room - len(around)
        keep, keep_b = shared_room(len(text), len(second) if second else 0, room)
        kept = _first(text, keep)
        kept_b = _first(second, keep_b) if second else None
        ids, start_b = self.join(kept.token_ids, kept_b.token_ids if kept_b else None)
        start = len(self._opening)
        return Laid(
            np.asarray(ids, "int32"),
            self.segment_ids(len(ids), start_b),
            start,
            start + len(kept),
            kept,
            _chars(text.spans, len(kept), pair.text),
            _chars(second.spans, keep_b, pair.text_b) if second else 0,
        )

    def join(
        self, text: Sequence[int], second: Sequence[int] | None = None
    ) -> tuple[list[int], int]:
        """Return token ids with what stands around them, and where the second begins.

        Args:
            text: Of the first text.
            second: Of the second; where there is none, it would begin behind the first.
        """
        ids = [*self._opening, *text, *self._sep]
        if second is not None and self._one_segment:
            ids += self._sep
        start_b = len(ids)
        if second is not None:
            ids += [*second, *self._sep]
        if self._trailing:
            ids += self._cls
        return ids, start_b

    def segment_ids(self, length: int, start_b: int) -> Ids:
        """Return int32 (length,) segments of as many joined ids.

        Args:
            length: How many.
            start_b: Where the second text begins.
        """
        segments = np.zeros(length, "int32")
        segments[start_b:] = self._has_segments
        if self._trailing:
            segments[length - len(self._cls) :] = LAST_SEGMENT
        return segments


def shared_room(length: int, length_b: int, room: int) -> tuple[int, int]:
    """Return how many tokens of each of two texts fit: the longer gives way."""
    over = max(0, length + length_b - room)
    while over:
        longer = max(length, length_b)
        cut = min(over, max(1, abs(length - length_b)))
        if longer == length:
            length -= cut
        else:
            length_b -= cut
        over -= cut
    return length, length_b


def _first(encoding: Encoding, count: int) -> Encoding:
    return Encoding(encoding.token_ids[:count], encoding.spans[:count])


def _chars(spans: Sequence[Span], count: int, text: str) -> int:
    """Return the characters of a text in its first tokens: all where none is left out.

    Args:
        spans: Of all its tokens.
        count: How many of them were read.
        text: As it was typed.
    """
    if count >= len(spans):
        return len(text)
    return spans[count - 1][1] if count else 0
