"""Holds a conversation: the causal part over turns.

Changes when replying takes another step. Knows no page and no file.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from model_core.decoding.healing import Healed
from model_core.decoding.loop import SamplingOptions
from model_core.decoding.plan import rules_for
from model_core.decoding.stepper import Logits, TokenIds
from model_core.engines.base import RichStepper, Writing
from model_core.interfaces import (
    DialogueFrame,
    DialogueOptions,
    GenerationOptions,
    ModelError,
    Turn,
    WeightsInfo,
)
from model_core.roles.loaded import LoadedModel
from model_core.roles.pieces import PieceMaker
from model_core.roles.sampling import FRAME_SECONDS, Sampling
from model_core.roles.turn_format import SPEAKER_TOKENS, LaidOut, TurnFormat

SHORTEST_PROMPT = 8  # positions left for turns, whatever the reply may take


class NetworkDialoguePartner:
    """A ``DialoguePartner`` over a causal network that was trained on turns.

    Args:
        model: The network, its tokenizer and the layout of its turns.

    Attributes:
        frame_seconds: Between two frames at least, but for the last.
    """

    frame_seconds = FRAME_SECONDS

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._shared = Sampling(model.engine)
        tokenizer = model.tokenizer
        stops = model.prompt_format.stop_ids(tokenizer)
        self._stop = stops[0] if stops else tokenizer.sep_id or 0
        self._format = TurnFormat(model.turn_layout, tokenizer, self._stop)
        speakers = {tokenizer.token_to_id(token) for token in SPEAKER_TOKENS}
        unwanted = {*tokenizer.special_ids, tokenizer.unk_id, *speakers} - {None}
        rows_without_token = range(tokenizer.vocab_size, model.config.vocab_size)
        self._forbidden = tuple(sorted({*unwanted, *rows_without_token} - {self._stop}))

    @property
    def weights(self) -> WeightsInfo:
        """See ``DialoguePartner.weights``."""
        return self._model.info

    def reply(
        self, turns: Sequence[Turn], options: DialogueOptions
    ) -> Iterator[DialogueFrame]:
        """See ``DialoguePartner.reply``."""
        started = time.monotonic()
        seed = secrets.randbelow(2**31) if options.seed is None else options.seed
        encodings = [self._model.tokenizer.encode(turn.text) for turn in turns]
        self._check_spelled(turns[-1], encodings[-1].token_ids)
        positions = self._model.config.max_position_embeddings
        room = max(SHORTEST_PROMPT, positions - options.max_new_tokens)
        laid = self._format.lay_out([e.token_ids for e in encodings], room)
        wanted = min(options.max_new_tokens, positions - len(laid.token_ids))
        pieces = PieceMaker(self._model.tokenizer, Healed(self._opening(laid)))
        for frame in self._shared.generate(
            [laid.token_ids.tolist()] * options.num_return,
            self._sampling(options, wanted, seed),
            Writing(segment=laid.reply_segment),
            self.frame_seconds,
            partial(TurnStepper, self._model, laid),
        ):
            candidates = pieces.candidates(frame.rows)
            dropped = laid.num_tokens_dropped
            yield DialogueFrame(
                candidates=candidates,
                num_new_tokens=sum(len(c.tokens) for c in candidates),
                elapsed_seconds=time.monotonic() - started,
                weights=self.weights,
                seed=seed,
                num_turns_dropped=laid.num_turns_dropped,
                num_message_chars_dropped=(
                    encodings[-1].spans[dropped][0] if dropped else 0
                ),
            )

    def _sampling(
        self, options: DialogueOptions, wanted: int, seed: int
    ) -> SamplingOptions:
        asked = GenerationOptions(
            temperature=options.temperature,
            top_k=options.top_k,
            top_p=options.top_p,
            repetition_penalty=options.repetition_penalty,
        )
        return SamplingOptions(
            max_new_tokens=wanted,
            stop_token_ids=frozenset({self._stop}),
            rules=rules_for(asked, (self._stop,), self._forbidden),
            seed=seed,
        )

    def _opening(self, laid: LaidOut) -> tuple[int, ...]:
        """Return a special token that a reply begins behind: no space goes before."""
        return tuple(laid.token_ids[-1:].tolist())

    def _check_spelled(self, turn: Turn, token_ids: Sequence[int]) -> None:
        unknown = self._model.tokenizer.unk_id
        if all(token_id == unknown for token_id in token_ids):
            raise ModelError(
                "unsupported",
                f"权重 {self.weights.name} 的词表里没有这句话中的任何一个字："
                f"“{turn.text[:20]}”，请换一种说法。",
                f"None of the characters of “{turn.text[:20]}” is in the vocabulary "
                f"of {self.weights.name}; please say it in other words.",
            )


@dataclass(frozen=True, slots=True)
class TurnStepper:
    """A ``Stepper`` whose prompts are one conversation, with its segments.

    Attributes:
        model: The network.
        laid: The conversation.
        rich: Steps of the reply's segment.
    """

    model: LoadedModel
    laid: LaidOut
    rich: RichStepper

    def prefill(
        self, token_ids: TokenIds, lengths: TokenIds, capacity: int
    ) -> tuple[Logits, Any]:
        """See ``Stepper.prefill``."""
        segments = np.tile(self.laid.segment_ids, (len(token_ids), 1))
        told = segments if self.model.turn_layout != "joined" else None
        outputs, cache = self.rich.prefill(
            token_ids, lengths, capacity, segment_ids=told
        )
        return outputs["logits"], cache

    def decode_one_token(
        self, token_ids: TokenIds, positions: TokenIds, cache: Any
    ) -> tuple[Logits, Any]:
        """See ``Stepper.decode_one_token``."""
        outputs, cache = self.rich.decode_one_token(token_ids, positions, cache)
        return outputs["logits"], cache

    def reorder(self, cache: Any, rows: TokenIds) -> Any:
        """See ``Stepper.reorder``."""
        return self.rich.reorder(cache, rows)
