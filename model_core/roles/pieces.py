"""Decoded rows as text, piece by piece; a frame makes what is new in it.

Changes when a candidate tells something else of its tokens. Knows no network.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from model_core.decoding.frames import ChosenToken, DecodedRow
from model_core.decoding.healing import Healed
from model_core.interfaces import Alternative, Candidate, TokenScore
from model_core.tokenizers.base import Tokenizer


class PieceMaker:
    """Turns decoded rows of one request into candidates.

    What a token adds to the text never changes when others follow it, so a row that
    only grew since the last frame costs as much as its new tokens.

    Args:
        tokenizer: The checkpoint's.
        healed: The prompt that the rows continue.
    """

    def __init__(self, tokenizer: Tokenizer, healed: Healed) -> None:
        self._tokenizer = tokenizer
        self._healed = healed
        self._rows: list[_GrowingRow] = []

    def candidates(self, rows: Sequence[DecodedRow]) -> tuple[Candidate, ...]:
        """Return rows as texts, the prompt's end cut off again.

        Args:
            rows: Of one frame, in the order of the frame before.
        """
        while len(self._rows) < len(rows):
            self._rows.append(self._empty())
        return tuple(self._candidate(place, row) for place, row in enumerate(rows))

    def _candidate(self, place: int, row: DecodedRow) -> Candidate:
        if not self._rows[place].begins(row):  # beams change places
            self._rows[place] = self._empty()
        return self._rows[place].grown(row)

    def _empty(self) -> "_GrowingRow":
        return _GrowingRow(self._tokenizer, self._healed)


class _GrowingRow:
    """One row's text so far."""

    def __init__(self, tokenizer: Tokenizer, healed: Healed) -> None:
        self._tokenizer = tokenizer
        self._healed = healed
        context = healed.token_ids[-1:]  # decides a space before the first word
        self._waiting: deque[int] = deque(context)
        self._pieces = tokenizer.decode_each(self._arriving())
        for _ in context:
            next(self._pieces)
        self._generated = ""
        self._tokens: list[ChosenToken] = []
        self._scores: list[TokenScore] = []

    def begins(self, row: DecodedRow) -> bool:
        """Return whether a row goes on from what stands here."""
        known = self._tokens
        return len(known) <= len(row.tokens) and all(
            mine is its for mine, its in zip(known, row.tokens, strict=False)
        )

    def grown(self, row: DecodedRow) -> Candidate:
        """Return a row that goes on from here, and keep it."""
        for token in row.tokens[len(self._tokens) :]:
            self._waiting.append(token.token_id)
            piece = next(self._pieces)
            self._generated += piece
            self._tokens.append(token)
            self._scores.append(TokenScore(piece, token.log_prob, self._others(token)))
        text = self._healed.continuation(self._generated)
        skip = len(self._generated) - len(text)
        return Candidate(text, row.log_prob, self._shown(skip), row.finish)

    def _shown(self, skip: int) -> tuple[TokenScore, ...]:
        """Return the scores, so many characters of the first pieces cut off."""
        place = 0
        cut: list[TokenScore] = []
        while skip > 0:
            score = self._scores[place]
            cut.append(
                TokenScore(score.text[skip:], score.log_prob, score.alternatives)
            )
            skip -= len(score.text)
            place += 1
        return (*cut, *self._scores[place:])

    def _arriving(self) -> Iterator[int]:
        """Yield the ids that wait; asked for one only when there is one."""
        while self._waiting:
            yield self._waiting.popleft()

    def _others(self, token: ChosenToken) -> tuple[Alternative, ...]:
        return tuple(
            Alternative(self._tokenizer.token_text(token_id), probability)
            for token_id, probability in token.alternatives
        )
