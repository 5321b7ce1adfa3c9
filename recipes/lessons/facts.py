"""Questions to a base of facts: the key is the target.

Changes when finding facts is taught differently.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from model_core.interfaces import FactKey
from model_core.roles.formats import Formats, Piece
from recipes.lessons.documents import Document, to_document
from recipes.lessons.rewriting import Noise, swapped
from recipes.lessons.storage import Ragged, load, save
from recipes.tasks_data import KgExample


def encode(examples: tuple[KgExample, ...], formats: Formats, path: Path) -> None:
    """Write questions and the keys they ask for."""
    questions = [formats.piece(example.question) for example in examples]
    keys = [
        formats.fact_key(FactKey(e.fact.subject, e.fact.predicate, e.fact.meaning))
        for e in examples
    ]
    save(
        path,
        {
            "question": Ragged.of([question.token_ids for question in questions]),
            "marks": Ragged.of([question.mark_ids for question in questions]),
            "key": Ragged.of(keys),
        },
    )


def documents(
    path: Path,
    formats: Formats,
    rng: np.random.Generator,
    *,
    longest: int,
    noise: Noise,
) -> Iterator[Document]:
    """Yield questions with their keys for ever."""
    columns = load(path)
    while True:
        for index in rng.permutation(len(columns["key"])):
            question = Piece(columns["question"][index], columns["marks"][index], ())
            source = formats.facts(question)
            target = columns["key"][index][:longest]
            document = to_document(source.token_ids, source.mark_ids, target)
            yield swapped(document, noise, rng)
