"""How a conversation is laid out in tokens, by the ways that it is published.

Changes when dialogue models come with another layout. The reply follows the last
token, in a segment of its own.

    speakers  [CLS][speaker1] turn [speaker2]   CDial-GPT (arXiv 2008.03946)
    segments  [CLS] turn [SEP] turn [SEP]       kexue.fm/archives/7718
    joined    turn <end> turn <end>             DialoGPT (arXiv 1911.00536)

CDial-GPT's segments are its speakers' own token ids; in the second layout they
alternate between 0 and 1; the third has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model_core.interfaces import TurnLayout
from model_core.tokenizers.base import Tokenizer

SPEAKER_TOKENS = ("[speaker1]", "[speaker2]")
Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class LaidOut:
    """A conversation as the network reads it.

    Attributes:
        token_ids: int32 (length,).
        segment_ids: int32 (length,).
        reply_segment: Of what is written.
        num_turns_dropped: Oldest turns left out.
        num_tokens_dropped: Of the last turn, at its start.
    """

    token_ids: Ids
    segment_ids: Ids
    reply_segment: int
    num_turns_dropped: int = 0
    num_tokens_dropped: int = 0


def layout_of(tokenizer: Tokenizer) -> TurnLayout:
    """Return the layout that a vocabulary gives away, "" for none."""
    told = all(tokenizer.token_to_id(token) is not None for token in SPEAKER_TOKENS)
    return "speakers" if told else ""


@dataclass(frozen=True, slots=True)
class TurnFormat:
    """Lays conversations out.

    Attributes:
        layout: Which way.
        tokenizer: The checkpoint's.
        stop_id: Ends a reply.
    """

    layout: TurnLayout
    tokenizer: Tokenizer
    stop_id: int

    def lay_out(self, turns: Sequence[Sequence[int]], room: int) -> LaidOut:
        """Return the latest turns that fit, the last one in any case.

        Args:
            turns: Token ids of each, oldest first.
            room: Most tokens.
        """
        for dropped in range(len(turns)):
            laid = self._all(turns[dropped:])
            if len(laid.token_ids) <= room:
                return self._told(laid, dropped, 0)
        around = len(self._all([[]]).token_ids)
        last = turns[-1]
        cut = max(0, len(last) - max(1, room - around))
        return self._told(self._all([last[cut:]]), len(turns) - 1, cut)

    def _told(self, laid: LaidOut, turns: int, tokens: int) -> LaidOut:
        return LaidOut(
            laid.token_ids, laid.segment_ids, laid.reply_segment, turns, tokens
        )

    def _all(self, turns: Sequence[Sequence[int]]) -> LaidOut:
        ids: list[int] = []
        segments: list[int] = []
        for place, turn in enumerate(turns):
            segment = self._segment(place)
            told = [*self._before(place), *turn, *self._behind()]
            ids += told
            segments += [segment] * len(told)
        reply = self._segment(len(turns))
        before = self._before(len(turns))
        opening = self._opening()
        return LaidOut(
            np.asarray([*opening, *ids, *before], "int32"),
            np.asarray(
                [*self._opening_segments(opening), *segments, *[reply] * len(before)],
                "int32",
            ),
            reply,
        )

    def _segment(self, place: int) -> int:
        if self.layout == "speakers":
            token_id = self.tokenizer.token_to_id(SPEAKER_TOKENS[place % 2])
            return 0 if token_id is None else token_id
        return place % 2 if self.layout == "segments" else 0

    def _before(self, place: int) -> list[int]:
        return [self._segment(place)] if self.layout == "speakers" else []

    def _behind(self) -> list[int]:
        return [] if self.layout == "speakers" else [self.stop_id]

    def _opening(self) -> list[int]:
        if self.layout == "joined" or self.tokenizer.cls_id is None:
            return []
        return [self.tokenizer.cls_id]

    def _opening_segments(self, opening: list[int]) -> list[int]:
        return opening if self.layout == "speakers" else [0] * len(opening)
