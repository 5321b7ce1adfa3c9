"""jieba's dictionary in little room: one trie of the words, and two numbers for each.

Changes when the dictionary is kept in another way. Python's own dictionaries of these
words, one of frequencies and one of tags, took sixty megabytes more, and no less time.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Generic, TypeVar, overload

Value = TypeVar("Value")
Other = TypeVar("Other")


class Column(Mapping[str, Value], Generic[Value]):
    """What stands beside each word.

    Args:
        words: A ``marisa_trie.Trie``, which numbers them.
        values: One for each number.
    """

    def __init__(self, words: Any, values: Sequence[Value]) -> None:
        self._words = words
        self._number_of: Callable[[str], int | None] = words.get
        self._values = values

    def __getitem__(self, word: str) -> Value:
        """Return what stands beside a word.

        Raises:
            KeyError: No such word.
        """
        number: int = self._words[word]
        return self._values[number]

    @overload
    def get(self, key: str, /) -> Value | None: ...
    @overload
    def get(self, key: str, /, default: Value | Other) -> Value | Other: ...
    def get(self, key: str, /, default: Any = None) -> Any:
        """Return the same, or the default; jieba asks so for every piece of a text."""
        try:
            number = self._number_of(key)
        except UnicodeEncodeError:  # half a character is in no word
            return default
        return default if number is None else self._values[number]

    def __iter__(self) -> Iterator[str]:
        """Yield every word."""
        return iter(self._words)

    def __len__(self) -> int:
        """Return how many words there are."""
        return len(self._words)


class _Tags(Sequence[str]):
    """Tags by number; there are few, so that a byte each is enough."""

    def __init__(self, numbers: bytearray, tags: Sequence[str]) -> None:
        self._numbers = numbers
        self._tags = tags

    def __getitem__(self, index: Any) -> Any:
        return self._tags[self._numbers[index]]

    def __len__(self) -> int:
        return len(self._numbers)


class Lexicon:
    """Words, how often each occurs, and of which kind it is.

    Args:
        opened: Opens the dictionary, a line ``word frequency tag`` for each word, as
            often as it is asked: nothing of it is held twice.

    Attributes:
        frequencies: Of every word.
        tags: Of every word.
        total: Of the frequencies of all lines: jieba counts a word told twice twice.
    """

    def __init__(self, opened: Callable[[], BinaryIO]) -> None:
        import marisa_trie  # noqa: PLC0415 - most checkpoints need no words

        self._words = marisa_trie.Trie(word for word, _, _ in _rows(opened))
        counts = array("I", [0]) * len(self._words)
        tags, numbers = bytearray(len(self._words)), dict[str, int]()
        self._longest = self.total = 0
        for word, count, tag in _rows(opened):
            place = self._words[word]
            counts[place] = int(count)
            tags[place] = numbers.setdefault(tag, len(numbers))
            self._longest = max(self._longest, len(word))
            self.total += int(count)
        self.frequencies: Mapping[str, int] = Column(self._words, counts)
        self.tags: Mapping[str, str] = Column(self._words, _Tags(tags, tuple(numbers)))

    def words_from(self, text: str, start: int) -> list[str]:
        """Return the words that stand in a text from a place on, shortest first."""
        ahead = text[start : start + self._longest]
        try:
            words: list[str] = self._words.prefixes(ahead)
        except UnicodeEncodeError as error:  # half a character is in no word
            words = self._words.prefixes(ahead[: error.start])
        return words


def _rows(opened: Callable[[], BinaryIO]) -> Iterable[list[str]]:
    with opened() as lines:
        for line in lines:
            yield line.decode("utf8").split()
