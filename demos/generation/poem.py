"""Does a text keep a poem's form: so many lines of so many characters?

Changes when a form is added. Values in, values out: used by the page and by recipes.
Rhyme and tone are not looked at.
"""

import re
from dataclasses import dataclass

HEADING = re.compile(r"\A\s*《[^》\n]*》")  # a poem may open with its title
PAUSES = re.compile(r"[，。！？；：、,.!?;:\s]+")
HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff〇]+")


@dataclass(frozen=True, slots=True)
class PoemForm:
    """A form of regular verse.

    Attributes:
        name: The style's name, e.g. ``五言绝句``.
        num_lines: Lines of the whole poem; a couplet has two.
        line_chars: Characters of every line, punctuation apart.
    """

    name: str
    num_lines: int
    line_chars: int


FORMS = {
    form.name: form
    for form in (
        PoemForm("五言绝句", 4, 5),
        PoemForm("七言绝句", 4, 7),
        PoemForm("五言律诗", 8, 5),
        PoemForm("七言律诗", 8, 7),
    )
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a text leaves its form, for the person.

    Attributes:
        zh: One Chinese sentence.
        en: The same in English.
    """

    zh: str
    en: str


def verse_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a poem without its title and punctuation."""
    body = HEADING.sub("", text, count=1)
    return tuple(line for line in PAUSES.split(body) if line)


def keeps_form(text: str, form: PoemForm) -> bool:
    """Tell whether the text has exactly the lines that the form asks for."""
    return not faults(text, form)


def faults(text: str, form: PoemForm) -> tuple[Fault, ...]:
    """Return every place where the text leaves the form, in reading order."""
    lines = verse_lines(text)
    found = [_line_fault(n, line, form) for n, line in enumerate(lines, 1)]
    if len(lines) != form.num_lines:
        found.append(
            Fault(
                f"共 {len(lines)} 句，应为 {form.num_lines} 句。",
                f"{len(lines)} lines, {form.num_lines} expected.",
            )
        )
    return tuple(fault for fault in found if fault)


def _line_fault(number: int, line: str, form: PoemForm) -> Fault | None:
    if not HAN.fullmatch(line):
        return Fault(
            f"第 {number} 句含有汉字以外的字符：{line}",
            f"Line {number} has characters other than Han: {line}",
        )
    if len(line) != form.line_chars:
        return Fault(
            f"第 {number} 句有 {len(line)} 字，应为 {form.line_chars} 字：{line}",
            f"Line {number} has {len(line)} characters, "
            f"{form.line_chars} expected: {line}",
        )
    return None
