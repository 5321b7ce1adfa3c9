"""Words before pieces, as CPM reads and writes Chinese; changes with that reading.

jieba cuts the text, a space goes between two words, and what the person typed as space
and newline becomes two marks that SentencePiece keeps apart from those spaces
(Zhang and others, CPM: A Large-scale Generative Chinese Pre-trained Language Model,
2020, and the code of its release).
"""

from collections.abc import Callable, Iterable, Sequence

from model_core.tokenizers.base import Pieces
from model_core.tokenizers.sentencepiece_model import SPACE
from model_core.tokenizers.spans import lawful
from model_core.tokenizers.tokenizer import Encoder

SPACE_MARK = "\u2582"
NEWLINE_MARK = "\u2583"
MARKS = str.maketrans({" ": SPACE_MARK, "\n": NEWLINE_MARK})
UNMARKED = str.maketrans({SPACE_MARK: " ", NEWLINE_MARK: "\n", " ": None})
# among the most frequent pieces, which come first, bars stand only as marks: in the
# first hundredth, but no more than there are in CPM's 30,000
FIRST_SHARE = 100
MAX_FIRST = 300

Cut = Callable[[str], Iterable[str]]


class MarkedWordEncoder:
    """Cuts words, marks the person's spaces, and lets another encoder do the rest.

    Args:
        inner: Cuts the words into pieces.
        cut: Cuts a text into words that make it up again, spaces included.
    """

    def __init__(self, inner: Encoder, cut: Cut) -> None:
        self._inner = inner
        self._cut = cut

    def encode(self, text: str) -> Pieces:
        """Return ids, and spans in the text as it was typed."""
        words = [word for word in self._cut(text) if word]
        marked = " ".join(word.translate(MARKS) for word in words)
        ids, spans = self._inner.encode(marked)
        places = _places(words)
        typed = [(places[start], places[end]) for start, end in spans]
        return ids, lawful(text, typed)


def has_marks(tokens: Sequence[str]) -> bool:
    """Return whether a vocabulary uses the marks: both are among its first pieces.

    So a checkpoint that was published as another class of tokenizers is known as well.
    """
    first = {*tokens[: min(len(tokens) // FIRST_SHARE, MAX_FIRST)]}
    marks = (SPACE_MARK, NEWLINE_MARK)
    return all(not first.isdisjoint({mark, SPACE + mark}) for mark in marks)


def written(text: str) -> str:
    """Return a piece's characters as the person reads them."""
    return text.translate(UNMARKED)


def _places(words: Sequence[str]) -> list[int]:
    """Return each joined character's index in the typed text, and the text's end.

    A space between two words stands where the second begins.
    """
    places: list[int] = []
    start = 0
    for word in words:
        end = start + len(word)
        places.extend(range(start, end))
        places.append(end)
        start = end
    return places
