"""The pieces of work: each is loaded, done at every shape, timed and compared.

Changes when a piece of work is measured otherwise. Runs inside the process of one
contender and knows it by its contract only; streams are ours alone and stand apart.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.clock import resident_mb, seconds_of
from benchmarks.contract import Contender, Setup
from benchmarks.shapes import Ints, Scale, drawn_ids, prompts, source

Figures = dict[str, Any]
FIRST_TOKEN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of work.

    Attributes:
        network: The folder of the network that it needs.
        measure: Returns figures by case.
    """

    network: str
    measure: Callable[[Contender, Setup, Scale, int], dict[str, Figures]]


class Kept:
    """A call whose last answer is kept.

    Args:
        call: Takes nothing.
    """

    answer: Any

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call

    def __call__(self) -> None:
        """Call, and keep."""
        self.answer = self._call()


def warmed(call: Kept) -> Kept:
    """Return a call that was made once: who compiles per length has compiled."""
    call()
    return call


def measure_decoding(
    contender: Contender, setup: Setup, scale: Scale, most_rows: int
) -> dict[str, Figures]:
    """Return seconds of prompt and continuation, and of the first token alone."""
    decoder = contender.decoder(setup)
    cases = {}
    for batch in _within(most_rows, scale.decode_batches):
        given = prompts(scale, batch)
        start = warmed(Kept(partial(decoder.greedy, given, 1)))
        first = seconds_of(start, FIRST_TOKEN_SECONDS)
        decode = warmed(Kept(partial(decoder.greedy, given, scale.new_tokens)))
        seconds = seconds_of(decode)
        answers = np.load(setup.source / "reference.npz")
        cases[f"batch {batch}"] = {
            "seconds": seconds,
            "first_token_seconds": first,
            "resident_mb": resident_mb(),
            **agreement(decode.answer, answers[f"batch_{batch}"]),
        }
    return cases


def measure_reading(
    contender: Contender, setup: Setup, scale: Scale, most_rows: int
) -> dict[str, Figures]:
    """Return seconds of a batch, and how far its states are from the reference's."""
    reader = contender.reader(setup)
    answers = np.load(setup.source / "reference.npz")
    cases: dict[str, Figures] = {}
    for batch, length in scale.reads:
        if batch > most_rows:
            continue
        read = warmed(Kept(partial(reader.read, drawn_ids(scale, batch, length))))
        seconds = seconds_of(read)
        expected = answers[f"read_{batch}x{length}"][0]
        cases[f"{batch}x{length}"] = {
            "seconds": seconds,
            "resident_mb": resident_mb(),
            "difference": float(np.abs(read.answer[0] - expected).max()),
        }
    return cases


def measure_beams(
    contender: Contender, setup: Setup, scale: Scale, most_rows: int
) -> dict[str, Figures]:
    """Return seconds of a source, a search and its best target."""
    del most_rows
    writer, given = contender.beam_writer(setup), source(scale)
    search = partial(writer.write, given, scale.num_beams, scale.target_tokens)
    write = warmed(Kept(search))
    seconds = seconds_of(write)
    expected = np.load(setup.source / "reference.npz")["target"]
    figures = {"seconds": seconds, "resident_mb": resident_mb()}
    return {f"beam {scale.num_beams}": figures | agreement(write.answer, expected)}


def agreement(found: Ints, expected: Ints) -> Figures:
    """Return how many tokens are the reference's, of how many, and before any other.

    Args:
        found: int32 (rows, tokens).
        expected: The reference's, of the same shape.
    """
    same = found == expected
    before = np.logical_and.accumulate(same, axis=1).sum(axis=1)
    return {
        "tokens": int(same.size),
        "same": int(same.sum()),
        "same_before_any_other": int(before.sum()),
    }


def report(
    part: str, contender: Contender, setup: Setup, scale: Scale, most_rows: int
) -> dict[str, Any]:
    """Measure a part in this process.

    Args:
        part: A key of ``PARTS``.
        contender: Who does it.
        setup: How.
        scale: Which shapes.
        most_rows: Batches with more rows are left out.
    """
    began = time.perf_counter()
    cases = PARTS[part].measure(contender, setup, scale, most_rows)
    return {
        "cases": cases,
        "process_seconds": time.perf_counter() - began,
        "peak_mb": resident_mb("VmHWM"),
        "versions": contender.versions(),
    }


def _within(most_rows: int, batches: Iterable[int]) -> list[int]:
    return [batch for batch in batches if batch <= most_rows]


PARTS: Mapping[str, Part] = {
    "decode": Part("gpt2", measure_decoding),
    "encoder": Part("bert", measure_reading),
    "beams": Part("bart", measure_beams),
}
