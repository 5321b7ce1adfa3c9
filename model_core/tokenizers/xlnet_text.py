"""What XLNet and ALBERT do to a text before SentencePiece; changes with their rules.

Their own code normalises in Python first: white space, two ways to quote, accents,
case [1]. Every step says which typed characters each of its results came from.

References:
    [1] https://github.com/zihangdai/xlnet/blob/master/prepro_utils.py
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from model_core.tokenizers.base import Pieces
from model_core.tokenizers.normalise import NormalisedText
from model_core.tokenizers.settings import PieceSettings
from model_core.tokenizers.spans import lawful
from model_core.tokenizers.tokenizer import Encoder

DOUBLE_QUOTE = re.compile("``|''")
SPACE = re.compile(r"\s+")

Row = tuple[str, int, int]  # a text, and the stretch of characters that it replaces


@dataclass(frozen=True, slots=True)
class TextRules:
    """Which steps are taken; the defaults are XLNet's.

    Attributes:
        remove_space: White space of any length is one space, and none at the ends.
        keep_accents: False takes accents away (compatibility decomposition first).
        lowercase: Take the lower case.
    """

    remove_space: bool = True
    keep_accents: bool = False
    lowercase: bool = False

    def apply(self, text: str) -> NormalisedText:
        """Return the text that SentencePiece shall see, and its way back."""
        read = NormalisedText(text, range(len(text)), range(1, len(text) + 1))
        if self.remove_space and " ".join(text.split()) != text:
            read = _rewritten(read, _with_single_spaces(text))
        if DOUBLE_QUOTE.search(read.text):
            read = _rewritten(read, _replaced(DOUBLE_QUOTE, '"', read.text))
        if not self.keep_accents:
            read = _rewritten(read, _by_character(_without_accents, read.text))
        if self.lowercase:
            lowered = _rewritten(read, _by_character(str.lower, read.text))
            # the whole text decides between two small sigmas, a letter alone cannot
            read = NormalisedText(read.text.lower(), lowered.starts, lowered.ends)
        return read


RULES_OF_CLASS: Mapping[str, TextRules] = {
    "AlbertTokenizer": TextRules(lowercase=True),
    "XLNetTokenizer": TextRules(),
}


def rules_for(tokenizer_class: str, settings: PieceSettings) -> TextRules | None:
    """Return the rules that go with a class of tokenizers, None where none do.

    Args:
        tokenizer_class: As the files name it, "" where none does.
        settings: Their options, which win.
    """
    chosen = {
        "remove_space": settings.remove_space,
        "keep_accents": settings.keep_accents,
        "lowercase": settings.lowercase,
    }
    said = {name: value for name, value in chosen.items() if value is not None}
    rules = RULES_OF_CLASS.get(tokenizer_class)
    if rules is None and not {"remove_space", "keep_accents"} & said.keys():
        return None
    return replace(rules or TextRules(), **said)


class CleaningEncoder:
    """Applies the rules, lets another encoder cut, and leads its spans back.

    Args:
        inner: Cuts the clean text.
        rules: What is cleaned.
    """

    def __init__(self, inner: Encoder, rules: TextRules) -> None:
        self._inner = inner
        self._rules = rules

    def encode(self, text: str) -> Pieces:
        """Return ids, and spans in the text as it was typed."""
        read = self._rules.apply(text)
        if not read.text:
            return [], []
        ids, spans = self._inner.encode(read.text)
        return ids, lawful(text, (read.span(start, end) for start, end in spans))


def _rewritten(read: NormalisedText, rows: Iterable[Row]) -> NormalisedText:
    """Return the text of some rows; a stretch that leaves nothing goes with the last.

    So a letter's span holds the accent that was taken from it.
    """
    forms: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for form, start, end in rows:
        forms.append(form)
        starts += [read.starts[start]] * len(form)
        ends += [read.ends[end - 1]] * len(form)
        if not form and ends and ends[-1] == read.starts[start]:
            ends[-1] = read.ends[end - 1]
    return NormalisedText("".join(forms), starts, ends)


def _with_single_spaces(text: str) -> Iterator[Row]:
    first, past = len(text) - len(text.lstrip()), len(text.rstrip())
    for form, start, end in _replaced(SPACE, " ", text):
        if first <= start < past:
            yield form, start, end


def _replaced(pattern: re.Pattern[str], form: str, text: str) -> Iterator[Row]:
    place = 0
    for match in pattern.finditer(text):
        yield from _by_character(str, text[place : match.start()], place)
        yield form, match.start(), match.end()
        place = match.end()
    yield from _by_character(str, text[place:], place)


def _by_character(
    rule: Callable[[str], str], text: str, place: int = 0
) -> Iterator[Row]:
    for index, char in enumerate(text, place):
        yield rule(char), index, index + 1


def _without_accents(char: str) -> str:
    if char.isascii():
        return char
    decomposed = unicodedata.normalize("NFKD", char)
    return "".join(c for c in decomposed if not unicodedata.combining(c))
