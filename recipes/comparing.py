"""Measure what a trick of joint training does to each task's loss, switch by switch.

Changes when a trick is added. Every variant starts from the same weights, sees the same
tasks in the same order, and is judged on the same clean batches; a loss with given
targets says nothing of what a trick does to texts that the network writes by itself.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import keras

from model_core.config import TransformerConfig
from model_core.models.network import Network
from model_core.training.objectives import Batch, Tricks
from model_core.training.trainer import Trainer
from recipes import beginning, joint
from recipes.lessons.rewriting import Noise
from recipes.pretraining import Leg

BASE = joint.Options()
VARIANTS: Mapping[str, joint.Options] = {
    "base": BASE,
    "swap 0": replace(BASE, noise=Noise(0.0)),
    "hide 0": replace(BASE, hide=0.0),
    "average 0.95": replace(BASE, average=0.95),
    "accumulate 2": replace(BASE, accumulate=2),
    "adversarial 0.3": replace(BASE, tricks=Tricks(adversarial=0.3)),
    "sparse-top-k 10": replace(BASE, tricks=Tricks(sparse_top_k=10)),
}
"""The default, and one switch each."""
SHARES = {"title": 0.34, "cloze": 0.2, "answer": 0.16, "triples": 0.3}
JUDGED_BATCHES = 6  # of every task
ORDER_SEED, JUDGED_SEED = 777, 4242


@dataclass(frozen=True, slots=True)
class Trial:
    """What every variant is given.

    Attributes:
        corpus: Encoded documents and lessons.
        start: The run whose weights they begin with.
        config: Of the core, without marks and relations.
        leg: Sizes of a batch.
        steps: Steps that each makes.
        rate: Learning rate, constant.
    """

    corpus: Path
    start: Path
    config: TransformerConfig
    leg: Leg
    steps: int = 20
    rate: float = 7e-4


def compare(trial: Trial, names: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """Yield each variant's median seconds of a step and each task's mean loss (nats).

    Args:
        trial: What all are given.
        names: Of ``VARIANTS``.
    """
    clean = replace(BASE, noise=Noise(0.0), hide=0.0)
    streams = joint.streams(trial.corpus, trial.leg, clean, JUDGED_SEED)
    judged = {
        task: [next(streams[task]) for _ in range(JUDGED_BATCHES)] for task in SHARES
    }
    for name in names:
        trainer, seconds = _trained(trial, VARIANTS[name])
        losses = {
            task: round(statistics.fmean(map(trainer.loss, batches)), 4)
            for task, batches in judged.items()
        }
        yield {"variant": name, "seconds_per_step": round(seconds, 2), **losses}


def _trained(trial: Trial, options: joint.Options) -> tuple[Trainer, float]:
    keras.utils.set_random_seed(0)
    relations = joint.relations_of(trial.corpus)
    network = Network(joint.joint_config(trial.config, len(relations)), joint.HEADS)
    beginning.read(trial.start, trial.corpus).fill(network)
    optimizer = joint.optimizer_of(options, trial.rate)
    streams = joint.streams(trial.corpus, trial.leg, options, ORDER_SEED)
    batches = _timed(joint.mixed(streams, SHARES, ORDER_SEED))
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(network, optimizer, Path(folder), options.tricks)
        trainer.run(batches, until_step=trial.steps, report=lambda _: None)
    if options.average:
        optimizer.finalize_variable_values(network.trainable_variables)
    return trainer, batches.median_seconds


class _timed(Iterator[Batch]):  # noqa: N801 - reads as a word
    """Notes when each batch is asked for."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches
        self._asked: list[float] = []

    def __next__(self) -> Batch:
        self._asked.append(time.monotonic())
        return next(self._batches)

    @property
    def median_seconds(self) -> float:
        """Between one batch and the next."""
        pairs = zip(self._asked, self._asked[1:], strict=False)
        return statistics.median(later - earlier for earlier, later in pairs)
