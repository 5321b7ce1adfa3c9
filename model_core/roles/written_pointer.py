"""Writes triples instead of pointing at them: mREBEL, an mBART-50 that lists them.

Changes when such weights are asked otherwise. The source opens with its language, what
is written opens with a language that none speaks (arXiv 2306.09802)::

    zh_CN text </s>   ->   tp_XX <triplet> subject <per> object <loc> relation ... </s>

Subjects, objects and relations are what the network writes, in words of its own; where
the text has no such subject or object, there is no such triple of it: it is dropped.
"""

import math
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from model_core.decoding.beam import BeamOptions, beam_search_many
from model_core.decoding.frames import DecodedRow
from model_core.decoding.linearised import TEXT, LinearTriple, linear_triples
from model_core.decoding.locating import Searched, nearest_pair, searched
from model_core.engines.base import Writing
from model_core.interfaces import (
    Pointed,
    PointedTriple,
    Relation,
    SchemaKind,
    TripleDecoder,
)
from model_core.roles.formats import Source
from model_core.roles.loaded import LoadedModel
from model_core.roles.pointing import OneDecoderPointer
from model_core.roles.source_stepper import SourceStepper
from model_core.tokenizers.base import Tokenizer

MAX_TEXT_CHARS = 240
MAX_SOURCE_TOKENS = 256  # as it was trained, whatever its positions have room for
MAX_NEW_TOKENS = 256
NUM_BEAMS = 3
TOGETHER = 4  # texts searched in one pass
WRITTEN: TripleDecoder = "written"
START = "tp_XX"
CHINESE, OTHER = "zh_CN", "en_XX"
HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
MARK = re.compile(r"<(\w+)>")


