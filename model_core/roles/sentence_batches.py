"""Sentences of like length share a pass: who stands beside whom changes no answer.

Changes when batches of sentences are made in another way.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from model_core.engines.base import TokenBatch
from model_core.roles.pair_layout import Laid

TOGETHER = 64  # short sentences; a pass holds at most as many tokens as this
TOKENS_TOGETHER = 4096


def in_batches(
    rows: Sequence[Laid], pad_id: int | None
) -> Iterator[tuple[list[int], TokenBatch]]:
    """Yield the rows' indices and their batch, shortest rows first.

    Args:
        rows: In any order.
        pad_id: What fills up.
    """
    order = np.argsort([len(row.token_ids) for row in rows], kind="stable").tolist()
    while order:
        group = _group(rows, order)
        order = order[len(group) :]
        batch = TokenBatch.from_rows(
            [rows[index].token_ids for index in group],
            [rows[index].segment_ids for index in group],
            pad_id=pad_id or 0,
        )
        yield group, batch


def _group(rows: Sequence[Laid], order: Sequence[int]) -> list[int]:
    """Return the first of the indices that go together."""
    group = [order[0]]
    for index in order[1:TOGETHER]:
        if len(rows[index].token_ids) * (len(group) + 1) > TOKENS_TOGETHER:
            break
        group.append(index)
    return group
