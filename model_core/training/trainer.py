"""The loop: batches in, steps, a curve, snapshots; resumes where it stopped.

Changes when the way of running changes. Knows no objective and no text.
"""

import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from model_core.models.network import Network, weights_by_name
from model_core.training.lineage import total
from model_core.training.objectives import (
    OBJECTIVES,
    Batch,
    Objective,
    Tricks,
    weighted_mean,
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
        device: Where the steps ran, a name per leg.
        before: The runs that its first weights went through, the oldest first, as
            ``model_core.training.lineage`` tells them.
        settings: How its last leg was asked to learn, in the recipe's own names.
    """

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    curve: list[list[float]] = field(default_factory=list)
    device: list[str] = field(default_factory=list)
    before: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def all_steps(self) -> int:
        """Steps that the weights went through, in the runs before this one as well."""
        return self.step + int(total(self.before)["step"])


class Trainer:
    """Trains a network on batches of any objectives, resumably, with one optimizer.

    Args:
        network: What to train; its weights are the result.
        optimizer: Any Keras optimizer.
        folder: Where the snapshot lives; an existing one is continued.
        tricks: What objectives do besides; None for nothing.
    """

    def __init__(
        self,
        network: Network,
        optimizer: keras.optimizers.Optimizer,
        folder: Path,
        tricks: Tricks | None = None,
    ) -> None:
        self.tricks = tricks
        self.network = network
        self.folder = folder
        self.progress = Progress()
        self.optimizer = optimizer
        self._models: dict[tuple[str, Tricks | None], Objective] = {}
        optimizer.build(network.trainable_variables)
        if has_snapshot(folder):
            self._restore()

    def run(
        self,
        batches: Iterator[Batch],
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
            report: Receives step, tokens, seconds, loss, steps_per_second and each
                task's own loss under its name.
            report_every: Steps between reports.
            save_every_seconds: Time between snapshots.
            stopped: Asked after every step; True ends the run, saved.
        """
        started = saved = told = time.monotonic()
        losses: dict[str, list[float]] = defaultdict(list)
        while self.progress.step < until_step:
            batch = next(batches)
            losses[batch.task].append(self._step(batch))
            now = time.monotonic()
            if self.progress.step % report_every == 0:
                self._report(losses, now - told, report)
                told = now
                losses.clear()
            if now - saved > save_every_seconds:
                self.save()
                saved = time.monotonic()
            if stopped() or now - started > until_seconds:
                break
        self.save()

    def loss(self, batch: Batch) -> float:
        """Return a batch's loss without learning from it, and without its tricks."""
        model = self._model(batch.objective, None)
        loss = model.test_on_batch(batch.weighted_inputs, batch.weights)
        return float(np.asarray(loss))

    def save(self) -> None:
        """Write the snapshot."""
        arrays = {
            f"weights/{name}": keras.ops.convert_to_numpy(weight)
            for name, weight in weights_by_name(self.network).items()
        }
        arrays |= self._averages()
        for index, variable in enumerate(self.optimizer.variables):
            arrays[f"optimizer/{index}"] = keras.ops.convert_to_numpy(variable)
        save_snapshot(self.folder, arrays, vars(self.progress))

    def _averages(self) -> dict[str, np.ndarray]:
        """Return the running means of the weights, where the optimizer keeps them.

        What does not learn has none: its mean is itself.
        """
        if not self.optimizer.use_ema:
            return {}
        means = self.optimizer._model_variables_moving_average  # noqa: SLF001 - Keras hands them out in no other way
        of_variable = {
            id(variable): mean
            for variable, mean in zip(
                self.network.trainable_variables, means, strict=True
            )
        }
        return {
            f"averaged/{name}": keras.ops.convert_to_numpy(
                of_variable.get(id(weight), weight)
            )
            for name, weight in weights_by_name(self.network).items()
        }

    def _step(self, batch: Batch) -> float:
        started = time.monotonic()
        model = self._model(batch.objective, self.tricks)
        with warnings.catch_warnings():  # heads that an objective does not read
            warnings.filterwarnings("ignore", "Gradients do not exist")
            loss = model.train_on_batch(batch.weighted_inputs, batch.weights)
        self.progress.step += 1
        self.progress.tokens += batch.num_tokens
        self.progress.seconds += time.monotonic() - started
        return float(np.asarray(loss))

    def _model(self, objective: str, tricks: Tricks | None) -> Objective:
        if (objective, tricks) not in self._models:
            model = OBJECTIVES[objective](self.network, tricks)
            model.compile(
                optimizer=self.optimizer,
                loss=weighted_mean,
                jit_compile=keras.backend.backend() == "jax",
            )
            self._models[objective, tricks] = model
        return self._models[objective, tricks]

    def _report(
        self, losses: dict[str, list[float]], seconds: float, report: Report
    ) -> None:
        progress = self.progress
        every = [loss for of_task in losses.values() for loss in of_task]
        loss = float(np.mean(every))
        progress.curve.append(
            [progress.step, progress.tokens, round(progress.seconds, 1), round(loss, 4)]
        )
        report(
            {
                "step": progress.step,
                "tokens": progress.tokens,
                "seconds": progress.seconds,
                "loss": loss,
                "steps_per_second": len(every) / seconds,
                **{task: float(np.mean(values)) for task, values in losses.items()},
            }
        )

    def _restore(self) -> None:
        arrays, facts = load_snapshot(self.folder)
        self.progress = Progress(**facts)
        for name, weight in weights_by_name(self.network).items():
            weight.assign(arrays[f"weights/{name}"])
        for index, variable in enumerate(self.optimizer.variables):
            variable.assign(arrays[f"optimizer/{index}"].astype(_dtype(variable)))


def _dtype(variable: Any) -> str:
    return str(keras.backend.standardize_dtype(variable.dtype))
