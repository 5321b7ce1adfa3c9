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
    ModelError,
    PointedTriple,
    Relation,
    SchemaKind,
    TripleDecoder,
    WeightsInfo,
)
from model_core.roles.loaded import LoadedModel
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


class PromptedTriplePointer:
    """A ``TriplePointer`` over UIE's start and end heads.

    Args:
        model: The network and its tokenizer.
        relations: Those to ask for; a fresh one has none until ``asking``.
    """

    def __init__(
        self, model: LoadedModel, relations: tuple[Relation, ...] = ()
    ) -> None:
        self._model = model
        self._relations = relations

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        return self._model.info

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

    @property
    def decoders(self) -> tuple[TripleDecoder, ...]:
        """See ``TriplePointer.decoders``."""
        return (PROMPTED,)

    @property
    def max_text_chars(self) -> int:
        """See ``TriplePointer.max_text_chars``."""
        return MAX_TEXT_CHARS

    def point(
        self, texts: Sequence[str], decoder: TripleDecoder, *, floor: float = 0.1
    ) -> tuple[tuple[PointedTriple, ...], ...]:
        """See ``TriplePointer.point``."""
        self._check(texts, decoder)
        encodings = [self._model.tokenizer.encode(text) for text in texts]
        subjects = self._subjects(encodings, floor)
        wanted = [
            Wanted(asked.text, subject, number)
            for asked, found in subjects.items()
            for subject in found[:MAX_SUBJECTS]
            for number, relation in enumerate(self._relations)
            if relation.subject_type == asked.prompt
        ]
        prompts = [
            Asked(one.text, self._prompt(texts[one.text], one)) for one in wanted
        ]
        triples: list[list[PointedTriple]] = [[] for _ in texts]
        for one, objects in zip(
            wanted, self._mark(prompts, encodings, floor), strict=True
        ):
            triples[one.text] += one.triples(objects)
        return tuple(
            tuple(sorted(found, key=lambda one: -one.probability)) for found in triples
        )

    def _subjects(
        self, encodings: Sequence[Encoding], floor: float
    ) -> dict[Asked, tuple[Marked, ...]]:
        """Return what is of each type in each text."""
        types = dict.fromkeys(one.subject_type for one in self._relations)
        asked = [
            Asked(index, kind)
            for index, encoding in enumerate(encodings)
            if len(encoding)
            for kind in types
        ]
        return dict(zip(asked, self._mark(asked, encodings, floor), strict=True))

    def _prompt(self, text: str, wanted: "Wanted") -> str:
        start, end = wanted.subject.span
        return f"{text[start:end]}的{self._relations[wanted.relation].predicate}"

    def _check(self, texts: Sequence[str], decoder: TripleDecoder) -> None:
        if decoder not in self.decoders:
            raise ModelError(
                "unsupported",
                f"权重 {self.weights.name} 只有解码方式 prompted，收到“{decoder}”。",
                f"The weights {self.weights.name} have the decoder prompted only, "
                f"got “{decoder}”.",
            )
        longest = max(map(len, texts), default=0)
        if longest > MAX_TEXT_CHARS:
            raise ModelError(
                "unsupported",
                f"一次最多读 {MAX_TEXT_CHARS} 个字，收到 {longest} 个，请先切开。",
                f"At most {MAX_TEXT_CHARS} characters are read at once, got {longest}: "
                "cut the text first.",
            )

    def _mark(
        self, asked: Sequence[Asked], encodings: Sequence[Encoding], floor: float
    ) -> list[tuple[Marked, ...]]:
        """Return what answers each prompt, most probable first."""
        rows = [self._row(one, encodings[one.text]) for one in asked]
        order = np.argsort([len(ids) for ids, _ in rows], kind="stable").tolist()
        made: list[tuple[Marked, ...]] = [()] * len(rows)
        for start in range(0, len(order), TOGETHER):
            group = order[start : start + TOGETHER]
            edges = self._edges([rows[index] for index in group])
            for index, (starts, ends) in zip(group, edges, strict=True):
                spans = span_candidates(starts, ends, floor)
                made[index] = _marked(spans, encodings[asked[index].text])
        return made

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
