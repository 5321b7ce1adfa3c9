"""Texts with a word in a blank that says what they are: labels as a cloze (PET).

Changes when classifying is taught differently. Sentences are laid out as filling blanks
reads them; several sets of examples take turns (kexue.fm/archives/7764).
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from model_core.interfaces import Blanked
from model_core.roles.blanks import BlankLayout
from recipes.lessons.documents import Document
from recipes.lessons.storage import Ragged, load, save

Judged = tuple[Blanked, str]


def encode(
    groups: Mapping[str, Iterable[Judged]], layout: BlankLayout, room: int, path: Path
) -> None:
    """Write sentences and what belongs in their blanks.

    Args:
        groups: Name of a set to its sentences, each with its word.
        layout: Of the weights' vocabulary.
        room: Most tokens of a sentence.
        path: Read by ``documents``.
    """
    columns: dict[str, list[list[int]]] = {
        name: [] for name in ("text", "target", "first", "group")
    }
    for number, judged in enumerate(groups.values()):
        for sentence, word in judged:
            target = layout.tokenizer.encode(word).token_ids
            blank = layout.blank(sentence, len(target), room)
            columns["text"].append(blank.token_ids.tolist())
            columns["target"].append(list(target))
            columns["first"].append([blank.first])
            columns["group"].append([number])
    save(path, {name: Ragged.of(rows) for name, rows in columns.items()})


def documents(path: Path, rng: np.random.Generator) -> Iterator[Document]:
    """Yield sentences for ever.

    A set is drawn as often as the square root of its size says: small ones are seen
    more often than their share, and no large one drowns them.

    Args:
        path: What ``encode`` wrote.
        rng: Draws sets and orders.
    """
    columns = load(path)
    group = columns["group"].values
    streams = [
        _endless(np.flatnonzero(group == number), rng) for number in np.unique(group)
    ]
    shares = np.sqrt(np.unique(group, return_counts=True)[1])
    while True:
        index = next(streams[rng.choice(len(streams), p=shares / shares.sum())])
        target = columns["target"][index]
        ids = columns["text"][index].astype("int32")
        nothing = np.zeros(len(ids), "int32")
        places = int(columns["first"][index][0]) + np.arange(len(target))
        yield Document(
            ids, nothing, nothing, places.astype("int32"), target.astype("int32")
        )


def _endless(indices: np.ndarray, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(indices).tolist()
