"""Titles and summaries: a source, and the target written after it.

Changes when rewriting is taught differently.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model_core.roles.formats import Formats, Piece
from recipes.labelling import copy_tags
from recipes.lessons.documents import Document, to_document
from recipes.lessons.storage import Ints, Ragged, load, save

SHORTEST_TARGET = 2
LEAST_KEPT = 0.6  # of a source's room
SENTENCE_ENDS = ("。", "！", "？", "；")


@dataclass(frozen=True, slots=True)
class Noise:
    """What is done to examples so that they teach more than themselves.

    Attributes:
        swapped_share: Share of examples whose target is disturbed.
        swap_rate: Share of their target's input tokens replaced by random tokens of
            the same example (kexue.fm/archives/7259).
    """

    swapped_share: float = 0.5
    swap_rate: float = 0.3


def encode(
    pairs: Iterable[tuple[str, str]], formats: Formats, path: Path, room: int
) -> None:
    """Write (text, target) pairs as tokens; texts are cut at ``room`` tokens."""
    end = formats.tokenizer.sep_id
    columns: dict[str, list[np.ndarray]] = {
        name: [] for name in ("text", "marks", "target")
    }
    for text, target in pairs:
        piece = formats.piece(text[: 2 * room]).cut(0, room)
        ids = np.asarray([*formats.tokenizer.encode(target).token_ids, end], "int32")
        if len(ids) <= SHORTEST_TARGET or not len(piece):
            continue
        columns["text"].append(piece.token_ids)
        columns["marks"].append(piece.mark_ids)
        columns["target"].append(ids)
    save(path, {name: Ragged.of(rows) for name, rows in columns.items()})


def documents(
    path: Path,
    part: str,
    formats: Formats,
    rng: np.random.Generator,
    *,
    room: int,
    longest_target: int,
    noise: Noise,
) -> Iterator[Document]:
    """Yield examples for ever, in a new order every time.

    Args:
        path: What ``encode`` wrote.
        part: ``title`` or ``summary``.
        formats: Lays them out.
        rng: Draws orders and noise.
        room: Most tokens of a source.
        longest_target: Most tokens of a target; longer ones are ``shortened``.
        noise: What disturbs them.
    """
    columns = load(path)
    ends = [formats.tokenizer.token_to_id(mark) for mark in SENTENCE_ENDS]
    while True:
        for index in rng.permutation(len(columns["text"])):
            text, marks = columns["text"][index], columns["marks"][index]
            kept = slice(0, int(rng.uniform(LEAST_KEPT, 1.0) * room))
            source = formats.rewriting(part, Piece(text[kept], marks[kept], ()), room)
            target = shortened(columns["target"][index], longest_target, ends)
            tags = copy_tags(source.text.token_ids.tolist(), target.tolist())
            document = to_document(
                source.token_ids,
                source.mark_ids,
                target,
                copy_tags=tags.astype("int32"),
            )
            yield swapped(document, noise, rng)


def shortened(target: Ints, longest: int, ends: Sequence[int | None]) -> Ints:
    """Return a target that fits: all of it, or up to the last sentence that does.

    Its end mark stays, so that ending is taught; where no sentence ends soon enough it
    is cut, and that is not.

    Args:
        target: Its end mark last.
        longest: Most tokens of it.
        ends: Tokens that end a sentence; None for one that the vocabulary lacks.
    """
    if len(target) <= longest:
        return target
    places = np.flatnonzero(np.isin(target[: longest - 1], [e for e in ends if e]))
    if not len(places):
        return target[:longest]
    return np.append(target[: places[-1] + 1], target[-1])


def swapped(document: Document, noise: Noise, rng: np.random.Generator) -> Document:
    """Replace some of the target's input tokens by others of the same example."""
    if rng.random() >= noise.swapped_share:
        return document
    ids = document.token_ids
    inside = np.flatnonzero(document.segment_ids)
    chosen = inside[rng.random(len(inside)) < noise.swap_rate]
    ids[chosen] = rng.choice(ids, len(chosen))
    return document
