"""Where a space goes between two decoded tokens; changes when that reading changes.

WordPiece forgets the spaces of a text: they are put back from what stands on the left
alone, so that a streamed text only ever grows. Knows no vocabulary.
"""

import re
import string
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

SPACE_AFTER = frozenset(",;:.!?)]}%")
PUNCTUATION = frozenset(string.punctuation)
# x.com and x.html are one name, while "end. next" is two sentences
DOMAINS = frozenset({"com", "cn", "net", "org", "gov", "edu", "io"})
FILES = frozenset(
    {"html", "htm", "php", "txt", "pdf", "doc", "jpg", "png", "mp3", "py"}
)
# kana, bopomofo and ideographs of every block: scripts that do without spaces
UNSPACED = re.compile(
    "[\u3005-\u3007\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
LONGEST_MEMORY = 4

IsSpaced = Callable[[str], bool]


def is_spaced(char: str) -> bool:
    """Return whether words of this character's script stand apart by spaces."""
    return char.isalnum() and not UNSPACED.match(char)


def is_ascii_word(char: str) -> bool:
    """Return the same for a text cut by jieba, which cuts other scripts by letter."""
    return char.isascii() and char.isalnum()


@dataclass(frozen=True, slots=True)
class Surface:
    """How one token is written.

    Attributes:
        text: Its own characters; "" for a special token.
        continues: True where it belongs to the word before it.
    """

    text: str
    continues: bool


@dataclass(frozen=True, slots=True)
class Seam:
    """What the left side of a seam remembers.

    Attributes:
        word: End of the last spaced word, "" where other characters followed it.
        mark: Last ASCII punctuation since that word, or "".
    """

    word: str = ""
    mark: str = ""


def join_each(surfaces: Iterable[Surface], spaced: IsSpaced) -> Iterator[str]:
    """Yield what each token adds to the text: its characters, after a space or not."""
    seam = Seam()
    for surface in surfaces:
        if not surface.text:
            yield ""
            continue
        apart = not surface.continues and spaced(surface.text[0])
        space = " " if apart and _parts(seam, surface.text) else ""
        yield space + surface.text
        seam = _seam_after(seam, surface, spaced)


def _parts(seam: Seam, word: str) -> bool:
    """Return whether a space goes between the seam and a spaced word."""
    if not seam.word or not seam.mark:
        return bool(seam.word)
    between_digits = seam.word[-1].isdigit() and word[0].isdigit()
    if seam.mark not in SPACE_AFTER or between_digits:  # 3.14, 1,000 and 12:30
        return False
    return seam.mark != "." or not _dotted(seam.word, word)


def _dotted(left: str, right: str) -> bool:
    """Return whether the dot between two words is part of a name: u.s.a, www.x.com."""
    initial = len(left) == 1 and left.isalpha()
    return initial or left == "www" or right in DOMAINS or right in FILES


def _seam_after(seam: Seam, surface: Surface, spaced: IsSpaced) -> Seam:
    last = surface.text[-1]
    if spaced(last):
        grows = surface.continues and not seam.mark
        word = seam.word + surface.text if grows else surface.text
        return Seam(word[-LONGEST_MEMORY:])
    return Seam(seam.word, last) if last in PUNCTUATION else Seam()
