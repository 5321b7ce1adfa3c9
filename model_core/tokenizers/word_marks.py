"""What jieba says of every character: does a word begin here, and of what kind.

Changes when the marks change: weights learned with other marks are worth nothing then.
"""

import threading
import warnings
from functools import lru_cache
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from model_core.tokenizers.jieba_words import DICTIONARY

Marks = npt.NDArray[np.int32]

KINDS = ("other", "person", "place", "institution", "name", "noun", "verb", "number",
         "latin")  # fmt: skip
# The first part of jieba's tag that is listed decides.
KIND_OF_TAG = {
    "nr": 1, "ns": 2, "nt": 3, "nz": 4, "nw": 4, "n": 5, "v": 6, "m": 7, "t": 7, "q": 7,
    "eng": 8,
}  # fmt: skip
MATCHES = ("apart", "character", "stretch")
NUM_WORD_MARKS = 2 * len(KINDS)
NUM_MARKS = 1 + NUM_WORD_MARKS * len(MATCHES)
REMEMBERED_TEXTS = 64  # passages are read again: by other modes, for other questions


class WordMarks:
    """Word borders and kinds by jieba's tagging model; shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tagger: Any = None
        self._remembered = lru_cache(REMEMBERED_TEXTS)(self._marked)

    def load(self) -> None:
        """Load the dictionary and its tags now; later calls do nothing."""
        with self._lock:
            if self._tagger is None:
                self._tagger = _load_tagger()

    def of_text(self, text: str) -> Marks:
        """Return a mark per character: ``1 + inside + 2 * kind``, int32 (len(text),).

        ``inside`` is 0 where a word begins. The array is shared: it cannot be written.
        """
        return self._remembered(text)

    def _marked(self, text: str) -> Marks:
        if self._tagger is None:
            self.load()
        marks: Marks = np.ones(len(text), "int32")
        place = 0
        for line in text.splitlines(keepends=True):
            for word, tag in self._tagger.cut(line):
                start = text.find(word, place)
                if start < 0:
                    continue
                place = start + len(word)
                kind = kind_of(tag)
                marks[start:place] = 2 + 2 * kind
                marks[start : start + 1] = 1 + 2 * kind
        marks.setflags(write=False)
        return marks


def kind_of(tag: str) -> int:
    """Return the kind of a jieba tag, e.g. 1 for ``nrt``."""
    for length in (3, 2, 1):
        if tag[:length] in KIND_OF_TAG:
            return KIND_OF_TAG[tag[:length]]
    return 0


def begins_word(word_marks: Marks) -> npt.NDArray[np.bool_]:
    """Return where words begin, bool (length,); the matches are no matter."""
    begins: npt.NDArray[np.bool_] = word_marks % 2 == 1
    return begins


def matched(word_marks: Marks, token_ids: Marks, question_ids: Marks) -> Marks:
    """Add to the marks of a passage what it shares with a question.

    A token that occurs in the question is a ``character`` match, two in a row that
    stand so in the question are a ``stretch``.

    Args:
        word_marks: (length,).
        token_ids: (length,), the passage.
        question_ids: (question_length,).
    """
    degree = np.isin(token_ids, question_ids).astype("int32")
    base = int(max(token_ids.max(initial=0), question_ids.max(initial=0))) + 1
    ours = token_ids[:-1].astype("int64") * base + token_ids[1:]
    theirs = question_ids[:-1].astype("int64") * base + question_ids[1:]
    pairs = np.isin(ours, theirs)
    degree[:-1][pairs] = 2
    degree[1:][pairs] = 2
    marks: Marks = (word_marks + NUM_WORD_MARKS * degree).astype("int32")
    return marks


# one per process, as the dictionary is
WORD_MARKS = WordMarks()


def _load_tagger() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba.posseg  # noqa: PLC0415 - only weights with marks need it

    class Tagger(jieba.posseg.POSTokenizer):  # type: ignore[misc]  # jieba has no types
        """jieba's, which reads the tags beside the words that it cuts with."""

        def load_word_tag(self, f: BinaryIO) -> None:
            f.close()
            self.word_tag_tab = self.tokenizer.lexicon.tags

    return Tagger(DICTIONARY.cutter)
