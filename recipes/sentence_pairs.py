"""How well vectors tell pairs that mean the same, beside counting characters.

Changes when another figure of sentence vectors is reported.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from demos.similarity.task import SimilarityRequest, compare_many
from model_core.interfaces import SentenceEncoder
from recipes.metrics.ranking import area_under_curve, rank_correlation

SAME, DIFFERENT = "1", "0"


@dataclass(frozen=True, slots=True)
class SentencePair:
    """Two sentences, and whether they mean the same."""

    text: str
    text_b: str
    same: bool


def load_pairs(path: Path) -> list[SentencePair]:
    """Return the pairs of a .jsonl of text, text_b and label, "1" for the same.

    Raises:
        ValueError: A line is none of these.
    """
    pairs = []
    for number, line in enumerate(path.read_text(encoding="utf8").splitlines(), 1):
        record = json.loads(line)
        if record.get("label") not in (SAME, DIFFERENT):
            raise ValueError(
                f"{path.name}, line {number}: expected a label of {SAME} or "
                f"{DIFFERENT}, received {record.get('label')!r}"
            )
        same = record["label"] == SAME
        pairs.append(SentencePair(record["text"], record["text_b"], same))
    return pairs


def evaluate_pairs(
    pairs: Sequence[SentencePair], encoder: SentenceEncoder
) -> dict[str, Any]:
    """Return the scores of an encoder's cosines, and of the baseline's."""
    requests = [SimilarityRequest(pair.text, pair.text_b) for pair in pairs]
    cosines = [one.cosine for one in compare_many(requests, encoder)]
    shared = [shared_characters(pair.text, pair.text_b) for pair in pairs]
    same = np.asarray([pair.same for pair in pairs])
    return {
        "num_examples": len(pairs),
        "model": scores_of(cosines, same),
        "baseline": scores_of(shared, same),
    }


def scores_of(
    cosines: Sequence[float], same: npt.NDArray[np.bool_]
) -> dict[str, float]:
    """Return how well cosines rank the pairs that mean the same before the others."""
    return {
        "auc": area_under_curve(cosines, same),
        "spearman": rank_correlation(cosines, same.astype("float64")),
    }


def shared_characters(text: str, text_b: str) -> float:
    """Return the cosine of the counts of characters, which needs no model."""
    one, other = Counter(text.lower()), Counter(text_b.lower())
    product = sum(one[char] * other[char] for char in one)
    lengths = [sum(count**2 for count in counts.values()) for counts in (one, other)]
    size: float = (lengths[0] * lengths[1]) ** 0.5
    return product / size if size else 0.0