class WrittenTriplePointer(OneDecoderPointer):
    """A ``TriplePointer`` over an encoder-decoder that writes lists of triples.

    A triple is as probable as its tokens are in the geometric mean. One from ``asking``
    numbers the relations of a single request; it may be used by one thread at a time.

    Args:
        model: The network and its tokenizer.
    """

    decoder, longest = WRITTEN, MAX_TEXT_CHARS

    def __init__(self, model: LoadedModel) -> None:
        super().__init__(model)
        self._relations: dict[Relation, int] = {}

    @property
    def relations(self) -> tuple[Relation, ...]:
        """See ``TriplePointer.relations``."""
        return tuple(self._relations)

    @property
    def schema_kind(self) -> SchemaKind:
        """See ``TriplePointer.schema_kind``."""
        return "own"

    def asking(self, relations: tuple[Relation, ...]) -> "WrittenTriplePointer":
        """See ``TriplePointer.asking``."""
        del relations
        return WrittenTriplePointer(self._model)

    def _steps(
        self, texts: Sequence[str], floor: float
    ) -> Iterator[tuple[Pointed, ...]]:
        """Yield the triples that the best lists hold so far, after every token."""
        sources = [self._source(text) for text in texts]
        readable = [index for index, source in enumerate(sources) if len(source.text)]
        read = {index: searched(texts[index]) for index in readable}
        found: list[Pointed] = [()] * len(texts)
        for changed in self._write([sources[index] for index in readable]):
            for place, row in changed.items():
                index = readable[place]
                found[index] = self._found(row, read[index], floor)
            yield tuple(found)
        if not readable:
            yield tuple(found)

    def _source(self, text: str) -> Source:
        opening = _ids(self._model.tokenizer, language_of(text))
        closing = sorted(self._stops)[:1]
        room = min(MAX_SOURCE_TOKENS, self._model.config.max_position_embeddings)
        room -= len(opening) + len(closing)
        piece = self._model.formats.piece(text).cut(0, room)
        ids = np.asarray([*opening, *piece.token_ids, *closing], "int32")
        return Source(ids, np.zeros_like(ids), len(opening), piece)

    def _write(self, sources: Sequence[Source]) -> Iterator[dict[int, DecodedRow]]:
        """Yield the best that is written so far after the sources of one pass."""
        order = sorted(range(len(sources)), key=lambda n: len(sources[n].token_ids))
        for start in range(0, len(order), TOGETHER):
            group = order[start : start + TOGETHER]
            stepper = SourceStepper(
                self._model, [sources[index] for index in group], (), self._writing
            )
            prompts = [sources[index].token_ids.tolist() for index in group]
            for frames in beam_search_many(stepper, prompts, self._options):
                rows = [frame.rows[0] for frame in frames]
                yield dict(zip(group, rows, strict=True))

    @property
    def _writing(self) -> Writing:
        return Writing(start_ids=_ids(self._model.tokenizer, START))

    @property
    def _options(self) -> BeamOptions:
        limit = self._model.config.max_position_embeddings - 1
        return BeamOptions(
            max_new_tokens=min(MAX_NEW_TOKENS, limit),
            num_beams=NUM_BEAMS,
            length_penalty=0.0,  # as published: longer lists are no better
            stop_token_ids=self._stops,
            until_sure=True,
        )

    @cached_property
    def _stops(self) -> frozenset[int]:
        tokenizer = self._model.tokenizer
        ends = (tokenizer.eos_id, tokenizer.sep_id)
        return frozenset([end for end in ends if end is not None][:1])

    @cached_property
    def _marks(self) -> dict[int, str]:
        """The names of triples' marks and of types, by token."""
        tokenizer = self._model.tokenizer
        structure = {
            tokenizer.pad_id, tokenizer.unk_id, tokenizer.mask_id, tokenizer.bos_id,
            tokenizer.eos_id, tokenizer.cls_id, tokenizer.sep_id,
        }  # fmt: skip
        marks = {}
        for token_id in tokenizer.special_ids - structure:
            if found := MARK.fullmatch(tokenizer.id_to_token(token_id)):
                marks[token_id] = found[1]
        return marks

    def _found(self, row: DecodedRow, text: Searched, floor: float) -> Pointed:
        """Return what was written, where the text has it, most probable first."""
        best: dict[tuple[object, ...], PointedTriple] = {}
        for triple in self._placed(row, text):
            place = triple.relation, triple.subject, triple.object
            rival = best.get(place, triple)
            if triple.probability >= max(floor, rival.probability):
                best[place] = triple
        return tuple(sorted(best.values(), key=lambda one: -one.probability))

    def _placed(self, row: DecodedRow, text: Searched) -> Iterator[PointedTriple]:
        silent = self._model.tokenizer.special_ids - self._marks.keys()
        tokens = [token for token in row.tokens if token.token_id not in silent]
        marks = [self._marks.get(token.token_id, TEXT) for token in tokens]
        log_probs = [token.log_prob for token in tokens]
        ids = [token.token_id for token in tokens]
        for triple in linear_triples(marks, is_finished=row.finish == "stop"):
            subject, object_, name = (
                self._spelt([ids[place] for place in part])
                for part in (triple.subject, triple.object, triple.relation)
            )
            pair = nearest_pair(text, subject, object_)
            if pair is not None and name:
                relation = Relation(triple.subject_type, name, triple.object_type)
                yield PointedTriple(
                    self._number(relation), *pair, _probability(triple, log_probs)
                )

    def _spelt(self, token_ids: Sequence[int]) -> str:
        return " ".join(self._model.tokenizer.decode(token_ids).split())

    def _number(self, relation: Relation) -> int:
        return self._relations.setdefault(relation, len(self._relations))


def language_of(text: str) -> str:
    """Return the language code that opens a text: Chinese where it has Han characters.

    Japanese counts as Chinese, every other language as English: nothing finer is told.
    """
    return CHINESE if HAN.search(text) else OTHER


def _ids(tokenizer: Tokenizer, token: str) -> tuple[int, ...]:
    found = tokenizer.token_to_id(token)
    return () if found is None else (found,)


def _probability(triple: LinearTriple, log_probs: Sequence[float]) -> float:
    """Return the geometric mean of the probabilities of its tokens."""
    told = [log_probs[place] for place in triple.tokens]
    return math.exp(min(0.0, sum(told) / len(told)))
