"""Several tokens in one pass, guessed from what stands there already, exactly.

Changes when guesses come from elsewhere. Prompt lookup (A. Saxena, 2023; assisted
generation of arXiv 2211.17192 with the text itself as the draft): where the last few
tokens occurred before, what followed then may follow now. The network reads the guesses
in one pass, each position draws its own token as it would have alone, and as many
guesses stand as agree with what was drawn::

    … 国 务 院 总 理 … 国 务      guessed  院 总 理
                                 drawn    院 总 书     3 tokens in one pass

A text that copies its source takes half the passes. Others lose little: reading five
tokens moves the same weights as reading one.
"""

from collections.abc import Generator, Sequence
from typing import Protocol

import numpy as np

from model_core.decoding.batch import prefill
from model_core.decoding.checks import check_prompts
from model_core.decoding.frames import DecodedRow, DecodingFrame
from model_core.decoding.history import History
from model_core.decoding.loop import SamplingOptions
from model_core.decoding.sampling import Sampler, choose
from model_core.decoding.scoring import chosen_tokens, log_normalizers
from model_core.decoding.stepper import CacheT, Logits, Stepper, TokenIds

LONGEST_MATCH, SHORTEST_MATCH = 3, 2
MOST_GUESSED = 4


class AheadStepper(Stepper[CacheT], Protocol[CacheT]):
    """A stepper that may append several tokens to a row at once.

    What is said behind a token is what ``decode_one_token`` would say, and a position
    that was read may be read again: later positions of the row are forgotten then.
    """

    def decode_tokens(
        self, token_ids: TokenIds, rows: TokenIds, positions: TokenIds, cache: CacheT
    ) -> tuple[Logits, CacheT]:
        """Append tokens.

        Args:
            token_ids: (num_tokens,).
            rows: (num_tokens,), whose each is.
            positions: (num_tokens,), ascending within a row, without a gap.
            cache: From the last call.

        Returns:
            Logits (num_tokens, vocabulary) of the token after each, and the cache.
        """
        ...


def guesses(seen: Sequence[int]) -> Sequence[int]:
    """Return the tokens that followed the last time the text ended as it does now.

    The longest ending counts, and of its places the last; none where it is new.
    """
    for size in range(LONGEST_MATCH, SHORTEST_MATCH - 1, -1):
        ending = seen[-size:]
        for end in range(len(seen) - 1, size - 1, -1):
            if seen[end - size : end] == ending:
                return seen[end : end + MOST_GUESSED]
    return ()


def generate_ahead(
    stepper: AheadStepper[CacheT], prompt: Sequence[int], options: SamplingOptions
) -> Generator[DecodingFrame, None, None]:
    """Yield what ``loop.generate`` yields for one prompt, several tokens at a time.

    Args:
        stepper: The network.
        prompt: Token ids, at least one.
        options: How to sample; ``TopK(1)`` is greedy.

    Raises:
        ValueError: A prompt without a token (at once).
        FloatingPointError: The network's logits are not numbers.
    """
    check_prompts([prompt])
    return _frames(stepper, list(prompt), options)


def _frames(
    stepper: AheadStepper[CacheT], seen: list[int], options: SamplingOptions
) -> Generator[DecodingFrame, None, None]:
    row, num_prompt = DecodedRow(), len(seen)
    numbers = _Numbers(Sampler(options.seed, 1))
    batch = prefill(stepper, [seen], options.max_new_tokens + MOST_GUESSED)
    logits, cache, guessed = batch.logits, batch.cache, [0][:0]
    while True:
        row = _read_on(row, seen, num_prompt, logits, guessed, numbers, options)
        yield DecodingFrame((row,))
        if row.finish:
            return
        guessed = list(guesses(seen))[: options.max_new_tokens - len(row.tokens) - 1]
        tokens = np.array([seen[-1], *guessed], np.int32)
        places = np.arange(len(tokens), dtype=np.int32) + np.int32(len(seen) - 1)
        logits, cache = stepper.decode_tokens(tokens, tokens * 0, places, cache)


def _read_on(
    row: DecodedRow,
    seen: list[int],
    num_prompt: int,
    logits: Logits,
    guessed: list[int],
    numbers: "_Numbers",
    options: SamplingOptions,
) -> DecodedRow:
    """Draw behind every guess; take what holds, and put it behind what was seen."""
    texts = [[*seen, *guessed[:count]] for count in range(len(logits))]
    lengths = np.full(len(texts), num_prompt, np.int32)
    history = History.of_prompts(texts)
    history = History(history.token_ids, history.lengths, lengths)
    uniforms = np.array(numbers.ahead(len(logits)))
    drawn = choose(options.rules, logits, history, uniforms)
    wanted = [options.num_alternatives] * len(logits)
    tokens = chosen_tokens(logits, log_normalizers(logits), drawn, wanted)
    for token, guess in zip(tokens, [*guessed, None], strict=True):
        numbers.take()
        row = row.extended(token, options.stop_token_ids, options.max_new_tokens)
        seen.append(token.token_id)
        if row.finish or token.token_id != guess:
            break
    return row


class _Numbers:
    """A row's random numbers, some of them looked at before they are taken."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._waiting: list[float] = []

    def ahead(self, count: int) -> list[float]:
        """Return the next numbers without taking them."""
        while len(self._waiting) < count:
            self._waiting.append(self._sampler.next_number(0))
        return self._waiting[:count]

    def take(self) -> None:
        """Take one."""
        self._waiting.pop(0)
