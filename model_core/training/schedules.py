"""Learning rates over the steps of a run."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="maskplay")
class WarmupStableDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rise linearly, stay, fall linearly to a share of the peak (arXiv 2405.18392).

    A stable middle lets a run be extended: only its last leg decays.

    Args:
        peak: The highest rate.
        warmup_steps: Steps of the rise.
        decay_start: Step at which the fall begins.
        total_steps: Step at which the lowest rate is reached.
        lowest: That rate's share of the peak.
    """

    def __init__(
        self,
        peak: float,
        warmup_steps: int,
        decay_start: int,
        total_steps: int,
        lowest: float = 0.1,
    ) -> None:
        super().__init__()
        if not 0 < warmup_steps <= decay_start < total_steps:
            raise ValueError(
                "expected 0 < warmup_steps <= decay_start < total_steps, received "
                f"{warmup_steps}, {decay_start}, {total_steps}"
            )
        self.peak = peak
        self.warmup_steps = warmup_steps
        self.decay_start = decay_start
        self.total_steps = total_steps
        self.lowest = lowest

    def __call__(self, step: Any) -> Any:
        """Return the rate at a step, float32."""
        step = ops.cast(step, "float32")
        rise = ops.minimum((step + 1.0) / self.warmup_steps, 1.0)
        past = (step - self.decay_start) / (self.total_steps - self.decay_start)
        fall = (1.0 - self.lowest) * ops.clip(past, 0.0, 1.0)
        return self.peak * rise * (1.0 - fall)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "decay_start": self.decay_start,
            "total_steps": self.total_steps,
            "lowest": self.lowest,
        }
