"""Points at triples of relations that are named while asking: no schema was learned.

Changes when such weights are asked otherwise. UIE (arXiv 2203.12277): a prompt names
what is wanted, and the network marks it in the text::

    [CLS] 人物 [SEP] text [SEP]             spans that are a 人物
    [CLS] 鲁迅的出生地 [SEP] text [SEP]     spans that are the 出生地 of 鲁迅

Every text and type of one level share a pass, then every subject found and each of its
predicates.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model_core.decoding.pointers import Spans, span_candidates
from model_core.engines.base import TokenBatch
from model_core.interfaces import (
    Pointed,
    PointedTriple,
    Relation,
    SchemaKind,
    TripleDecoder,
)
from model_core.roles.loaded import LoadedModel
from model_core.roles.pointing import OneDecoderPointer, likeliest_first
from model_core.roles.triple_pointer import sigmoid
from model_core.tokenizers.base import Encoding

MAX_TEXT_CHARS = 300
MAX_POSITIONS = 512  # as it was trained, whatever its table has room for
MAX_SUBJECTS = 16  # of one text and type, the most probable ones
TOGETHER = 16
HEAD = "prompted_span"
SIDES = ("start", "end")
PROMPTED: TripleDecoder = "prompted"
Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt over one text.

    Attributes:
        text: Index of the text.
        prompt: What is looked for.
    """

    text: int
    prompt: str


@dataclass(frozen=True, slots=True)
class Marked:
    """A stretch of a text that answers a prompt.

    Attributes:
        span: Half-open (start, end) character offsets.
        probability: 0..1.
    """

    span: tuple[int, int]
    probability: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """One subject and one relation of its type, by number, in one text."""

    text: int
    subject: Marked
    relation: int

    def triples(self, objects: Sequence[Marked]) -> list[PointedTriple]:
        """Return what was found: as probable as the less probable of both ends."""
        return [
            PointedTriple(
                self.relation,
                self.subject.span,
                one.span,
                min(self.subject.probability, one.probability),
            )
            for one in objects
            if one.span != self.subject.span
        ]


class PromptedTriplePointer(OneDecoderPointer):
    """A ``TriplePointer`` over UIE's start and end heads.

    Args:
        model: The network and its tokenizer.
        relations: Those to ask for; a fresh one has none until ``asking``.
    """

    decoder, longest = PROMPTED, MAX_TEXT_CHARS

    def __init__(
        self, model: LoadedModel, relations: tuple[Relation, ...] = ()
    ) -> None:
        super().__init__(model)
        self._relations = relations

    @property
    def relations(self) -> tuple[Relation, ...]:
        """See ``TriplePointer.relations``."""
        return self._relations

    @property
    def schema_kind(self) -> SchemaKind:
        """See ``TriplePointer.schema_kind``."""
        return "asked"

    def asking(self, relations: tuple[Relation, ...]) -> "PromptedTriplePointer":
        """See ``TriplePointer.asking``."""
        return PromptedTriplePointer(self._model, relations)

    def _steps(
        self, texts: Sequence[str], floor: float
    ) -> Iterator[tuple[Pointed, ...]]:
        """Yield nothing while subjects are looked for, then more with every pass."""
        encodings = [self._model.tokenizer.encode(text) for text in texts]
        types = self._of_types(encodings)
        subjects: list[tuple[Marked, ...]] = []
        for subjects in self._mark(types, encodings, floor):  # noqa: B007 - the last
            yield ((),) * len(texts)
        wanted = self._wanted(types, subjects)
        prompts = [
            Asked(one.text, self._prompt(texts[one.text], one)) for one in wanted
        ]
        for marked in self._mark(prompts, encodings, floor):
            triples: list[list[PointedTriple]] = [[] for _ in texts]
            for one, objects in zip(wanted, marked, strict=True):
                triples[one.text] += one.triples(objects)
            yield likeliest_first([tuple(found) for found in triples])

    def _of_types(self, encodings: Sequence[Encoding]) -> list[Asked]:
        """Return what asks for each type in each text that holds anything."""
        types = dict.fromkeys(one.subject_type for one in self._relations)
        return [
            Asked(index, kind)
            for index, encoding in enumerate(encodings)
            if len(encoding)
            for kind in types
        ]

    def _wanted(
        self, types: Sequence[Asked], subjects: Sequence[tuple[Marked, ...]]
    ) -> list[Wanted]:
        """Return every subject found with each relation that is asked of its type."""
        return [
            Wanted(asked.text, subject, number)
            for asked, found in zip(types, subjects, strict=True)
            for subject in found[:MAX_SUBJECTS]
            for number, relation in enumerate(self._relations)
            if relation.subject_type == asked.prompt
        ]

    def _prompt(self, text: str, wanted: "Wanted") -> str:
        start, end = wanted.subject.span
        return f"{text[start:end]}的{self._relations[wanted.relation].predicate}"

    def _mark(
        self, asked: Sequence[Asked], encodings: Sequence[Encoding], floor: float
    ) -> Iterator[list[tuple[Marked, ...]]]:
        """Yield what answers each prompt, most probable first; () before it is asked.

        There is one at least, however few prompts.
        """
        rows = [self._row(one, encodings[one.text]) for one in asked]
        order = np.argsort([len(ids) for ids, _ in rows], kind="stable").tolist()
        made: list[tuple[Marked, ...]] = [()] * len(rows)
        for start in range(0, len(order), TOGETHER):
            group = order[start : start + TOGETHER]
            edges = self._edges([rows[index] for index in group])
            for index, (starts, ends) in zip(group, edges, strict=True):
                spans = span_candidates(starts, ends, floor)
                made[index] = _marked(spans, encodings[asked[index].text])
            yield made
        if not rows:
            yield made

    def _edges(
        self, rows: Sequence[tuple[list[int], int]]
    ) -> Iterator[tuple[Probabilities, Probabilities]]:
        """Yield where spans start and end in each row's text."""
        segments = [
            (np.arange(len(ids)) >= begin).astype("int32") for ids, begin in rows
        ]
        batch = TokenBatch.from_rows([ids for ids, _ in rows], segments)
        outputs = self._model.engine.read(batch, "bidirectional", (HEAD,))
        starts, ends = (sigmoid(outputs[f"prompted_{side}"]) for side in SIDES)
        for row, (ids, begin) in enumerate(rows):
            inside = slice(begin, len(ids) - 1)
            yield starts[row, inside], ends[row, inside]

    def _row(self, asked: Asked, encoding: Encoding) -> tuple[list[int], int]:
        """Return the ids of a prompt with its text, and where the text begins."""
        tokenizer = self._model.tokenizer
        closing = tokenizer.sep_id or 0
        room = min(MAX_POSITIONS, self._model.config.max_position_embeddings)
        prompt = tokenizer.encode(asked.prompt).token_ids
        opening = [tokenizer.cls_id or 0, *prompt[: room // 4], closing]
        text = encoding.token_ids[: room - len(opening) - 1]
        return [*opening, *text, closing], len(opening)


def _marked(spans: Spans, encoding: Encoding) -> tuple[Marked, ...]:
    """Return spans of tokens as stretches of their text, most probable first."""
    order = np.argsort(-spans.probabilities, kind="stable").tolist()
    return tuple(
        Marked(
            (
                encoding.spans[spans.heads[index]][0],
                encoding.spans[spans.tails[index]][1],
            ),
            float(spans.probabilities[index]),
        )
        for index in order
    )
