"""Beam search with a copy head: tags bind tokens to the prompt while they are written.

Changes when a copying network is asked otherwise. What a tag allows is copying.py's
business, how beams are kept is beam.py's.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from model_core.decoding.beam import BeamOptions, beam_search, beam_search_many
from model_core.decoding.copying import Copying
from model_core.decoding.frames import DecodingFrame
from model_core.decoding.logits import FORBIDDEN
from model_core.decoding.sparse import SparseStepper
from model_core.decoding.stepper import CacheT, Logits, Stepper, TokenIds

InnerT = TypeVar("InnerT")


class CopyStepper(Protocol[CacheT]):
    """A ``Stepper`` that also scores the next token's tag.

    As for ``Stepper``, with (batch, 3) scores of copying.OUTSIDE, BEGIN and INSIDE
    (probabilities or logits) between logits and cache.
    """

    def prefill(
        self, token_ids: TokenIds, lengths: TokenIds, capacity: int
    ) -> tuple[Logits, Logits, CacheT]:
        """Read whole prompts at once."""
        ...

    def decode_one_token(
        self, token_ids: TokenIds, positions: TokenIds, cache: CacheT
    ) -> tuple[Logits, Logits, CacheT]:
        """Append one token to every row."""
        ...

    def reorder(self, cache: CacheT, rows: TokenIds) -> CacheT:
        """Build the cache whose row i is row ``rows[i]`` of the old one."""
        ...


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """How to copy.

    Attributes:
        stop_token_ids: Always allowed: a target may end inside a copied n-gram.
        not_copied: Tokens of the prompt that are never copied: its marks.
        sparse_top_k: Of the tokens that a tag allows only the k best keep a
            probability; 0 keeps all.
    """

    stop_token_ids: frozenset[int]
    not_copied: frozenset[int] = frozenset()
    sparse_top_k: int = 0

    def __post_init__(self) -> None:
        if self.sparse_top_k < 0:
            raise ValueError(f"sparse_top_k must be >= 0, got {self.sparse_top_k}")


@dataclass(frozen=True, slots=True, eq=False)
class CopyCache(Generic[InnerT]):
    """What the rows carry: the network's cache, their targets and next tags.

    Attributes:
        inner: The network's.
        targets: (batch,) of what has been copied.
        tags: (batch,), of every row's next token.
        lengths: (batch,), tokens read per row.
    """

    inner: InnerT
    targets: tuple[Copying, ...]
    tags: tuple[int, ...]
    lengths: TokenIds


@dataclass(frozen=True, slots=True)
class TaggedStepper(Generic[InnerT]):
    """A ``Stepper`` out of a ``CopyStepper``: it forbids what a row's tag forbids.

    The source of a row is its prompt. The probabilities of what is left are
    renormalised, as in the source (kexue.fm/archives/8046).

    Attributes:
        stepper: The network.
        options: How to copy.
    """

    stepper: CopyStepper[InnerT]
    options: CopyOptions

    def prefill(
        self, token_ids: TokenIds, lengths: TokenIds, capacity: int
    ) -> tuple[Logits, CopyCache[InnerT]]:
        """See ``Stepper.prefill``."""
        logits, scores, inner = self.stepper.prefill(token_ids, lengths, capacity)
        targets = tuple(
            Copying.of(prompt[:length], self.options.not_copied)
            for prompt, length in zip(token_ids, lengths.tolist(), strict=True)
        )
        return self._bound(logits, scores, targets, lengths, inner)

    def decode_one_token(
        self, token_ids: TokenIds, positions: TokenIds, cache: CopyCache[InnerT]
    ) -> tuple[Logits, CopyCache[InnerT]]:
        """See ``Stepper.decode_one_token``."""
        logits, scores, inner = self.stepper.decode_one_token(
            token_ids, positions, cache.inner
        )
        is_new = positions == cache.lengths
        targets = tuple(
            target.followed_by(token_id, tag) if new else target
            for target, token_id, tag, new in zip(
                cache.targets,
                token_ids.tolist(),
                cache.tags,
                is_new.tolist(),
                strict=True,
            )
        )
        return self._bound(logits, scores, targets, positions + 1, inner)

    def reorder(self, cache: CopyCache[InnerT], rows: TokenIds) -> CopyCache[InnerT]:
        """See ``Stepper.reorder``."""
        return CopyCache(
            inner=self.stepper.reorder(cache.inner, rows),
            targets=tuple(cache.targets[row] for row in rows),
            tags=tuple(cache.tags[row] for row in rows),
            lengths=cache.lengths[rows],
        )

    def _bound(
        self,
        logits: Logits,
        scores: Logits,
        targets: tuple[Copying, ...],
        lengths: TokenIds,
        inner: InnerT,
    ) -> tuple[Logits, CopyCache[InnerT]]:
        tags = tuple(
            target.tag(row) for target, row in zip(targets, scores, strict=True)
        )
        bound = logits.copy()
        stops = list(self.options.stop_token_ids)
        for row, (target, tag) in enumerate(zip(targets, tags, strict=True)):
            allowed = target.allowed_ids(tag)
            if allowed is not None:
                bound[row] = _only(logits[row], np.append(allowed, stops))
        return bound, CopyCache(inner, targets, tags, lengths)


def copy_beam_search(
    stepper: CopyStepper[InnerT],
    prompt: Sequence[int],
    options: BeamOptions,
    copy: CopyOptions,
) -> Generator[DecodingFrame, None, None]:
    """Search as ``beam_search`` does, bound by tags; tokens carry theirs.

    ``log_prob`` is that of the bound distribution. ``copying.copied_spans`` reads the
    copied stretches off a row's tokens and tags.

    Args:
        stepper: The network.
        prompt: Token ids, at least one; the source to copy from.
        options: How to search.
        copy: How to copy.

    Raises:
        ValueError: A prompt without a token (at once, not at the first frame).
        FloatingPointError: The network's logits are not numbers.
    """
    return beam_search(_bound_stepper(stepper, copy), prompt, options, _next_tag)


def copy_beam_search_many(
    stepper: CopyStepper[InnerT],
    prompts: Sequence[Sequence[int]],
    options: BeamOptions,
    copy: CopyOptions,
) -> Generator[tuple[DecodingFrame, ...], None, None]:
    """Search several prompts in step, as ``beam_search_many`` does."""
    bound = _bound_stepper(stepper, copy)
    return beam_search_many(bound, prompts, options, _next_tag)


def _bound_stepper(
    stepper: CopyStepper[InnerT], copy: CopyOptions
) -> Stepper[CopyCache[InnerT]]:
    tagged = TaggedStepper(stepper, copy)
    return SparseStepper(tagged, copy.sparse_top_k) if copy.sparse_top_k else tagged


def _next_tag(cache: CopyCache[InnerT], row: int) -> int:
    return cache.tags[row]


def _only(logits: npt.NDArray[np.float32], token_ids: TokenIds) -> Logits:
    kept = np.full_like(logits, FORBIDDEN)
    kept[token_ids] = logits[token_ids]
    return kept
