"""Where each decoder's triples are best cut, found on texts of training.

Changes when the cut is chosen on other terms. A loss over many pairs leaves scores that
rank well and cut badly at 0.5: their log-odds are shifted by a constant.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from model_core.interfaces import TripleDecoder, TriplePointer
from model_core.roles.parts import FILE_NAME, load_parts
from recipes.tasks_data import TriplesExample

FLOOR = 0.01
Cut = tuple[float, bool]  # a triple's probability, and whether it is right


def shifts(
    pointer: TriplePointer, examples: Sequence[TriplesExample]
) -> dict[str, float]:
    """Return what to add to every decoder's log-odds so that 0.5 gives the best F1.

    Args:
        pointer: As it is, without shifts.
        examples: Texts longer than it reads at once are left out.
    """
    short = [e for e in examples if len(e.text) <= pointer.max_text_chars]
    num_gold = sum(len({t.strings for t in example.triples}) for example in short)
    return {
        decoder: -_log_odds(best_cut(_told(pointer, decoder, short), num_gold))
        for decoder in pointer.decoders
    }


def write(folder: Path, found: dict[str, float]) -> None:
    """Add shifts to a checkpoint's parts."""
    parts = replace(load_parts(folder), shifts=found)
    parts.save(folder / FILE_NAME)


def best_cut(told: Sequence[Cut], num_gold: int) -> float:
    """Return the threshold of the best F1, 0.5 where nothing right is found.

    Args:
        told: Every triple found, in any order.
        num_gold: Triples that should have been found.
    """
    best, cut, right = 0.0, 0.5, 0
    for number, (probability, is_right) in enumerate(sorted(told, reverse=True), 1):
        right += is_right
        f1 = 2 * right / (number + num_gold)
        if f1 > best:
            best, cut = f1, probability
    return cut


def _told(
    pointer: TriplePointer, decoder: TripleDecoder, examples: Sequence[TriplesExample]
) -> list[Cut]:
    told: list[Cut] = []
    for example in examples:
        (triples,) = pointer.point([example.text], decoder, floor=FLOOR)
        gold = {triple.strings for triple in example.triples}
        best: dict[tuple[str, str, str], float] = {}
        for triple in triples:
            strings = (
                example.text[slice(*triple.subject)],
                pointer.relations[triple.relation].predicate,
                example.text[slice(*triple.object)],
            )
            best[strings] = max(best.get(strings, 0.0), triple.probability)
        told += [(p, strings in gold) for strings, p in best.items()]
    return told


def _log_odds(probability: float) -> float:
    return math.log(probability) - math.log1p(-probability)
