"""The embedded core's size, mixture and schedule, and one leg of its training.

Changes when another size or mixture is tried.
"""

import logging
import signal
from dataclasses import dataclass
from pathlib import Path

import keras

from model_core.config import TransformerConfig
from model_core.models.network import Network
from model_core.training.schedules import WarmupStableDecay
from model_core.training.trainer import Trainer
from recipes import encoding, packing, vocabulary

HEADS = ("language_model",)
CAUSAL_SHARES = {"modern": 0.5, "novels": 0.15, "poems": 0.35}
CLOZE_SHARES = {"modern": 0.5, "novels": 0.1, "poems": 0.1, "news": 0.3}
CAUSAL_ROWS, PREFIX_ROWS, CLOZE_ROWS = 0.75, 0.125, 0.125

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Leg:
    """One stretch of a run; the next leg may read longer rows.

    Attributes:
        length: Tokens per row.
        rows: Rows per batch.
        until_step: The run's step at which the leg ends.
        minutes: Time limit of the leg.
        peak_rate: Learning rate of the stable middle.
        warmup_steps: Steps of the rise at the run's start.
        decay_from: Step at which the rate begins to fall; None keeps it.
    """

    length: int = 256
    rows: int = 16
    until_step: int = 100_000
    minutes: float = float("inf")
    peak_rate: float = 3e-3
    warmup_steps: int = 100
    decay_from: int | None = None

    def schedule(self) -> WarmupStableDecay:
        """Return the learning rates of this leg."""
        stable = self.decay_from is None
        start = self.until_step if self.decay_from is None else self.decay_from
        end = self.until_step + (1 if stable else 0)
        warmup = max(1, min(self.warmup_steps, start))  # a short try warms up shortly
        return WarmupStableDecay(self.peak_rate, warmup, start, end)

    def parts(self, cloze_rows: float = CLOZE_ROWS) -> tuple[packing.Part, ...]:
        """Return the rows of every batch by kind, so many of them a cloze."""
        cloze = max(1, round(self.rows * cloze_rows))
        prefix = max(1, round(self.rows * PREFIX_ROWS))
        causal = self.rows - cloze - prefix
        return (
            packing.Part("causal", CAUSAL_SHARES, causal),
            packing.Part("prefix", CAUSAL_SHARES, prefix),
            packing.Part("cloze", CLOZE_SHARES, cloze),
        )


def core_config(
    hidden_size: int = 256, num_hidden_layers: int = 6, max_positions: int = 512
) -> TransformerConfig:
    """Return the embedded core: pre-norm, rotary, two segments, heads of 64."""
    return TransformerConfig(
        vocab_size=vocabulary.VOCABULARY_SIZE,
        hidden_size=hidden_size,
        num_hidden_layers=num_hidden_layers,
        num_attention_heads=hidden_size // 64,
        intermediate_size=4 * hidden_size,
        max_position_embeddings=max_positions,
        type_vocab_size=2,
        hidden_act="gelu_new",
        layer_norm_eps=1e-5,
        norm_placement="pre",
        embedding_norm=False,
        final_norm=True,
        position_kind="rotary",
    )


def special_ids(tokens: list[str]) -> packing.SpecialIds:
    """Find the marks that packing must know."""
    return packing.SpecialIds(
        cls=tokens.index("[CLS]"),
        sep=tokens.index("[SEP]"),
        mask=tokens.index("[MASK]"),
        first_plain=len(vocabulary.MARKS),
        vocab_size=len(tokens),
    )


def train_leg(corpus: Path, run: Path, config: TransformerConfig, leg: Leg) -> Trainer:
    """Start a run in ``run``, or continue the one there, for one leg.

    SIGTERM and SIGINT end the leg after the step in progress; it is saved.
    """
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: signals.append(received))
    tokens = (corpus / "vocab.txt").read_text(encoding="utf8").split("\n")[:-1]
    trainer = Trainer(
        Network(config, HEADS), keras.optimizers.Muon(leg.schedule()), run
    )
    trainer.progress.device.append(keras.backend.backend())
    parts = leg.parts()
    names = {name for part in parts for name in part.shares}
    batches = packing.mixed_batches(
        parts,
        {name: encoding.load(f"{name}-train", corpus) for name in sorted(names)},
        special_ids(tokens),
        length=leg.length,
        seed=trainer.progress.step,
        losses_per_batch=int(leg.rows * leg.length * 0.86),
    )
    trainer.run(
        batches,
        until_step=leg.until_step,
        until_seconds=leg.minutes * 60,
        stopped=lambda: bool(signals),
        report=lambda row: logger.info(
            " ".join(f"{k}={v:.4g}" for k, v in row.items())
        ),
    )
    return trainer
