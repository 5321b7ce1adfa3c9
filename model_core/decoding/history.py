"""What each row of a batch has seen: its prompt and the tokens generated so far.

Changes when a rule needs to know more of the past. A value: appending makes another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from model_core.decoding.checks import check_prompts
from model_core.decoding.stepper import TokenIds

PADDING = -1


@dataclass(frozen=True, slots=True)
class History:
    """The tokens of every row, prompt first.

    Attributes:
        token_ids: (batch, length); ``PADDING`` after a row's end.
        lengths: (batch,), number of tokens per row, >= 1.
        prompt_lengths: (batch,), how many of them are the prompt.
    """

    token_ids: TokenIds
    lengths: TokenIds
    prompt_lengths: TokenIds

    @classmethod
    def of_prompts(cls, prompts: Sequence[Sequence[int]]) -> Self:
        """Build the history of rows that have only their prompts.

        Raises:
            ValueError: No prompt, or one without a token.
        """
        check_prompts(prompts)
        lengths = np.array([len(prompt) for prompt in prompts], np.int32)
        token_ids = np.full((len(prompts), int(lengths.max())), PADDING, np.int32)
        for row, prompt in enumerate(prompts):
            token_ids[row, : len(prompt)] = prompt
        return cls(token_ids, lengths, lengths)

    @property
    def num_new_tokens(self) -> TokenIds:
        """(batch,), tokens generated per row."""
        return self.lengths - self.prompt_lengths

    @property
    def last_token_ids(self) -> TokenIds:
        """(batch,), the last token of every row."""
        return self.token_ids[np.arange(len(self.lengths)), self.lengths - 1]

    @property
    def right_padded(self) -> TokenIds:
        """(batch, length), the tokens as a network wants them: 0 after a row's end."""
        return np.maximum(self.token_ids, 0)

    def row(self, row: int) -> TokenIds:
        """Return the tokens of one row, (length,)."""
        return self.token_ids[row, : self.lengths[row]]

    def new_tokens(self, row: int) -> TokenIds:
        """Return the generated tokens of one row, (new,)."""
        return self.token_ids[row, self.prompt_lengths[row] : self.lengths[row]]

    def take(self, rows: npt.NDArray[np.integer]) -> Self:
        """Return the history whose row i is row ``rows[i]`` of this one."""
        return type(self)(
            self.token_ids[rows], self.lengths[rows], self.prompt_lengths[rows]
        )

    @classmethod
    def joined(cls, parts: "Sequence[History]") -> Self:
        """Return the history of the rows of several, in their order."""
        width = max(part.token_ids.shape[1] for part in parts)
        wider = [
            np.pad(
                part.token_ids,
                ((0, 0), (0, width - part.token_ids.shape[1])),
                constant_values=PADDING,
            )
            for part in parts
        ]
        return cls(
            np.concatenate(wider),
            np.concatenate([part.lengths for part in parts]),
            np.concatenate([part.prompt_lengths for part in parts]),
        )

    def append(self, token_ids: TokenIds, running: npt.NDArray[np.bool_]) -> Self:
        """Return this history with one more token in every running row.

        Args:
            token_ids: (batch,); what stands in rows that are not running is ignored.
            running: (batch,), True where the token counts.
        """
        rows = np.flatnonzero(running)
        lengths = self.lengths + running.astype(np.int32)
        width = max(int(lengths.max()), self.token_ids.shape[1])
        longer = np.full((len(lengths), width), PADDING, np.int32)
        longer[:, : self.token_ids.shape[1]] = self.token_ids
        longer[rows, self.lengths[rows]] = token_ids[rows]
        return type(self)(longer, lengths, self.prompt_lengths)
