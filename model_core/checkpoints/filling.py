"""The tensors of a plan, copied once into memory that weights will take over.

Copying runs beside the building of the network, on threads of its own: numpy copies
without Python's lock, and building is Python alone. Changes when copying gets faster.
"""

import math
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.reader import CheckpointReader
from model_core.checkpoints.soundness import check_finite
from model_core.checkpoints.weight_map import Array, WeightPlan, carry_out, shares
from model_core.layers.handover import Arena, numpy_dtype

WORKERS = 2
STRIPE_BYTES = 4 * 2**20
"""Of what is copied at once; then the file's pages are given back."""
STRIPE_ROWS = 768
"""Of a transposed tensor: its columns are then near each other in the cache."""
MATRIX = 2
SWITCH_SECONDS = 2e-4
"""How soon a worker that has copied may go on; Python's own 5 ms are longer than most
copies take."""

Place = tuple[slice, ...]


class Filling:
    """Copies of a plan's tensors, made while the caller does something else.

    Args:
        plan: What goes where.
        reader: Where it is read.
        dtype: Of the weights.
    """

    def __init__(self, plan: WeightPlan, reader: CheckpointReader, dtype: str) -> None:
        self._plan = plan
        self._reader = reader
        self._dtype = dtype
        self._reading = threading.Lock()  # not every format is read by two at once

    @contextmanager
    def running(self) -> Iterator[Callable[[], Iterator[tuple[str, Array]]]]:
        """Copy while the block runs.

        Yields:
            Waits for the copies and yields them with the name of their weight; raises
            what ``carry_out`` does.
        """
        with _switching_often(), ThreadPoolExecutor(WORKERS) as pool:
            jobs = [
                pool.submit(self._copied, share)
                for share in shares(self._plan, WORKERS)
            ]
            yield lambda: (pair for job in jobs for pair in job.result().items())

    def _copied(self, share: WeightPlan) -> dict[str, Array]:
        """Return the copies of one worker's share."""
        sizes = {p.source.name: math.prod(p.source.shape) for p in share.placements}
        num_elements = sum(sizes.values())
        arena = Arena(num_elements * numpy_dtype(self._dtype).itemsize)
        made: dict[str, Array] = {}
        place = ""

        def read(name: str) -> Array:
            nonlocal place
            place = self._reader.place(name)
            with self._reading:
                return self._reader.read_unchecked(name)

        def take(name: str, array: Array) -> None:
            made[name] = arena.array(array.shape, self._dtype)
            self._copy(array, made[name], place)

        carry_out(share, read, take)
        return made

    def _copy(self, array: Array, target: Array, place: str) -> None:
        """Copy stripe by stripe, and look at the numbers while they are at hand."""
        for part in _stripes(array):
            np.copyto(target[part], array[part], casting="unsafe")
            try:
                check_finite(array[part], place)
            except CheckpointFormatError:
                check_finite(array, place)  # counts them all
                raise
            if array.nbytes >= STRIPE_BYTES:
                self._reader.forget_pages()


def _stripes(array: Array) -> Iterator[Place]:
    """Yield parts of an array that lie together in the file."""
    if array.nbytes < STRIPE_BYTES // 4 or not array.ndim:
        yield ()
        return
    if array.ndim == MATRIX and array.strides[0] < array.strides[1]:
        for start in range(0, array.shape[1], STRIPE_ROWS):
            yield (slice(None), slice(start, start + STRIPE_ROWS))
        return
    rows = max(1, STRIPE_BYTES * len(array) // array.nbytes)
    for start in range(0, len(array), rows):
        yield (slice(start, start + rows),)


_switches = threading.Lock()
_num_switching = 0
_usual_seconds = 0.0


@contextmanager
def _switching_often() -> Iterator[None]:
    """Let threads take turns sooner while the block runs, in one thread or in many."""
    global _num_switching, _usual_seconds  # noqa: PLW0603 - the setting is the process's
    with _switches:
        if not _num_switching:
            _usual_seconds = sys.getswitchinterval()
            sys.setswitchinterval(SWITCH_SECONDS)
        _num_switching += 1
    try:
        yield
    finally:
        with _switches:
            _num_switching -= 1
            if not _num_switching:
                sys.setswitchinterval(_usual_seconds)
