"""The loop: batches in, steps, a curve, snapshots; resumes where it stopped.

Changes when the way of running changes. Knows no objective and no text.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from model_core.models.network import Network, weights_by_name
from model_core.training.objective import (
    MixedBatch,
    MixedMaskModel,
    weighted_cross_entropy,
)
from model_core.training.snapshot import has_snapshot, load_snapshot, save_snapshot

Report = Callable[[dict[str, float]], None]


@dataclass
class Progress:
    """Where a run stands: what a snapshot remembers besides arrays.

    Attributes:
        step: Optimizer steps made.
        tokens: Tokens read.
        seconds: Time spent training.
        curve: One row per report: step, tokens, seconds, loss in nats.
        device: Where the steps ran, each once.
    """

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    curve: list[list[float]] = field(default_factory=list)
    device: list[str] = field(default_factory=list)


class Trainer:
    """Trains a network on mixed batches, resumably.

    Args:
        network: What to train; its weights are the result.
        optimizer: Any Keras optimizer.
        folder: Where the snapshot lives; an existing one is continued.
    """

    def __init__(
        self, network: Network, optimizer: keras.optimizers.Optimizer, folder: Path
    ) -> None:
        self.network = network
        self.folder = folder
        self.progress = Progress()
        self.model = MixedMaskModel(network)
        self.model.compile(
            optimizer=optimizer,
            loss=weighted_cross_entropy,
            jit_compile=keras.backend.backend() == "jax",
        )
        optimizer.build(self.model.trainable_variables)
        if has_snapshot(folder):
            self._restore()

    def run(
        self,
        batches: Iterator[MixedBatch],
        *,
        until_step: int,
        until_seconds: float = float("inf"),
        report: Report,
        report_every: int = 50,
        save_every_seconds: float = 300.0,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Make steps until a step number or a time is reached; then save.

        Args:
            batches: Batches from the present step on.
            until_step: Stop when this many steps were made in all.
            until_seconds: Stop after this many seconds of this call.
            report: Receives step, tokens, seconds, loss, tokens_per_second.
            report_every: Steps between reports.
            save_every_seconds: Time between snapshots.
            stopped: Asked after every step; True ends the run, saved.
        """
        started = saved = told = time.monotonic()
        losses: list[float] = []
        while self.progress.step < until_step:
            losses.append(self._step(next(batches)))
            now = time.monotonic()
            if self.progress.step % report_every == 0:
                self._report(losses, now - told, report)
                losses, told = [], now
            if now - saved > save_every_seconds:
                self.save()
                saved = time.monotonic()
            if stopped() or now - started > until_seconds:
                break
        self.save()

    def save(self) -> None:
        """Write the snapshot."""
        arrays = {
            f"weights/{name}": keras.ops.convert_to_numpy(weight)
            for name, weight in weights_by_name(self.network).items()
        }
        for index, variable in enumerate(self.model.optimizer.variables):
            arrays[f"optimizer/{index}"] = keras.ops.convert_to_numpy(variable)
        save_snapshot(self.folder, arrays, vars(self.progress))

    def _step(self, batch: MixedBatch) -> float:
        started = time.monotonic()
        loss = self.model.train_on_batch(
            batch.inputs(), batch.targets, sample_weight=batch.weights
        )
        self.progress.step += 1
        self.progress.tokens += batch.token_ids.size
        self.progress.seconds += time.monotonic() - started
        # The model averages over all places; fillers weigh nothing.
        return float(np.asarray(loss)) * len(batch.weights) / float(batch.weights.sum())

    def _report(self, losses: list[float], seconds: float, report: Report) -> None:
        progress = self.progress
        loss = float(np.mean(losses))
        progress.curve.append(
            [progress.step, progress.tokens, round(progress.seconds, 1), round(loss, 4)]
        )
        report(
            {
                "step": progress.step,
                "tokens": progress.tokens,
                "seconds": progress.seconds,
                "loss": loss,
                "steps_per_second": len(losses) / seconds,
            }
        )

    def _restore(self) -> None:
        arrays, facts = load_snapshot(self.folder)
        self.progress = Progress(**facts)
        for name, weight in weights_by_name(self.network).items():
            weight.assign(arrays[f"weights/{name}"])
        for index, variable in enumerate(self.model.optimizer.variables):
            variable.assign(arrays[f"optimizer/{index}"].astype(_dtype(variable)))


def _dtype(variable: Any) -> str:
    return str(keras.backend.standardize_dtype(variable.dtype))
