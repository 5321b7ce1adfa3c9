"""Where triples and "no answer" are best cut, found on texts of training.

Changes when a cut is chosen on other terms. Training leaves scores that rank well and
cut badly at 0.5: their log-odds are shifted by a constant.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from model_core.interfaces import (
    PassageReader,
    ReadingMode,
    ReadingOptions,
    TripleDecoder,
    TriplePointer,
)
from model_core.roles.parts import FILE_NAME, load_parts
from recipes.metrics.reading import f1
from recipes.tasks_data import QaExample, TriplesExample

FLOOR = 0.01
TINY = 1e-12
LEAST_GAIN = 0.01  # of all questions: less is noise of a few hundred
NEVER = {"mlm": -60.0, "seq2seq": -60.0}
"""Shifts under which no passage is left out: then every question has an answer to
score. A span is pointed at in any case."""
Cut = tuple[float, bool]  # a triple's probability, and whether it is right
Doubted = tuple[float, float, float]


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


def write(folder: Path, found: Mapping[str, float]) -> None:
    """Add shifts to those that a checkpoint's parts have."""
    parts = load_parts(folder)
    replace(parts, shifts={**parts.shifts, **found}).save(folder / FILE_NAME)


def doubts(reader: PassageReader, examples: Sequence[QaExample]) -> dict[str, float]:
    """Return what to add to "no answer"'s log-odds in every mode of reading.

    The sum of scores is the greatest: F1 where there is an answer, 1 where none is
    said rightly. A mode that would gain next to nothing is left as it is.

    Args:
        reader: As it is where nothing is shifted, and never says "no answer" but by
            pointing; see ``NEVER``.
        examples: Questions of yes or no are left out.
    """
    asked = [example for example in examples if example.kind != "yes_no"]
    found: dict[str, float] = {}
    for mode in reader.modes:
        told = [_doubted(reader, mode, example) for example in asked]
        cut = best_doubt(told)
        gain = score_above(told, cut) - score_above(told, 0.0)
        if gain > LEAST_GAIN * len(told):
            found[mode] = -cut
    return found


def score_above(told: Sequence[Doubted], cut: float) -> float:
    """Return the sum of scores where "no answer" is said above some log-odds."""
    return sum(saying if odds > cut else answering for odds, saying, answering in told)


def best_doubt(told: Sequence[Doubted]) -> float:
    """Return the log-odds of "no answer" above which saying so scores best.

    Args:
        told: Log-odds of "no answer", the score of saying so, and that of answering.
    """
    ordered = sorted(told, reverse=True)
    gain, best, cut = 0.0, 0.0, math.inf
    for index, (log_odds, saying, answering) in enumerate(ordered):
        gain += saying - answering
        if gain > best:
            best = gain
            last = index + 1 == len(ordered)
            below = log_odds - 1 if last else ordered[index + 1][0]
            cut = (log_odds + below) / 2
    return cut if math.isfinite(cut) else max((odds for odds, *_ in told), default=0.0)


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


def _doubted(reader: PassageReader, mode: ReadingMode, example: QaExample) -> Doubted:
    """Return what one question is worth, answered or not."""
    options = ReadingOptions(mode=mode)
    *_, frame = reader.read(example.question, (example.passage,), options)
    said = next((answer for answer in frame.answers if answer.text), None)
    gold = [answer.text for answer in example.answers]
    answering = f1(gold, said.text) if said and gold else 0.0
    none = 1 - max(vote.has_answer for vote in frame.votes)
    rival = 1 - none if mode != "span" or said is None else said.probability
    log_odds = math.log(max(none, TINY)) - math.log(max(rival, TINY))
    return log_odds, float(example.kind == "unanswerable"), answering


def _log_odds(probability: float) -> float:
    return math.log(probability) - math.log1p(-probability)
