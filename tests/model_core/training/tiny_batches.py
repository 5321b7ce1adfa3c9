"""A tiny batch for every objective, over the tiny networks' vocabulary."""

import numpy as np

from model_core.training.objectives import Batch
from tests.model_core.tiny import RICH, VOCABULARY, random_ids

RELATIONS = RICH.num_relations


def by_heart():
    """Rows that repeat one sequence, each token predicting the next."""
    ids = np.tile(random_ids(1, 12), (4, 1))
    places = np.arange(4 * 12).reshape(4, 12)[:, :-1].reshape(-1)
    inputs = {
        "token_ids": ids,
        "segment_ids": np.ones_like(ids),
        "document_ids": np.zeros_like(ids),
        "places": places.astype("int32"),
        "targets": ids[:, 1:].reshape(-1),
    }
    return Batch("text", "writing", inputs, np.ones(places.size, "float32"), ids.size)


def rewriting(seed=0):
    """Two rows of two documents: sources, then targets that copy some of them."""
    rng = np.random.default_rng(seed)
    ids = random_ids(2, 12, seed)
    segments = np.tile([0, 0, 0, 1, 1, 1], (2, 2)).astype("int32")
    documents = np.array([[1] * 6 + [2] * 6, [3] * 6 + [4] * 6], "int32")
    places = np.array([2, 3, 4, 8, 9, 10, 14, 15, 16, 20, 21, 22], "int32")
    sources = np.full((5, 4), -1, "int32")
    for number in range(4):
        row, start = divmod(number, 2)
        sources[number + 1, :3] = ids[row, 6 * start : 6 * start + 3]
    inputs = {
        "token_ids": ids,
        "segment_ids": segments,
        "document_ids": documents,
        "mark_ids": np.where(segments == 0, ids % 5, 0).astype("int32"),
        "places": places,
        "targets": rng.integers(0, VOCABULARY, 12).astype("int32"),
        "source_ids": sources,
        "place_sources": np.repeat([1, 2, 3, 4], 3).astype("int32"),
        "copy_targets": np.array([0, 1, 2, -1, -1, -1, 1, 2, 0, 0, 0, 1], "int32"),
    }
    return Batch("title", "writing", inputs, np.ones(12, "float32"), ids.size)


def reading(seed=0):
    """Two rows, two documents in the first one; masks at their beginnings."""
    ids = random_ids(2, 14, seed)
    documents = np.array([[1] * 7 + [2] * 7, [3] * 10 + [0] * 4], "int32")
    allowed = np.zeros((3, 14), "bool")
    allowed[0, [0, 3, 4, 5, 6]] = True
    allowed[1, [7, 10, 11, 12, 13]] = True
    allowed[2, [0, 4, 5, 6, 7, 8]] = True
    inputs = {
        "token_ids": ids,
        "document_ids": documents,
        "mark_ids": (ids % 5).astype("int32"),
        "places": np.array([1, 2, 8, 9, 15, 16], "int32"),
        "targets": np.array([5, 6, 7, 8, 9, 3], "int32"),
        "document_rows": np.array([0, 0, 1], "int32"),
        "allowed": allowed,
        "starts": np.array([4, 7, 5], "int32"),
        "ends": np.array([5, 7, 8], "int32"),
    }
    return Batch("cloze", "reading", inputs, np.ones(12, "float32"), ids.size)


def pointing(seed=0):
    """Two texts, the second a shorter one; two triples and one."""
    ids = random_ids(2, 10, seed)
    real = np.arange(10)[None] < np.array([[10], [7]])
    triples = [[(0, 2, 3, 5, 6), (2, 2, 3, 8, 8)], [(1, 1, 1, 4, 5)]]
    subjects = np.zeros((2, 10, 2), "uint8")
    objects = np.zeros((2, 10, RELATIONS, 2), "uint8")
    pairs = {name: np.full((2, 6, 3), -1, "int32") for name in ("entity", "head")}
    pairs["tail"] = pairs["head"].copy()
    for row, rows in enumerate(triples):
        entities = set()
        for index, (relation, ss, se, os, oe) in enumerate(rows):
            subjects[row, ss, 0] = subjects[row, se, 1] = 1
            objects[row, os, relation, 0] = objects[row, oe, relation, 1] = 1
            entities |= {(0, ss, se), (1, os, oe)}
            pairs["head"][row, index] = (relation, ss, os)
            pairs["tail"][row, index] = (relation, se, oe)
        pairs["entity"][row, : len(entities)] = sorted(entities)
    inputs = {
        "token_ids": ids,
        "mark_ids": (ids % 5).astype("int32"),
        "padding_mask": real,
        "subject_labels": subjects,
        "object_labels": objects,
        "starts": np.array([2, 1], "int32"),
        "ends": np.array([3, 1], "int32"),
        **{f"{name}_pairs": values for name, values in pairs.items()},
    }
    return Batch("triples", "pointing", inputs, np.ones(4, "float32"), ids.size)


def clauses(seed=0):
    """One text of five clauses and one row that only fills up."""
    ids = random_ids(6, 8, seed)
    lengths = np.array([8, 5, 6, 3, 7, 1])
    inputs = {
        "token_ids": ids,
        "mark_ids": (ids % 5).astype("int32"),
        "padding_mask": np.arange(8)[None] < lengths[:, None],
        "labels": np.array([1, 0, 0, 1, 0, 0], "uint8"),
    }
    weights = np.array([1, 1, 1, 1, 1, 0], "float32")
    return Batch("extract", "clauses", inputs, weights, ids.size)


def cloze(seed=0):
    """Three padded texts with two blanks each."""
    ids = random_ids(3, 8, seed)
    inputs = {
        "token_ids": ids,
        "segment_ids": np.zeros_like(ids),
        "padding_mask": np.arange(8)[None] < np.array([[8], [6], [7]]),
        "places": np.array([[1, 4], [2, 5], [3, 6]], "int32"),
        "targets": np.array([[5, 6], [7, 8], [9, 3]], "int32"),
    }
    return Batch("fewshot", "cloze", inputs, np.ones(6, "float32"), ids.size)


BATCHES = {
    "writing": rewriting,
    "reading": reading,
    "pointing": pointing,
    "clauses": clauses,
    "cloze": cloze,
}
