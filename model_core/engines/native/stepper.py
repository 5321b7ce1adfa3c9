"""Steps over slots: prompts are read once and shared, what rows write is their own.

Changes when rows of a batch share or move in another way.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from model_core.engines.base import Floats, Ints, Writing
from model_core.engines.native.calls import TokenRows
from model_core.engines.native.packed import PackedNetwork
from model_core.engines.native.passes import Pass, PassKind, few_rows
from model_core.engines.native.slots import SequenceSlot, slot_table
from model_core.engines.native.structs import Body, Slot


@dataclass(frozen=True, slots=True, eq=False)
class WrittenRows:
    """The cache of a batch.

    Attributes:
        prompts: Slots that are read only from now on.
        prompt_of: int32 (rows,), which of them each row goes on from.
        prompt_lengths: int32 (rows,).
        own: Every row's slot for what it writes.
        table: Of ``own``, then of ``prompts``, for the kernels.
        sources: Slots of a decoder's sources, or None.
        source_table: Of these.
        source_of: int32 (rows,).
        source_lengths: int32 (rows,).
    """

    prompts: tuple[SequenceSlot, ...]
    prompt_of: Ints
    prompt_lengths: Ints
    own: tuple[SequenceSlot, ...]
    table: "ctypes.Array[Slot]"
    sources: tuple[SequenceSlot, ...] = ()
    source_table: "ctypes.Array[Slot] | None" = None
    source_of: Ints | None = None
    source_lengths: Ints | None = None


class NativeStepper:
    """Steps of one kind; see ``RichStepper``.

    Args:
        packed: Weights and kernels.
        writing: The kind of steps.
    """

    def __init__(self, packed: PackedNetwork, writing: Writing) -> None:
        self._packed = packed
        self._writing = writing
        config = packed.config
        self._has_segments = config.type_vocab_size > 1 or config.segments_are_tokens
        self._is_causal = writing.attention == "causal" and not writing.start_ids
        self._body = packed.body
        self._embedding = packed.embedding
        if writing.start_ids and packed.decoder is not None:
            self._body = packed.decoder
            self._embedding = packed.decoder_embedding or packed.embedding
        self._norm = None
        self._struct: Body = self._body.struct
        if writing.condition is not None:
            shift = packed.condition(writing.condition)
            self._struct = self._body.conditioned(shift)
            self._norm = self._embedding.norm(shift)
        self._kind = PassKind(
            self._struct, self._body.num_weights, self._read_heads, writing
        )

    def prefill(
        self,
        token_ids: Ints,
        lengths: Ints,
        capacity: int,
        mark_ids: Ints | None = None,
        segment_ids: Ints | None = None,
    ) -> tuple[dict[str, Floats], WrittenRows]:
        """See ``RichStepper.prefill``."""
        lengths = np.asarray(lengths, "int32")
        if self._writing.start_ids:
            return self._prefill_decoder(token_ids, lengths, capacity, segment_ids)
        if segment_ids is None and self._has_segments and self._is_causal:
            segment_ids = np.ones_like(token_ids)
        prompts = tuple(self._slot(int(length)) for length in lengths)
        outputs = self._read_prompts(prompts, token_ids, lengths, mark_ids, segment_ids)
        room = capacity - int(lengths.min()) + 1  # one place to spare
        own = tuple(self._slot(room) for _ in lengths)
        cache = WrittenRows(
            prompts=prompts,
            prompt_of=np.arange(len(lengths), dtype="int32"),
            prompt_lengths=lengths,
            own=own,
            table=slot_table([*own, *prompts]),
        )
        return outputs, cache

    def decode_one_token(
        self, token_ids: Ints, positions: Ints, cache: WrittenRows
    ) -> tuple[dict[str, Floats], WrittenRows]:
        """See ``RichStepper.decode_one_token``."""
        every = np.arange(len(token_ids), dtype="int32")
        return self.decode_tokens(token_ids, every, positions, cache)

    def decode_tokens(
        self, token_ids: Ints, rows: Ints, positions: Ints, cache: WrittenRows
    ) -> tuple[dict[str, Floats], WrittenRows]:
        """See ``RichAheadStepper.decode_tokens``."""
        token_ids, positions = (
            np.ascontiguousarray(one, "int32") for one in (token_ids, positions)
        )
        if cache.source_lengths is not None:  # a decoder counts what it wrote itself
            behind = cache.source_lengths[rows]
            positions = positions - behind + len(self._writing.start_ids)
        spare = np.array([slot.capacity - 1 for slot in cache.own], "int32")[rows]
        place = positions - cache.prompt_lengths[rows]
        # a finished row may repeat a token of its prompt, which is not written again
        place = np.where(place < 0, spare, place).astype("int32")
        where = TokenRows(
            slot=rows,
            place=place,
            position=positions,
            limit=positions + np.int32(1),
            shared_slot=cache.prompt_of[rows] + np.int32(len(cache.own)),
            shared_length=cache.prompt_lengths[rows],
            slots=cache.table,
            source_slot=_rows_of(cache.source_of, rows),
            source_length=_rows_of(cache.source_lengths, rows),
            source_slots=cache.source_table,
        )
        segments = None
        if self._has_segments:
            segments = np.full_like(token_ids, self._writing.segment)
        hidden = self._embedding(token_ids, positions, segments, norm=self._norm)
        asked = Pass(where, hidden, np.arange(len(token_ids), dtype="int32"))
        return self._packed.passes.ask(self._kind, asked), cache

    def reorder(self, cache: WrittenRows, rows: Ints) -> WrittenRows:
        """See ``RichStepper.reorder``: a row taken twice is copied once."""
        order = [int(row) for row in rows]
        if order == list(range(len(cache.own))):
            return cache
        free = [slot for index, slot in enumerate(cache.own) if index not in set(order)]
        taken: set[int] = set()
        own = []
        for row in order:
            slot = cache.own[row]
            if row in taken:
                free_like = [one for one in free if one.capacity == slot.capacity]
                copied = free_like[-1] if free_like else self._slot(slot.capacity)
                free = [one for one in free if one is not copied]
                copied.copy_from(slot, slot.capacity)
                slot = copied
            taken.add(row)
            own.append(slot)
        prompts, prompt_of = _still_read(cache.prompts, cache.prompt_of[order])
        return replace(
            cache,
            prompts=prompts,
            own=tuple(own),
            table=slot_table([*own, *prompts]),
            prompt_of=prompt_of,
            prompt_lengths=cache.prompt_lengths[order],
            source_of=_rows_of(cache.source_of, order),
            source_lengths=_rows_of(cache.source_lengths, order),
        )

    def join(self, caches: Sequence[WrittenRows]) -> WrittenRows:
        """Return the cache of the rows of several, in their order.

        Raises:
            ValueError: The rows read sources of a decoder.
        """
        if any(cache.sources for cache in caches):
            raise ValueError("rows of a decoder cannot be joined")
        counts = [len(cache.prompts) for cache in caches]
        firsts = np.cumsum([0, *counts[:-1]])
        own = tuple(slot for cache in caches for slot in cache.own)
        prompts = tuple(slot for cache in caches for slot in cache.prompts)
        return WrittenRows(
            prompts=prompts,
            prompt_of=np.concatenate(
                [
                    cache.prompt_of + np.int32(first)
                    for cache, first in zip(caches, firsts, strict=True)
                ]
            ),
            prompt_lengths=np.concatenate([cache.prompt_lengths for cache in caches]),
            own=own,
            table=slot_table([*own, *prompts]),
        )

    def _slot(self, positions: int) -> SequenceSlot:
        packed = self._packed
        return SequenceSlot.with_room(
            packed.config, self._body.num_layers, positions, packed.kept_as
        )

    def _read_heads(self, hidden: Floats) -> dict[str, Floats]:
        return self._packed.of_next_token(hidden, self._writing.extra_heads)

    def _read_prompts(
        self,
        slots: tuple[SequenceSlot, ...],
        token_ids: Ints,
        lengths: Ints,
        mark_ids: Ints | None,
        segment_ids: Ints | None,
    ) -> dict[str, Floats]:
        """Read prompts into their slots, a few at a time; say what comes next."""
        outputs = []
        for few in few_rows(lengths.tolist()):
            marks, segments = _rows_of(mark_ids, few), _rows_of(segment_ids, few)
            asked = self._prompt_pass(
                slots[few], token_ids[few], lengths[few], marks, segments
            )
            outputs.append(self._packed.passes.ask(self._kind, asked))
        return {name: np.concatenate([o[name] for o in outputs]) for name in outputs[0]}

    def _prompt_pass(
        self,
        slots: tuple[SequenceSlot, ...],
        token_ids: Ints,
        lengths: Ints,
        mark_ids: Ints | None,
        segment_ids: Ints | None,
    ) -> Pass:
        """Return what reads whole prompts into their slots, heads at their ends."""
        real = np.arange(token_ids.shape[1]) < lengths[:, None]
        slot, position = (axis.astype("int32") for axis in np.nonzero(real))
        nothing = np.zeros_like(slot)
        limit = position + 1 if self._is_causal else lengths[slot]
        rows = TokenRows(
            slot=slot,
            place=position,
            position=position,
            limit=np.ascontiguousarray(limit, "int32"),
            shared_slot=nothing,
            shared_length=nothing,
            slots=slot_table(slots),
        )
        hidden = self._packed.embedding(
            token_ids[real],
            position,
            None if segment_ids is None else segment_ids[real],
            None if mark_ids is None else mark_ids[real],
            norm=self._norm if self._body is self._packed.body else None,
        )
        return Pass(rows, hidden, np.cumsum(lengths) - 1)

    def _prefill_decoder(
        self,
        token_ids: Ints,
        lengths: Ints,
        capacity: int,
        segment_ids: Ints | None,
    ) -> tuple[dict[str, Floats], WrittenRows]:
        """Read sources with the encoder, keep them, and start the decoder."""
        sources = tuple(self._slot(int(length)) for length in lengths)
        for few in few_rows(lengths.tolist()):
            self._read_sources(
                sources[few], token_ids[few], lengths[few], _rows_of(segment_ids, few)
            )
        count, started = len(lengths), len(self._writing.start_ids)
        room = capacity - int(lengths.min()) + started + 1
        own = tuple(self._slot(room) for _ in lengths)
        row_of = np.arange(count, dtype="int32")
        cache = WrittenRows(
            prompts=(),
            prompt_of=np.zeros(count, "int32"),
            prompt_lengths=np.zeros(count, "int32"),
            own=own,
            table=slot_table(own),
            sources=sources,
            source_table=slot_table(sources),
            source_of=row_of,
            source_lengths=lengths,
        )
        return self._start(cache, count), cache

    def _read_sources(
        self,
        sources: tuple[SequenceSlot, ...],
        token_ids: Ints,
        lengths: Ints,
        segment_ids: Ints | None,
    ) -> None:
        """Read texts with the encoder; keep in slots what the decoder reads of them."""
        packed, decoder, body = self._packed, self._body, self._packed.body
        read = tuple(
            SequenceSlot.with_room(
                packed.config, body.num_layers, int(length), packed.kept_as
            )
            for length in lengths
        )
        asked = self._prompt_pass(read, token_ids, lengths, None, segment_ids)
        reading = PassKind(body.struct, body.num_weights, dict, "sources")
        packed.passes.run_slices(reading, asked)
        table, rows = slot_table(sources), asked.rows
        for layer in range(decoder.num_layers):
            projection = decoder.source_key_value(layer)
            key_value = packed.kernels.linear(projection, asked.hidden)
            packed.kernels.keep_source(
                decoder.struct, table, layer, key_value, rows.slot, rows.position
            )

    def _start(self, cache: WrittenRows, count: int) -> dict[str, Floats]:
        """Give the decoder what it begins with; say what comes next."""
        outputs: dict[str, Floats] = {}
        for index, token in enumerate(self._writing.start_ids):
            behind: Any = cache.source_lengths
            places = behind + np.int32(index - len(self._writing.start_ids))
            tokens = np.full(count, token, "int32")
            outputs, _ = self.decode_one_token(tokens, places, cache)
        return outputs


def _still_read(
    prompts: tuple[SequenceSlot, ...], prompt_of: Ints
) -> tuple[tuple[SequenceSlot, ...], Ints]:
    """Return the prompts that some row goes on from, and which is whose."""
    used, renumbered = np.unique(prompt_of, return_inverse=True)
    if not prompts or len(used) == len(prompts):
        return prompts, prompt_of
    return tuple(prompts[index] for index in used), renumbered.astype("int32")


def _rows_of(array: Ints | None, order: list[int] | Ints | slice) -> Ints | None:
    return None if array is None else array[order]
