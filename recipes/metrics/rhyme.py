"""Whether lines of verse rhyme; changes when syllables are grouped otherwise.

The rule is that of 中华新韵 (2005): fourteen groups of finals in today's standard
reading, tones apart. A line's last character is read in the context of its line
(pypinyin); two lines rhyme where these characters differ and their finals stand in one
group. Old poems rhymed in the sounds of their time: not all of theirs still do.
"""

from collections.abc import Sequence
from functools import cache
from itertools import permutations

NEEDED = (
    "expected pypinyin, which reads the ends of lines, received none: "
    "pip install -r requirements-recipes.txt, or leave manners out"
)
# 麻 波 皆 开 微 豪 尤 寒 文 唐 庚 齐 支 姑; "-i" is the vowel of zhi and zi
GROUPS = (
    "a ia ua",
    "o e uo",
    "ie ve",
    "ai uai",
    "ei uei",
    "ao iao",
    "ou iou",
    "an ian uan van",
    "en in uen vn",
    "ang iang uang",
    "eng ing ueng iong ong",
    "i v er",
    "-i",
    "u",
)
_GROUP_OF = {
    final: number for number, finals in enumerate(GROUPS) for final in finals.split()
}
_HISSING = ("z", "c", "s", "r")


def check_reader() -> None:
    """Ask for pypinyin before anything long begins.

    Raises:
        ImportError: It is not installed; says how to install it.
    """
    try:
        import pypinyin  # noqa: F401
    except ImportError as error:
        raise ImportError(NEEDED) from error


@cache
def rhyme_group(line: str) -> int | None:
    """Return the number of the group that a line's last syllable belongs to.

    Args:
        line: Without punctuation; None where it does not end in a character that
            has a reading.
    """
    from pypinyin import Style, pinyin

    if not line:
        return None
    ((final,),) = pinyin(line, style=Style.FINALS, strict=True)[-1:]
    ((syllable,),) = pinyin(line, style=Style.NORMAL)[-1:]
    if final == "i" and syllable.startswith(_HISSING):
        final = "-i"
    return _GROUP_OF.get(final)


def rhymes(first: str, second: str) -> bool:
    """Tell whether two lines rhyme; the same character twice does not."""
    if not first or not second or first[-1] == second[-1]:
        return False
    group = rhyme_group(first)
    return group is not None and group == rhyme_group(second)


def chance(pairs: Sequence[tuple[str, str]]) -> float:
    """Return how often lines rhyme that were put together at random.

    Args:
        pairs: (num_poems,), two lines of each. Every first line is put beside the
            second of every other poem, which is what endless shuffling comes to.
    """
    strangers = [(a[0], b[1]) for a, b in permutations(pairs, 2)]
    return sum(rhymes(a, b) for a, b in strangers) / max(1, len(strangers))
