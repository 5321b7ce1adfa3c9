"""Questions to passages: windows, answers written, answers read in one pass.

Changes when reading is taught differently.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model_core.roles.formats import ANSWER_MASKS, Formats, Piece
from model_core.tokenizers.base import Span
from model_core.training.objectives import Batch
from recipes.lessons.documents import Document, Shape, packed, to_document
from recipes.lessons.storage import Ragged, load, save
from recipes.tasks_data import QaExample

NONE = -1
SHORTEST_WINDOW = 24
FIRST_MASK = 2


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One question with the window of its passage that is shown.

    Attributes:
        question: Tokens.
        window: Tokens of the passage.
        start, end: The answer's tokens in the window, half-open; ``NONE`` without one.
    """

    question: Piece
    window: Piece
    start: int
    end: int

    @property
    def answer(self) -> np.ndarray:
        """The answer's tokens; none where there is no answer."""
        if self.start == NONE:
            return np.empty(0, "int32")
        return self.window.token_ids[self.start : self.end]


def encode(examples: tuple[QaExample, ...], formats: Formats, path: Path) -> None:
    """Write passages once, and questions with the answer's place in tokens."""
    numbers: dict[str, int] = {}
    passages: list[Piece] = []
    questions, facts = [], []
    for example in examples:
        if example.kind == "yes_no":
            continue
        if example.passage not in numbers:
            numbers[example.passage] = len(passages)
            passages.append(formats.piece(example.passage))
        passage = passages[numbers[example.passage]]
        questions.append(formats.piece(example.question))
        facts.append([numbers[example.passage], *_place(example, passage.spans)])
    save(
        path,
        {
            "passage": Ragged.of([piece.token_ids for piece in passages]),
            "passage_marks": Ragged.of([piece.mark_ids for piece in passages]),
        },
    )
    save(
        path.with_name(f"{path.stem}-questions.npz"),
        {
            "question": Ragged.of([piece.token_ids for piece in questions]),
            "marks": Ragged.of([piece.mark_ids for piece in questions]),
            "place": Ragged.of([[n, a + 1, b + 1] for n, a, b in facts]),
        },
    )


def asked(
    path: Path,
    rng: np.random.Generator,
    *,
    room: int,
    away_share: float = 0.2,
    stranger_share: float = 0.08,
) -> Iterator[Asked]:
    """Yield questions with a window each for ever.

    In use most windows of most passages have no answer, and those without one must
    not outbid the one that has it; in the files nearly every passage has one.

    Args:
        path: What ``encode`` wrote.
        rng: Draws orders and windows.
        room: Most tokens of question and window together.
        away_share: How often the window is one without the answer, where the passage
            is long enough to have one.
        stranger_share: How often it is one of another question's passage.
    """
    passages = load(path)
    rows = load(path.with_name(f"{path.stem}-questions.npz"))
    while True:
        for index in rng.permutation(len(rows["question"])):
            number, start, end = (int(value) for value in rows["place"][index])
            if rng.random() < stranger_share:
                other = int(rng.integers(len(passages["passage"])))
                if other != number:
                    number, start, end = other, NONE + 1, NONE + 1
            passage = Piece(
                passages["passage"][number], passages["passage_marks"][number], ()
            )
            question = Piece(rows["question"][index], rows["marks"][index], ())
            question = question.cut(0, room // 3)
            size = min(
                room - len(question), int(rng.integers(SHORTEST_WINDOW, room + 1))
            )
            yield _windowed(
                question, passage, start - 1, end - 1, size, rng, away_share
            )


def documents(
    questions: Iterator[Asked], formats: Formats, *, longest_answer: int
) -> Iterator[Document]:
    """Yield answers to be written; an end mark at once says that there is none."""
    end = formats.tokenizer.sep_id
    for one in questions:
        if len(one.answer) < longest_answer:
            source = formats.reading(one.question, one.window)
            target = np.asarray([*one.answer, end], "int32")
            yield to_document(source.token_ids, source.mark_ids, target)


@dataclass(frozen=True, slots=True, eq=False)
class ClozeDocument:
    """One question laid out for reading in one pass.

    Attributes:
        token_ids, mark_ids: int32 (length,).
        targets: What stands behind the first masks: the answer and an end mark.
        start, end: The span's first and last token; both 0, [CLS], without an answer.
        passage: Where the passage stands, half-open.
    """

    token_ids: np.ndarray
    mark_ids: np.ndarray
    targets: np.ndarray
    start: int
    end: int
    passage: tuple[int, int]

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.token_ids)

    def masks(self, begin: int) -> np.ndarray:
        """Return places and targets of its judged masks, int32 (num_targets, 2)."""
        places = begin + FIRST_MASK + np.arange(len(self.targets))
        return np.stack([places, self.targets], axis=1).astype("int32")

    def allowed(self, begin: int, length: int) -> np.ndarray:
        """Return where its span may start or end in a row, bool (length,)."""
        places = np.arange(length) - begin
        first, end = self.passage
        inside: np.ndarray = (places == 0) | ((places >= first) & (places < end))
        return inside


