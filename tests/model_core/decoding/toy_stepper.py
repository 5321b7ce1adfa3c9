"""A tiny language model in numpy whose logits give away every mistake of a caller.

The next token depends on the last two tokens, on the position and, a little, on every
token at its place, all read from the cache: a wrong position, a wrong row or a cache
used twice changes the text or fails at once. Rows never mix, to the last bit.
"""

from dataclasses import dataclass, field

import numpy as np

from model_core.decoding.stepper import Logits, TokenIds


@dataclass
class ToyCache:
    token_ids: TokenIds  # (batch, capacity)
    lengths: TokenIds  # (batch,)
    is_spent: bool = False


@dataclass
class ToyStepper:
    vocab_size: int
    seed: int = 0
    scale: float = 2.0
    calls: list[tuple[str, int]] = field(default_factory=list)  # name, batch
    capacity: int = 0

    def __post_init__(self):
        draw = np.random.default_rng((self.seed, self.vocab_size)).normal
        shape = (self.vocab_size, self.vocab_size)
        self._last = draw(scale=self.scale, size=shape).astype(np.float32)
        self._before = draw(scale=self.scale / 2, size=shape).astype(np.float32)
        self._every = draw(scale=self.scale / 4, size=shape).astype(np.float32)
        self._place = draw(size=(16, self.vocab_size)).astype(np.float32)

    def logits_after(self, token_ids) -> Logits:
        """The truth, from the whole sequence: (vocabulary,)."""
        length = len(token_ids)
        logits = self._last[token_ids[-1]] + self._place[length % 16]
        if length > 1:
            logits = logits + self._before[token_ids[-2]]
        for place, token_id in enumerate(token_ids):
            logits = logits + self._every[token_id] * np.float32(np.cos(place) / 4)
        return logits.astype(np.float32)

    def log_probs_after(self, token_ids):
        logits = self.logits_after(token_ids).astype(np.float64)
        return logits - np.log(np.exp(logits).sum())

    def prefill(self, token_ids, lengths, capacity):
        self.calls.append(("prefill", len(token_ids)))
        assert token_ids.dtype == lengths.dtype == np.int32
        assert capacity >= token_ids.shape[1]
        self.capacity = capacity
        cache = ToyCache(np.zeros((len(token_ids), capacity), np.int32), lengths.copy())
        cache.token_ids[:, : token_ids.shape[1]] = token_ids
        return self._logits(cache), cache

    def decode_one_token(self, token_ids, positions, cache):
        self.calls.append(("decode", len(token_ids)))
        assert token_ids.dtype == positions.dtype == np.int32
        cache = self._spend(cache)
        for row, (token_id, place) in enumerate(zip(token_ids, positions, strict=True)):
            is_repeat = place == cache.lengths[row] - 1
            assert is_repeat or place == cache.lengths[row], "position leaves a gap"
            if is_repeat:
                assert cache.token_ids[row, place] == token_id, "another token's place"
            cache.token_ids[row, place] = token_id
            cache.lengths[row] = place + 1
        return self._logits(cache), cache

    def decode_tokens(self, token_ids, rows, positions, cache):
        """Append several tokens to the rows; a place may be read again."""
        self.calls.append(("ahead", len(token_ids)))
        cache = self._spend(cache)
        logits = []
        for token_id, row, place in zip(token_ids, rows, positions, strict=True):
            assert place <= cache.lengths[row], "position leaves a gap"
            cache.token_ids[row, place] = token_id
            cache.lengths[row] = place + 1
            seen = cache.token_ids[row, : place + 1].tolist()
            logits.append(self.logits_after(seen))
        return np.stack(logits), cache

    def reorder(self, cache, rows):
        self.calls.append(("reorder", len(rows)))
        assert rows.dtype == np.int32
        cache = self._spend(cache)
        return ToyCache(cache.token_ids[rows], cache.lengths[rows])

    def join(self, caches):
        self.calls.append(("join", len(caches)))
        spent = [self._spend(cache) for cache in caches]
        width = max(cache.token_ids.shape[1] for cache in spent)
        wider = [
            np.pad(cache.token_ids, ((0, 0), (0, width - cache.token_ids.shape[1])))
            for cache in spent
        ]
        lengths = np.concatenate([cache.lengths for cache in spent])
        return ToyCache(np.concatenate(wider), lengths)

    def count(self, name: str) -> int:
        return sum(call == name for call, _ in self.calls)

    def _spend(self, cache):
        assert not cache.is_spent, "this cache was used up by an earlier call"
        cache.is_spent = True
        return ToyCache(cache.token_ids, cache.lengths)

    def _logits(self, cache):
        return np.stack(
            [
                self.logits_after(tokens[:length].tolist())
                for tokens, length in zip(cache.token_ids, cache.lengths, strict=True)
            ]
        )
