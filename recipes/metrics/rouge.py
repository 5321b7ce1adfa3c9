"""Rouge-1, Rouge-2 and Rouge-L by characters, as F1.

Changes when texts are compared differently. Characters are lower-cased and white space
is left out, as the Chinese field does (bert4keras, SPACES). N-grams are counted as
often as they occur on both sides (Lin 2004); the ``rouge`` package counts each once.
"""

from collections import Counter
from dataclasses import dataclass

from recipes.metrics.accuracy import balance


@dataclass(frozen=True, slots=True)
class Rouge:
    """F1 of one pair of texts, 0..1.

    Attributes:
        rouge_1: Of characters.
        rouge_2: Of character bigrams.
        rouge_l: Of the longest common subsequence.
    """

    rouge_1: float
    rouge_2: float
    rouge_l: float

    @property
    def spaces(self) -> float:
        """The score of CAIL 2020's summaries (kexue.fm/archives/8046)."""
        return 0.2 * self.rouge_1 + 0.4 * self.rouge_2 + 0.4 * self.rouge_l


def rouge(reference: str, text: str) -> Rouge:
    """Compare a text with its reference; a side without characters scores 0."""
    gold, mine = characters(reference), characters(text)
    common = lcs_length(gold, mine)
    return Rouge(
        overlap_f1(ngrams(gold, 1), ngrams(mine, 1)),
        overlap_f1(ngrams(gold, 2), ngrams(mine, 2)),
        _f1(common, len(gold), len(mine)),
    )


def characters(text: str) -> str:
    """Return a text as it is compared: lower case, no white space."""
    return "".join(text.lower().split())


def ngrams(text: str, size: int) -> Counter[str]:
    """Count a text's n-grams."""
    return Counter(text[i : i + size] for i in range(len(text) - size + 1))


def overlap_f1(gold: Counter[str], mine: Counter[str]) -> float:
    """Return F1 of n-grams, each counted as often as both sides have it."""
    return _f1((gold & mine).total(), gold.total(), mine.total())


def lcs_length(first: str, second: str) -> int:
    """Return the length of the longest common subsequence.

    One bit per character of ``first``, one addition per character of ``second``
    (Hyyrö 2004): a cleared bit is a place where the length grows.
    """
    places: dict[str, int] = {}
    for index, character in enumerate(first):
        places[character] = places.get(character, 0) | 1 << index
    full = (1 << len(first)) - 1
    row = full
    for character in second:
        hits = row & places.get(character, 0)
        row = ((row + hits) | (row - hits)) & full
    return len(first) - row.bit_count()


def _f1(common: int, num_gold: int, num_mine: int) -> float:
    if not num_gold or not num_mine:
        return 0.0
    return balance(common / num_mine, common / num_gold)
