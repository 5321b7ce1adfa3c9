"""Texts with triples: labels of subjects, objects and joined pairs.

Changes when pointing is taught differently.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from model_core.interfaces import Relation
from model_core.roles.formats import Formats, Piece
from model_core.tokenizers.base import Span
from model_core.training.objectives import Batch
from recipes.lessons.storage import Ints, Ragged, load, save
from recipes.tasks_data import TriplesExample

LENGTH_STEP = 32
POOL_BATCHES = 16


def encode(
    examples: tuple[TriplesExample, ...],
    relations: tuple[Relation, ...],
    formats: Formats,
    path: Path,
) -> None:
    """Write texts and their triples in tokens; triples without a place are dropped."""
    known = {
        (r.subject_type, r.predicate, r.object_type): n for n, r in enumerate(relations)
    }
    pieces = [formats.piece(example.text) for example in examples]
    triples: list[Ints] = []
    for example, piece in zip(examples, pieces, strict=True):
        rows = []
        for one in example.triples:
            number = known.get((one.subject_type, one.predicate, one.object_type))
            subject = find(one.subject, example.text, piece.spans)
            found = find(one.object, example.text, piece.spans, near=subject)
            if number is not None and subject and found:
                rows.append([number, *subject, *found])
        triples.append(np.asarray(rows, "int32"))
    save(
        path,
        {
            "text": Ragged.of([piece.token_ids for piece in pieces]),
            "marks": Ragged.of([piece.mark_ids for piece in pieces]),
            "triples": Ragged.of(triples, width=5),
        },
    )


def find(
    words: str, text: str, spans: tuple[Span, ...], near: tuple[int, int] | None = None
) -> tuple[int, int] | None:
    """Return first and last token of a string in a text, the first place that fits.

    Args:
        words: What to find.
        text: Where.
        spans: Of the text's tokens.
        near: Tokens that another place than these is preferred to.
    """
    starts = {start: index for index, (start, _) in enumerate(spans)}
    ends = {end: index for index, (_, end) in enumerate(spans)}
    found = []
    place = text.find(words)
    while place >= 0 and words:
        if place in starts and place + len(words) in ends:
            found.append((starts[place], ends[place + len(words)]))
        place = text.find(words, place + 1)
    apart = [
        span for span in found if near is None or span[1] < near[0] or span[0] > near[1]
    ]
    return next(iter(apart or found), None)


def batches(
    path: Path,
    num_relations: int,
    formats: Formats,
    rng: np.random.Generator,
    *,
    rows: int,
    longest: int,
) -> Iterator[Batch]:
    """Yield batches of texts of like length for ever.

    Args:
        path: What ``encode`` wrote.
        num_relations: Of the heads.
        formats: Lays texts out.
        rng: Draws orders and subjects.
        rows: Texts per batch.
        longest: Longer texts, in tokens, are left out.

    Raises:
        ValueError: There are fewer texts than a batch takes.
    """
    columns = load(path)
    lengths = np.diff(columns["text"].starts) + 3
    usable = np.flatnonzero(lengths <= longest)
    if len(usable) < rows:
        raise ValueError(
            f"{path}: expected at least {rows} texts of at most {longest} tokens, "
            f"received {len(usable)}"
        )
    while True:
        order = rng.permutation(usable)
        for start in range(0, len(order) - rows + 1, rows * POOL_BATCHES):
            pool = order[start : start + rows * POOL_BATCHES]
            pool = pool[np.argsort(lengths[pool], kind="stable")]
            groups = [pool[at : at + rows] for at in range(0, len(pool), rows)]
            for group in (groups[n] for n in rng.permutation(len(groups))):
                if len(group) == rows:
                    texts = [
                        (
                            formats.pointing(
                                Piece(columns["text"][n], columns["marks"][n], ()),
                                longest,
                            ),
                            columns["triples"][n],
                        )
                        for n in group
                    ]
                    yield collate(texts, num_relations, rng)


def collate(texts: list, num_relations: int, rng: np.random.Generator) -> Batch:  # type: ignore[type-arg]
    """Pad texts and draw one subject of each."""
    count = len(texts)
    longest = max(len(source.token_ids) for source, _ in texts)
    length = -(-longest // LENGTH_STEP) * LENGTH_STEP
    most = max(1, *(len(triples) for _, triples in texts))
    most = -(-most // 8) * 8
    inputs = {
        "token_ids": np.zeros((count, length), "int32"),
        "mark_ids": np.zeros((count, length), "int32"),
        "padding_mask": np.zeros((count, length), "bool"),
        "subject_labels": np.zeros((count, length, 2), "uint8"),
        "object_labels": np.zeros((count, length, num_relations, 2), "uint8"),
        "starts": np.zeros(count, "int32"),
        "ends": np.zeros(count, "int32"),
        "entity_pairs": np.full((count, 2 * most, 3), -1, "int32"),
        "head_pairs": np.full((count, most, 3), -1, "int32"),
        "tail_pairs": np.full((count, most, 3), -1, "int32"),
    }
    for row, (source, triples) in enumerate(texts):
        inputs["token_ids"][row, : len(source.token_ids)] = source.token_ids
        inputs["mark_ids"][row, : len(source.mark_ids)] = source.mark_ids
        inputs["padding_mask"][row, : len(source.token_ids)] = True
        shift = np.asarray([0, *[source.text_start] * 4])
        _label(inputs, row, triples + shift, rng)
    return Batch(
        "triples", "pointing", inputs, np.ones(2 * count, "float32"), count * length
    )


def _label(
    inputs: dict[str, np.ndarray],
    row: int,
    triples: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Set one text's labels; ``triples`` are (relation, ss, se, os, oe) in the row."""
    if not len(triples):
        return
    relation, sub_start, sub_end, ob_start, ob_end = triples.T
    inputs["subject_labels"][row, sub_start, 0] = 1
    inputs["subject_labels"][row, sub_end, 1] = 1
    start = int(rng.choice(sub_start))
    end = int(rng.choice(sub_end[sub_end >= start]))
    inputs["starts"][row], inputs["ends"][row] = start, end
    same = (sub_start == start) & (sub_end == end)
    inputs["object_labels"][row, ob_start[same], relation[same], 0] = 1
    inputs["object_labels"][row, ob_end[same], relation[same], 1] = 1
    subjects = {(0, int(a), int(b)) for a, b in zip(sub_start, sub_end, strict=True)}
    objects = {(1, int(a), int(b)) for a, b in zip(ob_start, ob_end, strict=True)}
    joined = {
        "entity_pairs": sorted(subjects | objects),
        "head_pairs": sorted({*map(tuple, triples[:, [0, 1, 3]].tolist())}),
        "tail_pairs": sorted({*map(tuple, triples[:, [0, 2, 4]].tolist())}),
    }
    for name, pairs in joined.items():
        inputs[name][row, : len(pairs)] = pairs
