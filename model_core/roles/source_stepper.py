"""Steps that write a target after a source: marks, the source's prior, the copy head.

Changes when a source tells the network something else. Between roles and engines: the
decoding above knows prompts as ids only, so what belongs to a prompt is looked up by
its ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model_core.decoding.stepper import Logits, TokenIds
from model_core.engines.base import (
    Floats,
    RichAheadStepper,
    RichStepper,
    Writing,
    padded,
)
from model_core.roles.formats import Source
from model_core.roles.loaded import LoadedModel

FORBIDDEN = np.float32(-1e30)
BEHIND_A_PREFIX = Writing("prefix_lm")


@dataclass(frozen=True, slots=True, eq=False)
class SourceCache:
    """What the rows carry: the network's cache and each row's prior."""

    inner: Any
    prior: Floats


class SourceStepper:
    """A ``Stepper`` over sources; several may be read together.

    Args:
        model: The network.
        sources: Every prompt that will be read.
        forbidden: Tokens that no target holds.
        writing: How the network writes behind a source.
    """

    def __init__(
        self,
        model: LoadedModel,
        sources: Sequence[Source],
        forbidden: tuple[int, ...] = (),
        writing: Writing = BEHIND_A_PREFIX,
    ) -> None:
        self._marks = {
            tuple(source.token_ids.tolist()): source.mark_ids for source in sources
        }
        self._model = model
        self._has_marks = model.config.mark_vocab_size > 0
        self._forbidden = np.asarray(forbidden, "int64")
        self._stepper: RichStepper = model.engine.stepper(writing)

    def prefill(
        self, token_ids: TokenIds, lengths: TokenIds, capacity: int
    ) -> tuple[Logits, SourceCache]:
        """See ``Stepper.prefill``."""
        outputs, cache = self.read(token_ids, lengths, capacity)
        return outputs["logits"], cache

    def decode_one_token(
        self, token_ids: TokenIds, positions: TokenIds, cache: SourceCache
    ) -> tuple[Logits, SourceCache]:
        """See ``Stepper.decode_one_token``."""
        outputs, cache = self.step(token_ids, positions, cache)
        return outputs["logits"], cache

    @property
    def reads_ahead(self) -> bool:
        """Whether several tokens may be appended to a row at once."""
        return isinstance(self._stepper, RichAheadStepper)

    def decode_tokens(
        self,
        token_ids: TokenIds,
        rows: TokenIds,
        positions: TokenIds,
        cache: SourceCache,
    ) -> tuple[Logits, SourceCache]:
        """See ``AheadStepper.decode_tokens``."""
        stepper: Any = self._stepper
        outputs, inner = stepper.decode_tokens(token_ids, rows, positions, cache.inner)
        return outputs["logits"] + cache.prior[rows], SourceCache(inner, cache.prior)

    def reorder(self, cache: SourceCache, rows: TokenIds) -> SourceCache:
        """See ``Stepper.reorder``."""
        inner = self._stepper.reorder(cache.inner, rows)
        return SourceCache(inner, cache.prior[rows])

    def read(
        self, token_ids: TokenIds, lengths: TokenIds, capacity: int
    ) -> tuple[dict[str, Floats], SourceCache]:
        """Read sources; every head's outputs for the first token."""
        rows = [
            row[:length]
            for row, length in zip(token_ids, lengths.tolist(), strict=True)
        ]
        marks = None
        if self._has_marks:
            marks = padded([self._marks[tuple(row.tolist())] for row in rows])
        outputs, inner = self._stepper.prefill(token_ids, lengths, capacity, marks)
        return self._with_prior(outputs, SourceCache(inner, self._prior(rows)))

    def step(
        self, token_ids: TokenIds, positions: TokenIds, cache: SourceCache
    ) -> tuple[dict[str, Floats], SourceCache]:
        """Append one token per row; every head's outputs for the next."""
        outputs, inner = self._stepper.decode_one_token(
            token_ids, positions, cache.inner
        )
        return self._with_prior(outputs, SourceCache(inner, cache.prior))

    def _with_prior(
        self, outputs: dict[str, Floats], cache: SourceCache
    ) -> tuple[dict[str, Floats], SourceCache]:
        return {**outputs, "logits": outputs["logits"] + cache.prior}, cache

    def _prior(self, rows: Sequence[npt.NDArray[np.int32]]) -> Floats:
        """Return what each row's source adds to every logit (rows, vocabulary)."""
        occurs = np.zeros((len(rows), self._model.config.vocab_size), "float32")
        for index, row in enumerate(rows):
            occurs[index, row] = 1.0
        prior = np.zeros_like(occurs)
        if "source_prior" in self._model.engine.heads:
            prior = self._model.engine.apply("source_prior", occurs)["prior"].copy()
        prior[:, self._forbidden] = FORBIDDEN
        return prior


class CopyingStepper(SourceStepper):
    """A ``CopyStepper``: its steps also score the next token's copy tag.

    Args:
        model: A network with a copy head.
        sources: Every prompt that will be read.
        forbidden: Tokens that no target holds.
    """

    def __init__(
        self,
        model: LoadedModel,
        sources: Sequence[Source],
        forbidden: tuple[int, ...] = (),
    ) -> None:
        super().__init__(model, sources, forbidden)
        self._stepper = model.engine.stepper(Writing("prefix_lm", ("copy",)))

    def prefill(  # type: ignore[override]
        self, token_ids: TokenIds, lengths: TokenIds, capacity: int
    ) -> tuple[Logits, Logits, SourceCache]:
        """See ``CopyStepper.prefill``."""
        outputs, cache = self.read(token_ids, lengths, capacity)
        return outputs["logits"], outputs["copy_logits"], cache

    def decode_one_token(  # type: ignore[override]
        self, token_ids: TokenIds, positions: TokenIds, cache: SourceCache
    ) -> tuple[Logits, Logits, SourceCache]:
        """See ``CopyStepper.decode_one_token``."""
        outputs, cache = self.step(token_ids, positions, cache)
        return outputs["logits"], outputs["copy_logits"], cache


def forbidden_in_targets(model: LoadedModel) -> tuple[int, ...]:
    """Return the tokens that no target holds: marks other than the end, unknown."""
    tokenizer = model.tokenizer
    rows_without_token = range(tokenizer.vocab_size, model.config.vocab_size)
    unwanted = {*tokenizer.special_ids, tokenizer.unk_id} - {None, tokenizer.sep_id}
    return tuple(sorted({*unwanted, *rows_without_token}))
