"""Measure what a trick of joint training does to each task's loss, switch by switch.

Changes when a trick is added. Every variant starts from the same weights, sees the same
tasks in the same order, and is judged on the same clean batches; a loss with given
targets says nothing of what a trick does to texts that the network writes by itself.
What sources are marked with is switched for learning and judging alike: compare that
from weights that never saw a mark.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from model_core.config import TransformerConfig
from model_core.models.network import Network
from model_core.tokenizers.word_marks import NUM_WORD_MARKS
from model_core.training.objectives import Batch, Tricks
from model_core.training.trainer import Trainer
from recipes import beginning, joint
from recipes.lessons.rewriting import Noise
from recipes.pretraining import Leg

Marks = npt.NDArray[np.int32]
BASE = joint.Options()


def _as_they_are(marks: Marks) -> Marks:
    return marks


def _words_alone(marks: Marks) -> Marks:
    """Forget what a passage shares with its question."""
    return np.where(marks > 0, (marks - 1) % NUM_WORD_MARKS + 1, 0).astype("int32")


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to train.

    Attributes:
        options: Tricks.
        marks: What stands for a source's marks.
    """

    options: joint.Options = BASE
    marks: Callable[[Marks], Marks] = _as_they_are


VARIANTS: Mapping[str, Variant] = {
    "base": Variant(),
    "swap 0": Variant(replace(BASE, noise=Noise(0.0))),
    "hide 0": Variant(replace(BASE, hide=0.0)),
    "average 0.95": Variant(replace(BASE, average=0.95)),
    "accumulate 2": Variant(replace(BASE, accumulate=2)),
    "adversarial 0.3": Variant(replace(BASE, tricks=Tricks(adversarial=0.3))),
    "sparse-top-k 10": Variant(replace(BASE, tricks=Tricks(sparse_top_k=10))),
    "no matches": Variant(marks=_words_alone),
    "no marks": Variant(marks=np.zeros_like),
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
        variant = VARIANTS[name]
        trainer, seconds = _trained(trial, variant)
        losses = {
            task: round(
                statistics.fmean(trainer.loss(_marked(b, variant)) for b in batches), 4
            )
            for task, batches in judged.items()
        }
        yield {"variant": name, "seconds_per_step": round(seconds, 2), **losses}


def _marked(batch: Batch, variant: Variant) -> Batch:
    marks = np.asarray(batch.inputs["mark_ids"])
    return replace(batch, inputs={**batch.inputs, "mark_ids": variant.marks(marks)})


def _trained(trial: Trial, variant: Variant) -> tuple[Trainer, float]:
    options = variant.options
    keras.utils.set_random_seed(0)
    relations = joint.relations_of(trial.corpus)
    network = Network(joint.joint_config(trial.config, len(relations)), joint.HEADS)
    beginning.read(trial.start, trial.corpus).fill(network)
    optimizer = joint.optimizer_of(options, trial.rate)
    streams = joint.streams(trial.corpus, trial.leg, options, ORDER_SEED)
    mixed = joint.mixed(streams, SHARES, ORDER_SEED)
    batches = _timed(_marked(batch, variant) for batch in mixed)
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
