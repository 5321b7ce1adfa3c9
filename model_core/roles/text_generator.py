"""Continues a text: the causal part.

Changes when continuing a text takes another step. Knows no page and no file.
"""

import secrets
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

from model_core.decoding.beam import BeamOptions, beam_search
from model_core.decoding.frames import DecodingFrame
from model_core.decoding.healing import Healed, heal
from model_core.decoding.loop import SamplingOptions
from model_core.decoding.plan import rules_for
from model_core.engines.base import PlainStepper, Writing
from model_core.interfaces import (
    GenerationFrame,
    GenerationOptions,
    ModelError,
    WeightsInfo,
)
from model_core.roles.loaded import LoadedModel
from model_core.roles.pieces import PieceMaker
from model_core.roles.sampling import FRAME_SECONDS, Sampling

WARM_UP = GenerationOptions(max_new_tokens=3, min_new_tokens=3, num_return=2)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as the network will read it.

    Attributes:
        healed: Ids with opening marks, the end taken back where it cuts a word.
        num_chars_dropped: Characters at the start that did not fit.
        room: New tokens that fit behind it.
    """

    healed: Healed
    num_chars_dropped: int
    room: int


class NetworkTextGenerator:
    """A ``TextGenerator`` over a loaded network with a language-model head.

    Args:
        model: The network, its tokenizer and its prompt format.

    Attributes:
        frame_seconds: Between two frames at least, but for the last.
    """

    frame_seconds = FRAME_SECONDS

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._sampling = Sampling(model.engine)
        tokenizer = model.tokenizer
        self._stop_ids = model.prompt_format.stop_ids(tokenizer)
        unwanted = {*tokenizer.special_ids, tokenizer.unk_id} - {None}
        rows_without_token = range(tokenizer.vocab_size, model.config.vocab_size)
        self._forbidden_ids = tuple(
            sorted({*unwanted, *rows_without_token} - {*self._stop_ids})
        )

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        return self._model.info

    @property
    def styles(self) -> tuple[str, ...]:
        """Styles these weights were trained to follow, in display order."""
        return tuple(self._model.prompt_format.styles)

    @property
    def conditions(self) -> tuple[str, ...]:
        """See ``TextGenerator.conditions``."""
        return self._model.parts.conditions

    def warm_up(self) -> None:
        """Compile the steps, so that the first person does not wait for it."""
        opening = self._model.prompt_format.opening_ids("", self._model.tokenizer)
        prompt = opening or self._stop_ids or (0,)
        read = Prompt(Healed(prompt), 0, WARM_UP.max_new_tokens)
        for _ in self._decode(read, WARM_UP):
            pass

    def complete(
        self, prompt: str, options: GenerationOptions
    ) -> Generator[GenerationFrame, None, None]:
        """See ``TextGenerator.complete``."""
        started = time.monotonic()
        if options.seed is None:
            options = replace(options, seed=secrets.randbelow(2**31))
        read = self._read(prompt, options)
        pieces = PieceMaker(self._model.tokenizer, read.healed)
        for frame in self._decode(read, options):
            candidates = pieces.candidates(frame.rows)
            yield GenerationFrame(
                candidates=candidates,
                num_new_tokens=sum(len(c.tokens) for c in candidates),
                elapsed_seconds=time.monotonic() - started,
                weights=self.weights,
                seed=options.seed or 0,
                num_prompt_chars_dropped=read.num_chars_dropped,
            )

    def _read(self, prompt: str, options: GenerationOptions) -> Prompt:
        """Put a prompt between its marks, within the positions there are."""
        self._check_known("体裁", "style", options.style, self.styles)
        self._check_known("倾向", "condition", options.condition, self.conditions)
        tokenizer = self._model.tokenizer
        opening = self._model.prompt_format.opening_ids(options.style, tokenizer)
        encoding = tokenizer.encode(prompt)
        self._check_spelled(prompt, encoding.token_ids)
        limit = self._model.config.max_position_embeddings
        space = max(limit - options.max_new_tokens, limit // 2) - len(opening)
        cut = max(0, len(encoding) - space)
        healed = heal(
            (*opening, *encoding.token_ids[cut:]),
            (*((0, 0) for _ in opening), *encoding.spans[cut:]),
            tokenizer,
            num_prompt_chars=len(prompt),
            num_kept_tokens=max(1, len(opening)),
        )
        dropped = encoding.spans[cut][0] if cut else 0
        return Prompt(healed, dropped, limit - len(healed.token_ids))

    def _decode(
        self, read: Prompt, options: GenerationOptions
    ) -> Iterator[DecodingFrame]:
        healed = read.healed
        wanted = min(options.max_new_tokens + healed.num_removed_tokens, read.room)
        if options.min_new_tokens:
            least = options.min_new_tokens + healed.num_removed_tokens
            options = replace(options, min_new_tokens=least)
        rules = rules_for(options, self._stop_ids, self._forbidden_ids, healed.rules)
        stop = frozenset(self._stop_ids)
        writing = self._writing(options.condition)
        if options.num_beams > 1:
            search = BeamOptions(
                max_new_tokens=wanted,
                num_beams=options.num_beams,
                num_return=options.num_return,
                length_penalty=options.length_penalty,
                stop_token_ids=stop,
                rules=rules,
                num_alternatives=options.num_alternatives,
            )
            stepper = PlainStepper(self._model.engine.stepper(writing))
            return beam_search(stepper, healed.token_ids, search)
        sampling = SamplingOptions(
            max_new_tokens=wanted,
            stop_token_ids=stop,
            rules=rules,
            seed=options.seed or 0,
            num_alternatives=options.num_alternatives,
        )
        prompts = [healed.token_ids] * options.num_return
        return self._sampling.generate(prompts, sampling, writing, self.frame_seconds)

    def _writing(self, condition: str) -> Writing:
        """Return plain steps, or those whose norms a condition shifts."""
        if not condition:
            return Writing()
        return Writing(condition=self.conditions.index(condition))

    def _check_known(
        self, zh: str, en: str, wanted: str, choices: tuple[str, ...]
    ) -> None:
        if wanted and wanted not in choices:
            known = "、".join(choices) or "(无 / none)"
            raise ModelError(
                "unsupported",
                f"权重 {self.weights.name} 不认识{zh}“{wanted}”，可选：{known}。",
                f"The weights {self.weights.name} do not know the {en} “{wanted}”; "
                f"they know: {known}.",
            )

    def _check_spelled(self, prompt: str, token_ids: tuple[int, ...]) -> None:
        unknown = self._model.tokenizer.unk_id
        if prompt and all(token_id == unknown for token_id in token_ids):
            raise ModelError(
                "unsupported",
                f"权重 {self.weights.name} 的词表里没有开头中的任何一个字，"
                "请换一个用汉字、字母或数字写的开头。",
                f"None of the prompt's characters is in the vocabulary of "
                f"{self.weights.name}; please write it in characters, letters or "
                "digits.",
            )
