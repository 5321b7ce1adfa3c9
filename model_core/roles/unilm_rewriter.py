"""Rewrites a text with an encoder that was trained behind a prefix mask: UniLM.

Changes when such weights frame their texts otherwise. Dong et al. 2019 (arXiv
1905.03197), kexue.fm/archives/6933: a BERT, RoFormer or NEZHA reads ``[CLS] source
[SEP]`` in segment 0, all of it at once, and its cloze head writes ``target [SEP]`` in
segment 1 from left to right. Nothing in the numbers tells such weights from others, so
their config.json has to: ``"attention": "prefix_lm"``.
"""

import numpy as np

from model_core.interfaces import RewriteOptions
from model_core.roles.formats import REWRITING, Source
from model_core.roles.loaded import LoadedModel
from model_core.roles.text_rewriter import NetworkTextRewriter

NUM_AROUND = 2  # [CLS] and [SEP]


class UniLmTextRewriter(NetworkTextRewriter):
    """A ``TextRewriter`` over one stack of blocks of another family.

    It does not know what it was trained to write: any of ``REWRITING`` is asked of it
    alike.

    Args:
        model: The network and its tokenizer.
    """

    @property
    def parts(self) -> tuple[str, ...]:
        """See ``TextRewriter.parts``."""
        return tuple(REWRITING)

    @property
    def can_copy(self) -> bool:
        """See ``TextRewriter.can_copy``."""
        return False

    def _source(self, text: str, options: RewriteOptions) -> Source:
        return source_of(self._model, text, self._room(options))


def source_of(model: LoadedModel, text: str, room: int) -> Source:
    """Return a text as the source of a target.

    Args:
        model: Whose tokens and positions.
        text: What is rewritten; its end is left out where it does not fit.
        room: Positions that it may take, marks included; see ``room_for_source``.
    """
    tokenizer, room = model.tokenizer, room - NUM_AROUND
    piece = model.formats.piece(text[: 4 * room]).cut(0, room)
    ids = [tokenizer.cls_id or 0, *piece.token_ids, tokenizer.sep_id or 0]
    row = np.asarray(ids, "int32")
    return Source(row, np.zeros_like(row), 1, piece)
