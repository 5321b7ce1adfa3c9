"""How each part's input is laid out in tokens: the same for training and for use.

Changes when a part's prompt changes; weights trained with another one are then lost.

    rewriting   [CLS][标题] source [SEP]  target [SEP]
    reading     [CLS][问题] question [SEP] passage [SEP]  answer [SEP]
    cloze       [CLS][答案] [MASK] x n [SEP] question [SEP] passage [SEP]
    facts       [CLS][知识] question [SEP]  name [谓语] predicate [宾语] meaning [SEP]
    pointing    [CLS][三元组] text [SEP]
    clauses     [CLS][抽取] clause [SEP]

What stands after the wide gap is the target: segment 1, written token by token.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from model_core.interfaces import FactKey
from model_core.tokenizers.base import Span, Tokenizer
from model_core.tokenizers.word_marks import WordMarks, matched

Ids = npt.NDArray[np.int32]

# The mark that opens each part's source.
REWRITING: Mapping[str, str] = MappingProxyType(
    {"title": "[标题]", "summary": "[摘要]"}
)
READING, CLOZE, FACTS = "[问题]", "[答案]", "[知识]"
POINTING, CLAUSES = "[三元组]", "[抽取]"
PREDICATE, MEANING = "[谓语]", "[宾语]"
ANSWER_MASKS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A text as tokens.

    Attributes:
        token_ids: int32 (length,).
        mark_ids: int32 (length,), zeros where the weights know no marks.
        spans: Where each token stands in the text.
    """

    token_ids: Ids
    mark_ids: Ids
    spans: tuple[Span, ...]

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.token_ids)

    def cut(self, start: int, end: int) -> "Piece":
        """Return the tokens from ``start`` up to ``end``."""
        return Piece(
            self.token_ids[start:end], self.mark_ids[start:end], self.spans[start:end]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What the network reads before it answers.

    Attributes:
        token_ids: int32 (length,).
        mark_ids: int32 (length,).
        text_start: Index of the text's (the passage's) first token.
        text: The tokens of the text that fitted.
    """

    token_ids: Ids
    mark_ids: Ids
    text_start: int
    text: Piece

    @property
    def text_end(self) -> int:
        """Index after the text's last token."""
        return self.text_start + len(self.text)


class Formats:
    """Lays texts out for one checkpoint.

    Args:
        tokenizer: The checkpoint's.
        words: Marks words where the weights have a mark embedding, else None.
    """

    def __init__(self, tokenizer: Tokenizer, words: WordMarks | None) -> None:
        self.tokenizer = tokenizer
        self.words = words

    def knows(self, mark: str) -> bool:
        """Tell whether the vocabulary has a mark."""
        return self.tokenizer.token_to_id(mark) is not None

    def piece(self, text: str) -> Piece:
        """Return a text as tokens with the marks of its words."""
        encoding = self.tokenizer.encode(text)
        ids = np.asarray(encoding.token_ids, "int32")
        marks = np.zeros(len(ids), "int32")
        if self.words is not None and len(ids):
            starts = np.asarray([start for start, _ in encoding.spans])
            marks = self.words.of_text(text)[starts]
        return Piece(ids, marks, encoding.spans)

    def rewriting(self, part: str, text: Piece, room: int) -> Source:
        """Return the source of a rewriting, as much of its start as fits.

        Args:
            part: A key of ``REWRITING``.
            text: What is rewritten.
            room: Most tokens of the source.
        """
        return self._opened(REWRITING[part], text, room)

    def pointing(self, text: Piece, room: int) -> Source:
        """Return what the pointing heads read."""
        return self._opened(POINTING, text, room)

    def clause(self, text: Piece, room: int) -> Source:
        """Return what a clause's vector is the mean of."""
        return self._opened(CLAUSES, text, room)

    def reading(self, question: Piece, passage: Piece) -> Source:
        """Return the source of a seq2seq answer."""
        return self._asked([READING], question, passage)

    def cloze(self, question: Piece, passage: Piece, num_masks: int) -> Source:
        """Return the input of an answer in one pass; masks begin at index 2."""
        return self._asked([CLOZE, *["[MASK]"] * num_masks, "[SEP]"], question, passage)

    def facts(self, question: Piece) -> Source:
        """Return the source of a search in a base."""
        return self._opened(FACTS, question, len(question) + 3)

    def fact_key(self, key: FactKey) -> list[int]:
        """Return the target that names a key, its end mark included."""
        ids = [*self.tokenizer.encode(key.subject).token_ids, self._id(PREDICATE)]
        ids += self.tokenizer.encode(key.predicate).token_ids
        if key.meaning:
            ids += [self._id(MEANING), *self.tokenizer.encode(key.meaning).token_ids]
        return [*ids, self._id("[SEP]")]

    def _opened(self, mark: str, text: Piece, room: int) -> Source:
        head = self._ids(["[CLS]", mark])
        kept = text.cut(0, max(0, room - len(head) - 1))
        return _joined([head, kept, self._ids(["[SEP]"])], 1)

    def _asked(self, opening: list[str], question: Piece, passage: Piece) -> Source:
        marks = passage.mark_ids
        if self.words is not None:
            marks = matched(marks, passage.token_ids, question.token_ids)
        told = Piece(passage.token_ids, marks, passage.spans)
        head, end = self._ids(["[CLS]", *opening]), self._ids(["[SEP]"])
        return _joined([head, question, end, told, end], 3)

    def _id(self, token: str) -> int:
        found = self.tokenizer.token_to_id(token)
        if found is None:
            raise ValueError(f"the vocabulary lacks {token}, which this part needs")
        return found

    def _ids(self, tokens: list[str]) -> Piece:
        ids = np.asarray([self._id(token) for token in tokens], "int32")
        return Piece(ids, np.zeros(len(ids), "int32"), ())


def _joined(pieces: list[Piece], text: int) -> Source:
    return Source(
        np.concatenate([piece.token_ids for piece in pieces]),
        np.concatenate([piece.mark_ids for piece in pieces]),
        sum(map(len, pieces[:text])),
        pieces[text],
    )