def cloze_documents(
    questions: Iterator[Asked], formats: Formats
) -> Iterator[ClozeDocument]:
    """Yield questions to be read in one pass."""
    end = formats.tokenizer.sep_id
    for one in questions:
        source = formats.cloze(one.question, one.window, ANSWER_MASKS)
        targets = np.asarray([*one.answer, end][:ANSWER_MASKS], "int32")
        has = one.start != NONE
        first = source.text_start + one.start if has else 0
        last = source.text_start + one.end - 1 if has else 0
        inside = (source.text_start, source.text_end)
        yield ClozeDocument(
            source.token_ids, source.mark_ids, targets, first, last, inside
        )


def batches(
    questions: Iterator[Asked], formats: Formats, shape: Shape
) -> Iterator[Batch]:
    """Yield packed batches of the reading objective for ever."""
    for rows in packed(cloze_documents(questions, formats), shape):
        yield collate(rows, shape)


def collate(rows: list[list[ClozeDocument]], shape: Shape) -> Batch:
    """Stack packed rows to a batch of fixed sizes."""
    size = (shape.rows, shape.length)
    inputs: dict[str, np.ndarray] = {
        name: np.zeros(size, "int32")
        for name in ("token_ids", "mark_ids", "document_ids")
    }
    spans = np.zeros((shape.documents, 3), "int32")  # row, start and end
    allowed = np.zeros((shape.documents, shape.length), "bool")
    allowed[:, 0] = True
    masks: list[np.ndarray] = [np.zeros((0, 2), "int32")]
    number = 0
    for row, documents_ in enumerate(rows):
        begin = 0
        for document in documents_:
            inside = (row, slice(begin, begin + len(document)))
            inputs["token_ids"][inside] = document.token_ids
            inputs["mark_ids"][inside] = document.mark_ids
            inputs["document_ids"][inside] = number + 1
            spans[number] = row, begin + document.start, begin + document.end
            allowed[number] = document.allowed(begin, shape.length)
            masks.append(document.masks(row * shape.length + begin))
            begin += len(document)
            number += 1
    places, weights = _filled(np.concatenate(masks), shape.documents * ANSWER_MASKS)
    inputs |= {"places": places[:, 0], "targets": places[:, 1], "allowed": allowed}
    for column, name in enumerate(("document_rows", "starts", "ends")):
        inputs[name] = spans[:, column]
    told = (np.arange(shape.documents) < number).astype("float32")
    # masks and spans count alike: an answer has several masks, but one span
    share = weights.sum() / max(2 * number, 1)
    every = np.concatenate([weights, told * share, told * share]).astype("float32")
    return Batch("cloze", "reading", inputs, every, shape.rows * shape.length)


def _filled(rows: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows filled up with zeros, and weights that tell them apart."""
    made = np.zeros((size, rows.shape[1]), "int32")
    made[: len(rows)] = rows
    return made, (np.arange(size) < len(rows)).astype("float32")


def _place(example: QaExample, spans: tuple[Span, ...]) -> tuple[int, int]:
    """Return the answer's first token and the one after its last."""
    if not example.answers:
        return NONE, NONE
    answer = example.answers[0]
    starts = np.asarray([start for start, _ in spans])
    ends = np.asarray([end for _, end in spans])
    first = int(np.searchsorted(ends, answer.start, "right"))
    last = int(np.searchsorted(starts, answer.start + len(answer.text), "left"))
    return (first, last) if first < last else (NONE, NONE)


def _windowed(
    question: Piece,
    passage: Piece,
    start: int,
    end: int,
    size: int,
    rng: np.random.Generator,
    away_share: float,
) -> Asked:
    length = len(passage)
    if length <= size:
        return Asked(question, passage, start, end)
    if start == NONE or end - start > size:
        first = int(rng.integers(0, length - size + 1))
        return Asked(question, passage.cut(first, first + size), NONE, NONE)
    elsewhere = [
        b for b in range(0, length - size + 1, 16) if b + size <= start or b >= end
    ]
    if elsewhere and rng.random() < away_share:
        first = int(rng.choice(elsewhere))
        return Asked(question, passage.cut(first, first + size), NONE, NONE)
    low, high = max(0, end - size), min(start, length - size)
    first = int(rng.integers(low, high + 1))
    return Asked(question, passage.cut(first, first + size), start - first, end - first)
