"""How a sentence with a blank is laid out in tokens: the same for training and use.

Changes when that layout changes; weights trained with another one are then lost.

    [CLS][style] before [MASK] x n after [SEP]
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model_core.interfaces import Blanked
from model_core.tokenizers.base import Tokenizer


@dataclass(frozen=True, slots=True, eq=False)
class Blank:
    """A sentence in tokens with its blank masked.

    Attributes:
        token_ids: int32 (length,).
        first: Index of the first mask.
        num_masks: Masks in the blank.
    """

    token_ids: npt.NDArray[np.int32]
    first: int
    num_masks: int

    @property
    def places(self) -> npt.NDArray[np.int32]:
        """Where the masks are."""
        return np.arange(self.first, self.first + self.num_masks, dtype="int32")


class BlankLayout:
    """Lays sentences out for one vocabulary.

    Args:
        tokenizer: Its tokens; a mark that it lacks is left out.
        style: The style mark behind [CLS], "" for none.
    """

    def __init__(self, tokenizer: Tokenizer, style: str = "") -> None:
        self.tokenizer = tokenizer
        mark = tokenizer.token_to_id(style) if style else None
        self._opening = [t for t in (tokenizer.cls_id, mark) if t is not None]
        self._end = [] if tokenizer.sep_id is None else [tokenizer.sep_id]

    def blank(self, sentence: Blanked, num_masks: int, room: int) -> Blank:
        """Return a sentence with so many masks, shortened where it must be.

        Args:
            sentence: With its blank.
            num_masks: As many as the word has tokens.
            room: Most tokens of it all.
        """
        before = list(self.tokenizer.encode(sentence.before).token_ids)
        after = list(self.tokenizer.encode(sentence.after).token_ids)
        room -= len(self._opening) + len(self._end) + num_masks
        over = max(0, len(before) + len(after) - room)
        if over and sentence.shorten == "before":
            cut = min(over, len(before))
            before, over = before[cut:], over - cut
        after = after[: len(after) - min(over, len(after))]
        before = before[max(0, len(before) + len(after) - room) :]
        masks = [self.tokenizer.mask_id or 0] * num_masks
        ids = [*self._opening, *before, *masks, *after, *self._end]
        first = len(self._opening) + len(before)
        return Blank(np.asarray(ids, "int32"), first, num_masks)
