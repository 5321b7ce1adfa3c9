"""Writes similar sentences and ranks them: SimBERT.

Changes when such weights are asked otherwise. kexue.fm/archives/7427: one BERT reads
``[CLS] sentence [SEP]`` all at once, its cloze head writes a similar sentence behind a
prefix mask, and its pooler makes the vector that says how alike two sentences are. Many
are drawn, those that say the same word for word are dropped, and the likest are kept.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model_core.decoding.frames import DecodedRow, DecodingFrame
from model_core.decoding.loop import SamplingOptions
from model_core.decoding.plan import rules_for
from model_core.interfaces import (
    GenerationOptions,
    ModelError,
    Pooling,
    RephraseFrame,
    RephraseOptions,
    Rephrasing,
    WeightsInfo,
)
from model_core.roles.formats import Source
from model_core.roles.loaded import LoadedModel
from model_core.roles.sampling import Sampling
from model_core.roles.sentence_encoder import NetworkSentenceEncoder
from model_core.roles.source_stepper import BEHIND_A_PREFIX, forbidden_in_targets
from model_core.roles.text_rewriter import room_for_source
from model_core.roles.unilm_rewriter import source_of

POOLING: Pooling = "linear_pooler"  # where nothing is said of the weights
DIGITS = 6  # of a cosine; closer ones are equal

Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        text: The source as given.
        source: What is read of it.
        options: With a seed.
        started: When it reached the model.
    """

    text: str
    source: Source
    options: RephraseOptions
    started: float


class UniLmSentenceRephraser:
    """A ``SentenceRephraser`` over an encoder with a cloze head and a pooler.

    Args:
        model: The network and its tokenizer.
    """

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._sampling = Sampling(model.engine)
        self._encoder = NetworkSentenceEncoder(
            replace(model, pooling=model.pooling or POOLING)
        )
        self._stops = (model.tokenizer.sep_id or 0,)
        self._forbidden = forbidden_in_targets(model)

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        return self._model.info

    def rephrase(self, text: str, options: RephraseOptions) -> Iterator[RephraseFrame]:
        """See ``SentenceRephraser.rephrase``."""
        started = time.monotonic()
        if options.seed is None:
            options = replace(options, seed=secrets.randbelow(2**31))
        limit = self._model.config.max_position_embeddings
        room = room_for_source(limit, options.max_new_tokens)
        source = source_of(self._model, text, room)
        self._check_spelled(source)
        asked = Asked(text, source, options, started)
        for frame in self._decode(asked):
            drafts = self._distinct(frame.rows)[: options.num_return]
            yield self._frame(asked, frame, tuple(drafts))
        likest = self._ranked(asked, self._distinct(frame.rows, text))
        best = self._frame(asked, frame, likest[: options.num_return])
        yield replace(best, num_distinct=len(likest), ranked=True)

    def _decode(self, asked: Asked) -> Iterator[DecodingFrame]:
        options, ids = asked.options, asked.source.token_ids.tolist()
        drawing = GenerationOptions(
            min_new_tokens=1, top_k=options.top_k, top_p=options.top_p
        )
        room = self._model.config.max_position_embeddings - len(ids)
        sampling = SamplingOptions(
            max_new_tokens=min(options.max_new_tokens, room),
            stop_token_ids=frozenset(self._stops),
            rules=rules_for(drawing, self._stops, self._forbidden),
            seed=options.seed or 0,
        )
        prompts = [ids] * options.num_samples
        return self._sampling.generate(prompts, sampling, BEHIND_A_PREFIX)

    def _distinct(
        self, rows: Sequence[DecodedRow], source: str | None = None
    ) -> list[Rephrasing]:
        """Return what the rows say, each once, nothing that the source says.

        What the vocabulary cannot tell apart is the same: case, blanks, unknown signs.
        """
        met = set() if source is None else {self._key(source)}
        found = []
        for row in rows:
            text = self._model.tokenizer.decode(row.token_ids).strip()
            key = self._key(text)
            if key and key not in met:
                met.add(key)
                found.append(Rephrasing(text, row.log_prob))
        return found

    def _key(self, text: str) -> Key:
        tokenizer = self._model.tokenizer
        ids = tokenizer.encode(text).token_ids
        return tuple(token_id for token_id in ids if token_id != tokenizer.unk_id)

    def _ranked(
        self, asked: Asked, found: Sequence[Rephrasing]
    ) -> tuple[Rephrasing, ...]:
        """Return them with their cosines, likest first, equals as they were drawn."""
        texts = [asked.text, *(one.text for one in found)]
        vectors = self._encoder.encode(texts).vectors.astype("float64")
        cosines = np.clip(vectors[1:] @ vectors[0], -1.0, 1.0).round(DIGITS)
        told = (
            replace(one, cosine=float(cosine))
            for one, cosine in zip(found, cosines, strict=True)
        )
        return tuple(sorted(told, key=lambda one: -(one.cosine or 0.0)))

    def _frame(
        self, asked: Asked, frame: DecodingFrame, found: tuple[Rephrasing, ...]
    ) -> RephraseFrame:
        spans = asked.source.text.spans
        return RephraseFrame(
            rephrasings=found,
            num_written=sum(1 for row in frame.rows if row.finish),
            num_samples=len(frame.rows),
            num_distinct=0,
            num_chars_read=spans[-1][1] if spans else 0,
            num_new_tokens=frame.num_new_tokens,
            elapsed_seconds=time.monotonic() - asked.started,
            weights=self.weights,
            pooling=self._encoder.pooling,
            seed=asked.options.seed or 0,
        )

    def _check_spelled(self, source: Source) -> None:
        unknown = self._model.tokenizer.unk_id
        if all(token_id == unknown for token_id in source.text.token_ids.tolist()):
            raise ModelError(
                "unsupported",
                f"权重 {self.weights.name} 的词表里没有这句话中的任何一个字，"
                "请换一句用汉字、字母或数字写的话。",
                f"None of the sentence's characters is in the vocabulary of "
                f"{self.weights.name}; please write it in characters, letters or "
                "digits.",
            )
