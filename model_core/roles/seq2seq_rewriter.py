"""Rewrites a text with an encoder and a decoder: published title and summary models.

Changes when such a network rewrites in another way. Shares all but what surrounds
sources and targets with the one network that rewrites behind a prefix mask.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from model_core.decoding.sparse import SparseStepper
from model_core.engines.base import Writing
from model_core.interfaces import RewriteOptions
from model_core.roles.formats import REWRITING, Source
from model_core.roles.loaded import LoadedModel
from model_core.roles.source_stepper import SourceStepper
from model_core.roles.target_format import load_target_format
from model_core.roles.text_rewriter import NetworkTextRewriter


class Seq2SeqTextRewriter(NetworkTextRewriter):
    """A ``TextRewriter`` over an encoder-decoder.

    It does not know what it was trained to write: any of ``REWRITING`` is asked of it
    alike.

    Args:
        model: The network and its tokenizer.
    """

    def __init__(self, model: LoadedModel) -> None:
        super().__init__(model)
        self._target = load_target_format(model.folder, model.tokenizer)
        self._stops = frozenset(self._target.stop)
        self._forbidden = tuple(
            token_id for token_id in self._forbidden if token_id not in self._stops
        )

    @property
    def parts(self) -> tuple[str, ...]:
        """See ``TextRewriter.parts``."""
        return tuple(REWRITING)

    @property
    def can_copy(self) -> bool:
        """See ``TextRewriter.can_copy``."""
        return False

    def _source(self, text: str, options: RewriteOptions) -> Source:
        del options  # the target has positions of its own
        room = self._model.config.max_position_embeddings - self._target.num_around
        piece = self._model.formats.piece(text[: 4 * room]).cut(0, room)
        opening, closing = self._target.opening, self._target.closing
        ids = np.asarray([*opening, *piece.token_ids, *closing], "int32")
        return Source(ids, np.zeros_like(ids), len(opening), piece)

    def _most_new_tokens(self, options: RewriteOptions) -> int:
        room = self._model.config.max_position_embeddings - len(self._target.start)
        return min(options.max_new_tokens, room)

    def _stepper(self, sources: Sequence[Source], options: RewriteOptions) -> Any:
        writing = Writing(start_ids=self._target.start)
        stepper = SourceStepper(self._model, sources, self._forbidden, writing)
        if options.sparse_top_k:
            return SparseStepper(stepper, options.sparse_top_k)
        return stepper
