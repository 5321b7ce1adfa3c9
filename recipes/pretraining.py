"""The embedded core's size, mixture and schedule, and one leg of its training.

Changes when another size or mixture is tried.
"""

import logging
import signal
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras

from model_core.config import TransformerConfig
from model_core.models.network import Network
from model_core.roles.formats import REWRITING
from model_core.training.schedules import WarmupStableDecay
from model_core.training.trainer import Trainer
from recipes import cutting, encoding, packing, rows, vocabulary

HEADS = ("language_model",)
CAUSAL_SHARES = {"modern": 0.5, "novels": 0.15, "poems": 0.35}
CLOZE_SHARES = {"modern": 0.5, "novels": 0.1, "poems": 0.1, "news": 0.3}
GAP_SHARES = {"modern": 0.6, "news": 0.4}  # verse and old novels are not summed up
NEVER_FREE = "news"  # free writing must not invent what is said of the living
PREFIX_ROWS, CLOZE_ROWS = 0.125, 0.125
# Of a row's tokens, those with a loss, at most; a batch holds so many in all.
LOSSES = {"causal": 1.0, "prefix": 0.6, "cloze": 0.16, "gap": 0.3}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlainText:
    """What a batch of plain text is made of.

    The last four are off, so that a run goes on with the batches it began with; a new
    one does well to take 1, 0.3, 0.4 and 0.125.

    Attributes:
        prefix_rows: Share of its rows that are read up to a place and written from
            there on.
        cloze_rows: Share of its rows that have blanks to fill; the rest is causal.
        sources: How often each source is drawn, but for the cloze and the gaps.
        whole_words: Share of the cloze rows whose blanks are whole words.
        spans: Share of the prefix rows whose target are spans out of the text.
        sentences: Share of the prefix rows whose target begins with a sentence.
        gap_rows: Share of the rows whose target are the sentences that stand for the
            text, laid out as titles and summaries are.
    """

    prefix_rows: float = PREFIX_ROWS
    cloze_rows: float = CLOZE_ROWS
    sources: Mapping[str, float] = field(default_factory=lambda: dict(CAUSAL_SHARES))
    whole_words: float = 0.0
    spans: float = 0.0
    sentences: float = 0.0
    gap_rows: float = 0.0

    def __post_init__(self) -> None:
        """Check the shares.

        Raises:
            ValueError: They are no shares, or news would be written freely.
        """
        for name, told in {
            "whole_words": [self.whole_words],
            "spans and sentences": [self.spans, self.sentences],
            "prefix_rows, cloze_rows and gap_rows": [
                self.prefix_rows,
                self.cloze_rows,
                self.gap_rows,
            ],
        }.items():
            if min(told) < 0 or sum(told) > 1:
                raise ValueError(
                    f"{name}: expected shares of one whole, received "
                    + ", ".join(f"{share:g}" for share in told)
                )
        if self.sources.get(NEVER_FREE):
            raise ValueError(
                f"sources: expected some of {', '.join(CAUSAL_SHARES)}, received "
                f"{NEVER_FREE}: it has blanks to fill and gaps only"
            )


PLAIN_TEXT = PlainText()


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

    def parts(self, plain: PlainText = PLAIN_TEXT) -> tuple[packing.Part, ...]:
        """Return the rows of every batch of plain text by kind."""
        cloze = _rows(self.rows, plain.cloze_rows)
        prefix = _rows(self.rows, plain.prefix_rows)
        gap = _rows(self.rows, plain.gap_rows)
        sources = dict(plain.sources)
        halves = _drawn(span=plain.spans, sentence=plain.sentences)
        words = _drawn(word_cloze=plain.whole_words)
        parts = (
            packing.Part("causal", sources, self.rows - cloze - prefix - gap),
            packing.Part("prefix", sources, prefix, halves),
            packing.Part("cloze", CLOZE_SHARES, cloze, words),
            packing.Part("gap", GAP_SHARES, gap),
        )
        return tuple(part for part in parts if part.rows > 0)

    def num_losses(self, parts: tuple[packing.Part, ...]) -> int:
        """Return how many tokens of a batch have a loss, at most."""
        return int(self.length * sum(LOSSES[part.kind] * part.rows for part in parts))


def _rows(rows: int, share: float) -> int:
    """Return a share of a batch's rows: none, or one at least."""
    return max(1, round(rows * share)) if share else 0


def _drawn(**shares: float) -> dict[str, float]:
    """Return the kinds that come at all."""
    return {kind: share for kind, share in shares.items() if share}


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


def special_ids(tokens: list[str]) -> rows.SpecialIds:
    """Find the tokens that rows must know."""
    return rows.SpecialIds(
        cls=tokens.index("[CLS]"),
        sep=tokens.index("[SEP]"),
        mask=tokens.index("[MASK]"),
        first_plain=len(vocabulary.MARKS),
        vocab_size=len(tokens),
        newline=tokens.index(vocabulary.NEWLINE),
        blank=tokens.index("[空格]"),
        title=tokens.index(REWRITING["title"]),
        summary=tokens.index(REWRITING["summary"]),
        sentence_ends=_those_in(tokens, cutting.SENTENCE_MARKS),
        closers=_those_in(tokens, cutting.CLOSING_MARKS),
    )


def _those_in(tokens: list[str], characters: Iterable[str]) -> tuple[int, ...]:
    return tuple(tokens.index(one) for one in characters if one in tokens)


def train_leg(
    corpus: Path,
    run: Path,
    config: TransformerConfig,
    leg: Leg,
    plain: PlainText = PLAIN_TEXT,
) -> Trainer:
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
    trainer.progress.settings = {"plain": asdict(plain)}
    parts = leg.parts(plain)
    names = {name for part in parts for name in part.shares}
    batches = packing.mixed_batches(
        parts,
        {name: encoding.load(f"{name}-train", corpus) for name in sorted(names)},
        special_ids(tokens),
        length=leg.length,
        seed=trainer.progress.all_steps,
        losses_per_batch=leg.num_losses(parts),
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
