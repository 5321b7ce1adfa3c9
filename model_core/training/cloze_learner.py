"""Learns to fill blanks from a few examples, on a copy of the weights.

Changes when few-shot learning changes. The given network is only read.
"""

import time
import warnings
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from model_core.models.network import Network, weights_by_name
from model_core.training.objectives import weighted_mean
from model_core.training.objectives.cloze import ClozeObjective
from model_core.training.schedules import WarmupStableDecay

Ints = npt.NDArray[np.int32]
PLACES_STEP = 8
LENGTH_STEP = 32


@dataclass(frozen=True, slots=True, eq=False)
class ClozeExample:
    """One sentence whose blank is filled.

    Attributes:
        token_ids: int32 (length,), masks at the blank.
        places: int32 (num_blanks,), where the blank is.
        targets: int32 (num_blanks,), what belongs there.
        plain: int32 (num_plain,), where other tokens may be hidden as well.
    """

    token_ids: Ints
    places: Ints
    targets: Ints
    plain: Ints


@dataclass(frozen=True, slots=True)
class ClozeLearning:
    """How to learn.

    Attributes:
        learning_rate: Of AdamW at its peak.
        batch_size: Examples per step.
        num_steps: Optimizer steps.
        mask_rate: Share of the plain tokens that are hidden as well.
        mask_id: The mask.
        seed: Fixes order and masks.
    """

    learning_rate: float
    batch_size: int
    num_steps: int
    mask_rate: float
    mask_id: int
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """How far a lesson is.

    Attributes:
        losses: In nats, one per step made.
        network: The learned copy; only at the end.
    """

    losses: tuple[float, ...]
    network: Network | None = None


def copy_network(network: Network) -> Network:
    """Return a network of the same weights that can change on its own.

    Every array is copied: JAX would share it, and a training step that is given it
    to write into would take it away from the network in use. The copy is of float32:
    most of a step's changes are smaller than bfloat16 can tell.
    """
    copy = Network(network.config, tuple(network.heads), dtype="float32")
    theirs = weights_by_name(network)
    for name, weight in weights_by_name(copy).items():
        weight.assign(keras.ops.copy(theirs[name]))
    return copy


def learn_here(
    network: Network,
    examples: Sequence[ClozeExample],
    how: ClozeLearning,
    max_seconds: float,
) -> Generator[Taught, None, None]:
    """Teach a copy of a network in this process; the last look holds the copy.

    Args:
        network: Only read.
        examples: At least one.
        how: Rates and sizes.
        max_seconds: When to stop before all steps are made.
    """
    started = time.monotonic()
    copy = copy_network(network)
    losses: tuple[float, ...] = ()
    for loss in learn(copy, examples, how):
        losses = (*losses, loss)
        is_late = time.monotonic() - started > max_seconds
        if len(losses) == how.num_steps or is_late:
            break
        yield Taught(losses)
    yield Taught(losses, copy)


def learn(
    copy: Network, examples: Sequence[ClozeExample], how: ClozeLearning
) -> Iterator[float]:
    """Train a network, yielding the loss of every step in nats.

    The rate rises over a tenth of the steps and falls to zero. The loss is the
    blanks' plus that of the hidden plain tokens (kexue.fm/archives/7764).

    Args:
        copy: Changed in place.
        examples: At least one.
        how: Rates and sizes.
    """
    rng = np.random.default_rng(how.seed)
    model = ClozeObjective(copy)
    warmup = max(1, how.num_steps // 10)
    last = max(how.num_steps, warmup + 1)
    rate = WarmupStableDecay(how.learning_rate, warmup, warmup, last, lowest=0.0)
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=0.01, global_clipnorm=1.0),
        loss=weighted_mean,
        jit_compile=keras.backend.backend() == "jax",
    )
    order = np.empty(0, "int64")
    shape = shape_of(examples, how, copy.config.max_position_embeddings)
    for _ in range(how.num_steps):
        if len(order) < how.batch_size:
            order = np.concatenate([order, rng.permutation(len(examples))])
        chosen, order = order[: how.batch_size], order[how.batch_size :]
        inputs, weights = collate([examples[i] for i in chosen], how, rng, shape)
        with warnings.catch_warnings():  # heads and embeddings that a cloze leaves out
            warnings.filterwarnings("ignore", "Gradients do not exist")
            loss = model.train_on_batch(inputs, weights)
        yield float(np.asarray(loss))


def shape_of(
    examples: Sequence[ClozeExample], how: ClozeLearning, num_positions: int
) -> tuple[int, int]:
    """Return (length, places) that hold any example: one shape is compiled once.

    Args:
        examples: At least one.
        how: Rates and sizes.
        num_positions: Of the network; no row is padded beyond them.
    """
    length = max(len(one.token_ids) for one in examples)
    places = max(
        len(one.places) + int(how.mask_rate * len(one.plain)) for one in examples
    )
    padded = min(_rounded(length, LENGTH_STEP), max(num_positions, length))
    return padded, _rounded(places, PLACES_STEP)


def _rounded(size: int, step: int) -> int:
    return -(-size // step) * step


def collate(
    examples: Sequence[ClozeExample],
    how: ClozeLearning,
    rng: np.random.Generator,
    shape: tuple[int, int],
) -> tuple[dict[str, npt.NDArray[np.generic]], npt.NDArray[np.float32]]:
    """Pad examples to a shape and hide some of their plain tokens."""
    hidden = [
        np.sort(rng.permutation(one.plain)[: int(how.mask_rate * len(one.plain))])
        for one in examples
    ]
    count = len(examples)
    length, most = shape
    ids, places, targets = (
        np.zeros((count, size), "int32") for size in (length, most, most)
    )
    mask = np.zeros((count, length), "bool")
    weights = np.zeros((count, most), "float32")
    for row, (one, extra) in enumerate(zip(examples, hidden, strict=True)):
        ids[row, : len(one.token_ids)] = one.token_ids
        mask[row, : len(one.token_ids)] = True
        blanks, size = len(one.places), len(one.places) + len(extra)
        places[row, :size] = np.concatenate([one.places, extra])
        targets[row, :size] = np.concatenate([one.targets, one.token_ids[extra]])
        ids[row, extra] = how.mask_id
        # an example's blanks weigh 1 together, as do its hidden tokens
        weights[row, :blanks] = 1.0 / blanks
        weights[row, blanks:size] = 1.0 / max(1, len(extra))
    inputs: dict[str, npt.NDArray[np.generic]] = {
        "token_ids": ids,
        "segment_ids": np.zeros_like(ids),
        "padding_mask": mask,
        "places": places,
        "targets": targets,
    }
    return inputs, weights.reshape(-1)
