"""Rewrites a text: the prefix part.

Changes when rewriting takes another step. Knows no page and no file.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from keras import ops

from model_core import masks
from model_core.decoding.ahead import AheadStepper, generate_ahead
from model_core.decoding.beam import BeamOptions, beam_search, beam_search_many
from model_core.decoding.copy_beam import (
    CopyOptions,
    copy_beam_search,
    copy_beam_search_many,
)
from model_core.decoding.copying import copied_spans
from model_core.decoding.frames import DecodedRow, DecodingFrame
from model_core.decoding.logits import LogitsRule, MinNewTokens, NoRepeatNgram, TopK
from model_core.decoding.loop import SamplingOptions
from model_core.decoding.sparse import SparseStepper
from model_core.interfaces import (
    AttentionPicture,
    Candidate,
    CopiedSpan,
    ModelError,
    RewriteFrame,
    RewriteOptions,
    Rewriting,
    TokenScore,
    WeightsInfo,
)
from model_core.roles.formats import REWRITING, Source
from model_core.roles.loaded import LoadedModel
from model_core.roles.sampling import FRAME_SECONDS, spaced
from model_core.roles.source_stepper import (
    CopyingStepper,
    SourceStepper,
    forbidden_in_targets,
)

Frames = Generator[DecodingFrame, None, None]
TOGETHER = 8  # sources searched in one pass
HEADS = ("language_model", "source_prior", "copy")


class NetworkTextRewriter:
    """A ``TextRewriter`` over a network trained with a prefix mask.

    Args:
        model: The network, its tokenizer and its formats.

    Attributes:
        frame_seconds: Between two frames at least, but for the last.
    """

    frame_seconds = FRAME_SECONDS

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._forbidden = forbidden_in_targets(model)
        self._stops = frozenset({model.tokenizer.sep_id or 0})
        self._marks = model.tokenizer.special_ids
        heads = tuple(name for name in HEADS if name in model.engine.heads)
        self._writers = {part: model.of_part(part, heads) for part in self.parts}

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        return self._model.info

    @property
    def parts(self) -> tuple[str, ...]:
        """See ``TextRewriter.parts``."""
        return tuple(name for name in REWRITING if name in self._model.parts.names)

    @property
    def can_copy(self) -> bool:
        """See ``TextRewriter.can_copy``."""
        return "copy" in self._model.engine.heads

    def rewrite(self, source: str, options: RewriteOptions) -> Iterator[RewriteFrame]:
        """See ``TextRewriter.rewrite``."""
        started = time.monotonic()
        self._check(options)
        read = self._source(source, options)
        for frame in spaced(self._search(read, options), self.frame_seconds):
            finished = all(row.finish for row in frame.rows)
            yield self._frame(frame.rows, read, started, finished=finished)

    def rewrite_many(
        self, sources: tuple[str, ...], options: RewriteOptions
    ) -> tuple[Any, ...]:
        """See ``TextRewriter.rewrite_many``."""
        self._check(options)
        read = [self._source(source, options) for source in sources]
        order = np.argsort([len(one.token_ids) for one in read], kind="stable")
        made: list[Any] = [None] * len(sources)
        for start in range(0, len(order), TOGETHER):
            started = time.monotonic()
            group = [int(index) for index in order[start : start + TOGETHER]]
            rows = self._search_many([read[index] for index in group], options)
            for index, found in zip(group, rows, strict=True):
                made[index] = self._frame(found, read[index], started, finished=True)
        return tuple(made)

    def _check(self, options: RewriteOptions) -> None:
        if options.part not in self.parts:
            known = "、".join(self.parts) or "-"
            raise ModelError(
                "unsupported",
                f"权重 {self.weights.name} 没有学过“{options.part}”，会的是：{known}。",
                f"The weights {self.weights.name} were not trained for "
                f"“{options.part}”; they know: {known}.",
            )
        if options.copy and not self.can_copy:
            raise ModelError(
                "unsupported",
                f"权重 {self.weights.name} 没有复制头，请关闭“复制”。",
                f"The weights {self.weights.name} have no copy head: switch copying "
                "off.",
            )

    def _source(self, text: str, options: RewriteOptions) -> Source:
        room = self._room(options)
        # more characters than tokens fit need not be cut into words
        piece = self._model.formats.piece(text[: 4 * room])
        return self._model.formats.rewriting(options.part, piece, room)

    def _room(self, options: RewriteOptions) -> int:
        """Return how many positions a source may take, marks included."""
        limit = self._model.config.max_position_embeddings
        room = room_for_source(limit, options.max_new_tokens)
        return min(room, self._model.parts.source_tokens.get(options.part, room))

    def _most_new_tokens(self, options: RewriteOptions) -> int:
        """Return how many tokens fit behind any source, so that all are asked alike."""
        room = self._model.config.max_position_embeddings - self._room(options)
        return min(options.max_new_tokens, room)

    def _beams(self, options: RewriteOptions) -> BeamOptions:
        stop = self._stops
        rules: list[LogitsRule] = []
        if options.min_new_tokens:
            rules.append(MinNewTokens(options.min_new_tokens, tuple(stop)))
        if options.no_repeat_ngram_size:
            size = options.no_repeat_ngram_size
            rules.append(NoRepeatNgram(size, tuple(stop), new_tokens_only=True))
        if options.no_loop_ngram_size:
            size = options.no_loop_ngram_size
            rules.append(
                NoRepeatNgram(
                    size, tuple(stop), new_tokens_only=True, spares_prompt=True
                )
            )
        return BeamOptions(
            max_new_tokens=self._most_new_tokens(options),
            num_beams=options.num_beams,
            num_return=options.num_return,
            length_penalty=options.length_penalty,
            stop_token_ids=stop,
            rules=tuple(rules),
        )

    def _copy(self, options: RewriteOptions) -> CopyOptions:
        return CopyOptions(self._stops, frozenset(self._marks), options.sparse_top_k)

    def _search(self, source: Source, options: RewriteOptions) -> Frames:
        prompt = source.token_ids.tolist()
        if options.copy:
            writer = self._writers[options.part]
            copying = CopyingStepper(writer, [source], self._forbidden)
            return copy_beam_search(
                copying, prompt, self._beams(options), self._copy(options)
            )
        beams, stepper = self._beams(options), self._stepper([source], options)
        if options.num_beams == 1 and getattr(stepper, "reads_ahead", False):
            return _greedy(stepper, prompt, beams)
        return beam_search(stepper, prompt, beams)

    def _search_many(
        self, sources: Sequence[Source], options: RewriteOptions
    ) -> Sequence[tuple[DecodedRow, ...]]:
        prompts = [source.token_ids.tolist() for source in sources]
        if options.copy:
            writer = self._writers[options.part]
            copying = CopyingStepper(writer, sources, self._forbidden)
            found = copy_beam_search_many(
                copying, prompts, self._beams(options), self._copy(options)
            )
        else:
            found = beam_search_many(
                self._stepper(sources, options), prompts, self._beams(options)
            )
        *_, last = found
        return [frame.rows for frame in last]

    def _stepper(self, sources: Sequence[Source], options: RewriteOptions) -> Any:
        writer = self._writers[options.part]
        stepper = SourceStepper(writer, sources, self._forbidden)
        if options.sparse_top_k:
            return SparseStepper(stepper, options.sparse_top_k)
        return stepper

    def _frame(
        self,
        rows: tuple[DecodedRow, ...],
        source: Source,
        started: float,
        *,
        finished: bool,
    ) -> RewriteFrame:
        spans = source.text.spans
        return RewriteFrame(
            rewritings=tuple(self._rewriting(row, source) for row in rows),
            num_source_chars_read=spans[-1][1] if spans else 0,
            num_new_tokens=max((row.num_steps for row in rows), default=0),
            elapsed_seconds=time.monotonic() - started,
            weights=self.weights,
            attention=self._picture(rows[0], source) if finished and rows else None,
        )

    def _rewriting(self, row: DecodedRow, source: Source) -> Rewriting:
        pieces = list(self._model.tokenizer.decode_each(row.token_ids))
        tokens = tuple(
            TokenScore(piece, token.log_prob)
            for piece, token in zip(pieces, row.tokens, strict=True)
        )
        candidate = Candidate("".join(pieces), row.log_prob, tokens, row.finish)
        return Rewriting(candidate, row.score, self._copied(row, pieces, source))

    def _copied(
        self, row: DecodedRow, pieces: list[str], source: Source
    ) -> tuple[CopiedSpan, ...]:
        if not any(row.tags):
            return ()
        ends = np.cumsum([0, *map(len, pieces)])
        found = []
        for span in copied_spans(row.token_ids, row.tags, source.text.token_ids):
            start, end = int(ends[span.start]), int(ends[span.end])
            at = source.text.spans[span.source_start][0]
            if end > start:
                found.append(CopiedSpan(start, end, at))
        return tuple(found)

    def _picture(self, row: DecodedRow, source: Source) -> AttentionPicture:
        ids = [*source.token_ids.tolist(), *row.token_ids]
        segments = [0] * len(source.token_ids) + [1] * len(row.token_ids)
        mask = masks.prefix_lm(np.asarray([segments], "int32"))
        names = [self._model.tokenizer.token_text(token_id) for token_id in ids]
        return AttentionPicture(
            tuple(
                name or self._model.tokenizer.id_to_token(token_id)
                for name, token_id in zip(names, ids, strict=True)
            ),
            tuple(segments),
            np.asarray(ops.convert_to_numpy(mask)[0], np.bool_),
        )


def room_for_source(num_positions: int, max_new_tokens: int) -> int:
    """Return how many positions are left for a source: half of them at least."""
    return max(num_positions - max_new_tokens, num_positions // 2)


def _greedy(
    stepper: AheadStepper[Any], prompt: Sequence[int], options: BeamOptions
) -> Frames:
    """Yield what a search with one beam finds, in fewer passes."""
    sampling = SamplingOptions(
        max_new_tokens=options.max_new_tokens,
        stop_token_ids=options.stop_token_ids,
        rules=(*options.rules, TopK(1)),
    )
    for frame in generate_ahead(stepper, prompt, sampling):
        (row,) = frame.rows
        score = options.score(row.log_prob, row.num_steps)
        yield DecodingFrame((replace(row, score=score),))
