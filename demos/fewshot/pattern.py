"""A sentence with one blank as people write it: ``{text}？____，{text_b}``.

Changes when patterns are written in another way. Knows no label and no model.
"""

import re
from dataclasses import dataclass

from demos import limits
from demos.errors import InvalidRequestError
from demos.limits import Label
from model_core.interfaces import Blanked

PATTERN_LABEL = Label(
    "句式",
    "Pattern",
    "一个空 ＿＿；{text} 和 {text_b} 处放入文本",
    "one blank ＿＿; {text} and {text_b} stand for the texts",
)
BLANK_MARKS = "_＿"
SLOTS = ("{text}", "{text_b}")
TEXT_SLOT, SECOND_SLOT = SLOTS
PART = re.compile(r"\{[^{}]*\}|[_＿]{2,}")
EXAMPLE = "____满意。{text}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that has been read.

    Attributes:
        before: What stands before the blank, slots as they were written.
        after: What stands after it.
    """

    before: str
    after: str

    @property
    def takes_pairs(self) -> bool:
        """Whether it has a place for a second text."""
        return SECOND_SLOT in self.before + self.after

    def blanked(self, text: str, text_b: str = "") -> Blanked:
        """Return the sentence about these texts; the longer side gives way."""
        texts = dict(zip(SLOTS, (text, text_b), strict=True))
        before, after = _filled(self.before, texts), _filled(self.after, texts)
        return Blanked(before, after, "before" if len(before) > len(after) else "after")


def read_pattern(written: str) -> Pattern:
    """Return a pattern; without ``{text}``, the text follows it.

    Raises:
        InvalidRequestError: It has no blank, several, or a slot of another name.
    """
    blanks = [part for part in PART.finditer(written) if part[0][0] in BLANK_MARKS]
    strange = [part[0] for part in PART.finditer(written) if _is_strange(part[0])]
    if strange:
        raise _strange(strange[0])
    if len(blanks) != 1:
        raise _blanks(len(blanks), written)
    (blank,) = blanks
    tail = "" if TEXT_SLOT in written else TEXT_SLOT
    return Pattern(written[: blank.start()], written[blank.end() :] + tail)


def _filled(side: str, texts: dict[str, str]) -> str:
    """Put the texts in once: what looks like a slot inside a text stays as it is."""
    return PART.sub(lambda part: texts.get(part[0], part[0]), side)


def _is_strange(part: str) -> bool:
    return part[0] == "{" and part not in SLOTS


def _strange(part: str) -> InvalidRequestError:
    got = limits.shown(part)
    return PATTERN_LABEL.refuse(
        f"里花括号只能写 {TEXT_SLOT} 或 {SECOND_SLOT}，收到 {got}。",
        f"may have {TEXT_SLOT} and {SECOND_SLOT} in braces, nothing else; got {got}.",
    )


def _blanks(num_blanks: int, written: str) -> InvalidRequestError:
    got = limits.shown(written)
    if not num_blanks:
        return PATTERN_LABEL.refuse(
            f"里没有空：请用两个以上的下划线留一个，例如 {EXAMPLE}，收到 {got}。",
            "has no blank: leave one with two or more underscores, as in "
            f"{EXAMPLE}; got {got}.",
        )
    return PATTERN_LABEL.refuse(
        f"里有 {num_blanks} 个空，只能有一个，例如 {EXAMPLE}，收到 {got}。",
        f"has {num_blanks} blanks but may have one, as in {EXAMPLE}; got {got}.",
    )
