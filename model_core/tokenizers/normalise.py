"""Text as the vocabulary spells it, and which typed characters each one came from.

Changes when a rule of normalisation changes. Knows no vocabulary and no words.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tokenizers.normalizers import BertNormalizer

ZERO_WIDTH_JOINER = "\u200d"
FULL_WIDTH = range(0xFF01, 0xFF5F)
FULL_WIDTH_OFFSET = 0xFF01 - 0x21
# every assigned character of the first two planes would fit; beyond it nothing is kept
CACHE_LIMIT_CHARS = 1 << 17


@dataclass(frozen=True, slots=True)
class NormalisedText:
    """A text after normalisation.

    Attributes:
        text: The normalised characters.
        starts: (len(text),) index of the typed character behind each of them.
        ends: (len(text),) index just past it and past the marks that went with it.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where normalised characters ``start:end`` stand in the typed text."""
        return self.starts[start], self.ends[end - 1]


class CharacterNormaliser(dict[str, str]):
    """Each typed character's normalised form, computed when it is first met.

    BERT's normalisation [1] takes one character at a time, except that accents are
    put in canonical order before they are taken away; so a table by character is the
    library's own result, and the way back to the typed text is exact. Lone surrogates
    and control characters leave nothing, every white space is one space.

    Args:
        lowercase: Take the lower case.
        strip_accents: Take accents away (canonical decomposition first); None does
            so where ``lowercase`` does.
        folds: Says which full-width characters are read as their ASCII form.

    References:
        [1] https://github.com/google-research/bert/blob/master/tokenization.py
    """

    def __init__(
        self,
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        folds: Callable[[str], bool] | None = None,
    ) -> None:
        super().__init__()
        self._rule = BertNormalizer(
            clean_text=True,
            handle_chinese_chars=False,
            strip_accents=strip_accents,
            lowercase=lowercase,
        )
        if folds is not None:
            self._fold(folds)

    def __missing__(self, char: str) -> str:
        """Compute and keep the form of one character."""
        is_surrogate = "\ud800" <= char <= "\udfff"
        form: str = self._rule.normalize_str("\ufffd" if is_surrogate else char)
        if len(self) < CACHE_LIMIT_CHARS:
            self[char] = form
        return form

    def normalise(self, text: str) -> NormalisedText:
        """Return the normalised text and its way back."""
        forms = [self[char] for char in text]
        normalised = "".join(forms)
        if set(map(len, forms)) <= {1}:
            size = len(text)
            return NormalisedText(normalised, range(size), range(1, size + 1))
        return NormalisedText(normalised, *_align(text, forms))

    def _fold(self, folds: Callable[[str], bool]) -> None:
        full_width = [chr(code) for code in FULL_WIDTH]
        folded = [char for char in full_width if folds(self[char])]
        self.update({char: self[chr(ord(char) - FULL_WIDTH_OFFSET)] for char in folded})


def _align(text: str, forms: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the start and end in ``text`` of every character of the joined forms.

    A combining mark that normalisation takes away stays with the character before it:
    a span then never cuts a letter from its accent, or an emoji from its joiner.
    """
    starts: list[int] = []
    ends: list[int] = []
    for index, form in enumerate(forms):
        starts.extend([index] * len(form))
        ends.extend([index + 1] * len(form))
        if not form and ends and ends[-1] == index and _is_attached(text[index]):
            ends[-1] = index + 1
    return starts, ends


def _is_attached(char: str) -> bool:
    return char == ZERO_WIDTH_JOINER or unicodedata.category(char).startswith("M")
