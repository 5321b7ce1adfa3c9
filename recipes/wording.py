"""Where words begin in encoded documents, as jieba cuts them.

Changes when words are cut differently. Reads ids and a vocabulary, not the texts they
were made of: a corpus encoded long ago can be cut too, and training needs no jieba.
"""

import numpy as np

from model_core.tokenizers.jieba_words import DICTIONARY
from recipes import encoding
from recipes.vocabulary import MARKS

CONTINUES = "##"
BREAK = "\n"  # stands for a mark: no word goes over it


class WordCutter:
    """jieba's words as places of tokens, names that it has to guess included.

    Args:
        vocabulary: One entry per id, the marks first.
    """

    def __init__(self, vocabulary: list[str]) -> None:
        plain = vocabulary[len(MARKS) :]
        self.texts = [BREAK] * len(MARKS) + [t.removeprefix(CONTINUES) for t in plain]
        self.sizes = np.array([len(text) for text in self.texts])
        pairs = list(zip(vocabulary, self.texts, strict=True))
        self.opens = np.array([_is_latin(token[:1]) for token, _ in pairs])
        self.closes = np.array([_is_latin(text[-1:]) for _, text in pairs])

    def begins(self, token_ids: np.ndarray) -> np.ndarray:
        """Return bool (length,): does a word begin with this token?"""
        places = np.cumsum(self.sizes[token_ids]) - self.sizes[token_ids]
        pieces = [self.texts[token] for token in token_ids.tolist()]
        spaced = np.flatnonzero(self.closes[token_ids[:-1]] & self.opens[token_ids[1:]])
        for place in (spaced + 1).tolist():
            pieces[place] = " " + pieces[place]
        shift = np.zeros(len(token_ids), "int64")
        shift[spaced + 1] = 1
        text = "".join(pieces)
        is_start = np.zeros(len(text) + 1, bool)
        lengths = [len(word) for word in DICTIONARY.cut_guessing(text)]
        is_start[np.cumsum([0, *lengths])] = True
        found: np.ndarray = is_start[places + np.cumsum(shift)]
        return found


def word_bits(corpus: encoding.Corpus, cutter: WordCutter) -> np.ndarray:
    """Return what ``Corpus.words`` is for a corpus."""
    documents = (corpus.document(n) for n in range(corpus.num_documents))
    return encoding.packed(map(cutter.begins, documents))


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
