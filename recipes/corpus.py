"""Which texts the embedded core learns from, and how they are cleaned.

Changes when a source is added. Knows no token ids.
"""

import json
import lzma
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HELD_BACK_EVERY = 400  # one document in so many is kept for evaluation
SHORT_TEXT_CHARS = 120  # below it a text is a remark rather than prose
LONGEST_TITLE_CHARS = 16

_HAN = r"[\u3400-\u9fff]"
_HALF_TO_FULL = str.maketrans(",?!;:", "，？！；：")
_HALF_AFTER_HAN = re.compile(rf"(?<={_HAN})[,?!;:](?=\s*({_HAN}|$))")
_STOP_AFTER_HAN = re.compile(rf"(?<={_HAN})\.(?=\s*({_HAN}|$))")
_SPACES_IN_HAN = re.compile(rf"(?<=[\u3000-\u9fff\uff00-\uffef])[ \t\u3000]+(?={_HAN})")
_LONG_RUN = re.compile(r"([^\w\s])\1{2,}|(\w)\2{5,}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\ufeff\ufffd\ue000-\uf8ff]")
_TUNE = re.compile(r"^[\u3400-\u9fff]{2,7}$")


@dataclass(frozen=True, slots=True)
class Document:
    """One text and the style mark under which it is learned.

    Attributes:
        style: Name of a style mark, e.g. ``五言绝句``.
        text: The cleaned text, lines separated by a newline.
    """

    style: str
    text: str


def clean(text: str) -> str:
    """Return prose with full-width punctuation and without runs and control marks."""
    text = _CONTROL.sub("", text.replace("\r", "\n").replace("\u3000", " "))
    text = _HALF_AFTER_HAN.sub(lambda m: m[0].translate(_HALF_TO_FULL), text)
    text = _STOP_AFTER_HAN.sub("。", text)
    text = _SPACES_IN_HAN.sub("", text)
    text = _LONG_RUN.sub(lambda m: (m[1] or m[2]) * 2, text)
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def prose_style(text: str) -> str:
    """Tell remarks from prose by their length."""
    return "短文" if len(text) < SHORT_TEXT_CHARS else "散文"


def read_paragraph_file(path: Path) -> Iterator[str]:
    """Yield the documents of a text file: blank lines stand between them."""
    with lzma.open(path, "rt", encoding="utf8") as lines:
        document: list[str] = []
        for line in lines:
            if line.strip():
                document.append(line)
            elif document:
                yield "".join(document)
                document = []
        if document:
            yield "".join(document)


def modern(folder: Path) -> Iterator[Document]:
    """Yield essays, reviews, laws, technical articles."""
    for path in sorted(folder.glob("modern-*.txt.xz")):
        for raw in read_paragraph_file(path):
            text = clean(raw)
            yield Document(prose_style(text), text)


def news(folder: Path) -> Iterator[Document]:
    """Yield broadcast news; never used for causal training."""
    for path in sorted(folder.glob("news-*.txt.xz")):
        yield from (Document("新闻", clean(t)) for t in read_paragraph_file(path))


def novels(folder: Path) -> Iterator[Document]:
    """Yield chapters of classical novels."""
    for path in sorted(folder.glob("novels-*.txt.xz")):
        yield from (Document("小说", clean(t)) for t in read_paragraph_file(path))


def poems(folder: Path) -> Iterator[Document]:
    """Yield poems; every other one opens with its title in 《》.

    A ci or qu opens with its tune on a line of its own, as the page's styles do.
    """
    count = 0
    for path in sorted(folder.glob("poems-*.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf8") as lines:
            for line in lines:
                count += 1
                yield poem_document(json.loads(line), titled=count % 2 == 0)


def poem_document(record: dict[str, object], *, titled: bool) -> Document:
    """Lay one poem out as the generator will be asked to."""
    form, body = str(record["form"]), "\n".join(map(str, record["lines"]))  # type: ignore[call-overload]
    tune, title = str(record.get("tune") or ""), str(record.get("title") or "").strip()
    if form in ("词", "曲"):
        head = f"{tune}\n" if _TUNE.match(tune) else ""
        return Document(form, head + body)
    head = f"《{title}》\n" if titled and 0 < len(title) <= LONGEST_TITLE_CHARS else ""
    return Document(form, head + body)


SOURCES: dict[str, Callable[[Path], Iterator[Document]]] = {
    "modern": modern,
    "novels": novels,
    "poems": poems,
    "news": news,
}


def is_held_back(index: int) -> bool:
    """Tell whether a source's document of this number is kept for evaluation."""
    return index % HELD_BACK_EVERY == HELD_BACK_EVERY - 1
