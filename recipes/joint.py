"""The joint training of all plays: which lessons, how often, with which options.

Changes when another mixture or schedule is tried.
"""

import json
import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from model_core.config import TransformerConfig
from model_core.interfaces import Relation
from model_core.models.network import Network, weights_by_name
from model_core.roles.formats import Formats
from model_core.roles.parts import Parts
from model_core.tokenizers.load import load_tokenizer
from model_core.tokenizers.word_marks import NUM_MARKS, WORD_MARKS
from model_core.training.objectives import Batch, Tricks
from model_core.training.objectives.writing import COPY_WEIGHT
from model_core.training.snapshot import has_snapshot, load_facts
from model_core.training.trainer import Trainer
from recipes import beginning, encoding, packing, pretraining, vocabulary
from recipes.lessons import (
    documents,
    extracting,
    facts,
    judging,
    pointing,
    reading,
    rewriting,
    styled,
)
from recipes.pretraining import Leg, PlainText
from recipes.task_corpus import LESSONS

HEADS = (
    "language_model",
    "source_prior",
    "span",
    "copy",
    "clauses",
    "half_pointer",
    "gplinker",
)
# Heads learn by Adam: their kernels are few and start from nothing.
HEAD_PATTERNS = ["span", "copy", "clauses", "half_pointer", "gplinker", "condition"]

# The parts of the plays; of the ways to read, the best first.
PARTS = (
    "generation", "title", "summary", "span", "cloze", "reading", "facts", "pointing",
    "clauses", "words",
)  # fmt: skip
BLANK_STYLE = "[短文]"
CONDITIONS = ("正面", "负面")

# How often a step is one of these. Chosen by tokens at hand and by what is hardest.
SHARES = {
    "language": 0.08,
    "styled": 0.02,
    "judged": 0.06,
    "title": 0.26,
    "summary": 0.05,
    "answer": 0.12,
    "cloze": 0.17,
    "triples": 0.24,
    "facts": 0.02,
    "extract": 0.02,
}
# Sources are shorter than a page may send: more examples for the same hours.
SOURCE_ROOM, TITLE_ROOM, QUESTION_ROOM = 176, 40, 168
SUMMARY_ROOM = 192  # with SUMMARY_TARGET a row of 384, and no more
FACT_ROOM = 56  # no question to a base is longer
HIDDEN_WEIGHT = 0.3  # of a hidden token's loss, beside 1 for a target's
CLOZE_ROWS = 0.375  # of a batch of plain text: blanks are filled by it alone
SUMMARY_TARGET, ANSWER_TARGET, KEY_TARGET = 190, 48, 48

# What decides which variables an optimizer has: the same from a run's begin to its end.
FIXED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "--average": lambda told: "on" if told["options"]["average"] > 0 else "off",
    "--accumulate": lambda told: "on" if told["options"]["accumulate"] > 1 else "off",
    "--freeze": lambda told: " ".join(told["frozen"]) or "off",
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """Tricks that may be switched.

    Attributes:
        noise: Disturbs targets of titles, summaries and keys.
        hide: Share of a source's tokens that are hidden and asked for as well.
        clip: Largest norm of a step's gradient. Small on purpose: every task then
            pulls with the same strength, however small its loss.
        average: Momentum of the running means of the weights; 0 keeps none.
        accumulate: Steps whose gradients are added before the optimizer moves.
        tricks: Adversarial steps and the sparse softmax.
        frozen: What weights begin with that do not learn, e.g. ``token_embedding``.
        dropout: Rate inside the body.
        plain: What a batch of plain text is made of.
    """

    noise: rewriting.Noise = field(default_factory=rewriting.Noise)
    hide: float = 0.1
    clip: float = 0.1
    average: float = 0.0
    accumulate: int = 1
    tricks: Tricks = field(default_factory=Tricks)
    frozen: tuple[str, ...] = ()
    dropout: float = 0.0
    plain: PlainText = field(default_factory=lambda: PlainText(cloze_rows=CLOZE_ROWS))


def settings_of(options: Options, shares: dict[str, float]) -> dict[str, Any]:
    """Return shares, options as figures, and what is frozen.

    For the snapshot, and the first two for the model card.
    """
    return {
        "shares": shares,
        "frozen": sorted(options.frozen),
        "options": {
            "swapped_share": options.noise.swapped_share,
            "swap_rate": options.noise.swap_rate,
            "hide": options.hide,
            "hidden_weight": HIDDEN_WEIGHT,
            "copy_weight": COPY_WEIGHT,
            "clip": options.clip,
            "average": options.average,
            "accumulate": options.accumulate,
            "adversarial": options.tricks.adversarial,
            "sparse_top_k": options.tricks.sparse_top_k,
            "dropout": options.dropout,
            "cloze_rows": options.plain.cloze_rows,
            "prefix_rows": options.plain.prefix_rows,
            "whole_words": options.plain.whole_words,
            "spans": options.plain.spans,
            "sentences": options.plain.sentences,
            "gap_rows": options.plain.gap_rows,
            **{f"plain_{n}": share for n, share in options.plain.sources.items()},
            "source_room": SOURCE_ROOM,
            "summary_room": SUMMARY_ROOM,
            "question_room": QUESTION_ROOM,
        },
    }


def check_continued(run: Path, settings: Mapping[str, Any]) -> None:
    """Refuse what would give a run's optimizer other variables than it has.

    Raises:
        SystemExit: Says what the run was begun with.
    """
    before = {**settings, **load_facts(run).get("settings", {})}
    for option, state in FIXED.items():
        if state(before) != state(settings):
            raise SystemExit(
                f"{run} was begun with {option} {state(before)}, it cannot go on with "
                f"{state(settings)}: begin another run with --start {run}"
            )


def joint_config(base: TransformerConfig, num_relations: int) -> TransformerConfig:
    """Return the core's config with marks, conditions and relations."""
    return TransformerConfig(
        **{
            **base.to_dict(),
            "mark_vocab_size": NUM_MARKS,
            "num_conditions": len(CONDITIONS),
            "num_relations": num_relations,
        }
    )


def relations_of(corpus: Path) -> tuple[Relation, ...]:
    """Read the relations that the task corpus was encoded with."""
    rows = json.loads((corpus / "relations.json").read_text(encoding="utf8"))
    return tuple(Relation(**row) for row in rows)


def parts_of(corpus: Path) -> Parts:
    """Return what a joint run is trained to play."""
    return Parts(
        names=PARTS,
        relations=relations_of(corpus),
        word_marks=True,
        conditions=CONDITIONS,
        blank_style=BLANK_STYLE,
        source_tokens={"title": SOURCE_ROOM},
    )


def streams(
    corpus: Path, leg: Leg, options: Options, seed: int
) -> dict[str, Iterator[Batch]]:
    """Return one endless stream of batches per task.

    Args:
        corpus: Encoded documents and lessons.
        leg: Row length and rows of a batch.
        options: What disturbs the targets.
        seed: Another seed, another order.
    """
    formats = Formats(load_tokenizer(corpus), WORD_MARKS)
    lessons = corpus / LESSONS
    rngs = iter(np.random.default_rng(seed).spawn(16))
    shape = shape_of(leg)
    shapes = {
        "summary": shape_of(leg, SUMMARY_ROOM, SUMMARY_TARGET, options.hide),
        "facts": shape_of(leg, FACT_ROOM, KEY_TARGET, options.hide),
    }
    noise = options.noise
    written = {
        "title": rewriting.documents(
            lessons / "title.npz", "title", rng=next(rngs), room=SOURCE_ROOM,
            longest_target=TITLE_ROOM, formats=formats, noise=noise,
        ),
        "summary": rewriting.documents(
            lessons / "summary.npz", "summary", rng=next(rngs), room=SUMMARY_ROOM,
            longest_target=SUMMARY_TARGET, formats=formats, noise=noise,
        ),
        "facts": facts.documents(
            lessons / "facts.npz", formats, next(rngs), longest=KEY_TARGET, noise=noise
        ),
        "answer": reading.documents(
            reading.asked(lessons / "qa.npz", next(rngs), room=QUESTION_ROOM),
            formats,
            longest_answer=ANSWER_TARGET,
        ),
        "judged": judging.documents(lessons / "judged.npz", next(rngs)),
    }  # fmt: skip
    tokens = (corpus / "vocab.txt").read_text(encoding="utf8").split("\n")
    mask_id, first_plain = tokens.index("[MASK]"), len(vocabulary.MARKS)
    hiding = documents.Hiding(options.hide, mask_id, first_plain)
    made: dict[str, Iterator[Batch]] = {
        task: _written(task, _hidden(rows, hiding, next(rngs)), shapes.get(task, shape))
        for task, rows in written.items()
    }
    questions = reading.asked(lessons / "qa.npz", next(rngs), room=QUESTION_ROOM)
    made["cloze"] = reading.batches(questions, formats, shape)
    made["triples"] = pointing.batches(
        lessons / "triples.npz", len(relations_of(corpus)), formats, next(rngs),
        rows=leg.rows * leg.length // 128, longest=192,
    )  # fmt: skip
    made["extract"] = extracting.batches(lessons / "extract.npz", formats, next(rngs))
    made["styled"] = styled.batches(lessons / "styled.npz", next(rngs), shape)
    made["language"] = language_batches(corpus, leg, seed, options.plain)
    return made


def shape_of(
    leg: Leg, room: int = 0, longest_target: int = 0, hide: float = 0.0
) -> documents.Shape:
    """Return the sizes of a task's batches: losses for its densest documents.

    Args:
        leg: Row length and rows of a batch.
        room: Most tokens of a source; of those with a long target few are shorter than
            ``rewriting.LEAST_KEPT`` of it.
        longest_target: Most tokens of a target; a quarter of the tokens, the least that
            a batch has losses for, is enough where sources are much longer.
        hide: Share of a source's tokens that are hidden and asked for.
    """
    tokens, source = leg.rows * leg.length, int(rewriting.LEAST_KEPT * room)
    dense = (longest_target + hide * source) / max(1, source + longest_target)
    return documents.Shape(
        leg.rows, leg.length, max(tokens // 4, int(tokens * dense)), 128
    )


def language_batches(
    corpus: Path, leg: Leg, seed: int, plain: PlainText
) -> Iterator[Batch]:
    """Yield the batches of pretraining."""
    parts = leg.parts(plain)
    names = sorted({name for part in parts for name in part.shares})
    tokens = (corpus / "vocab.txt").read_text(encoding="utf8").split("\n")[:-1]
    return packing.mixed_batches(
        parts,
        {name: encoding.load(f"{name}-train", corpus) for name in names},
        pretraining.special_ids(tokens),
        length=leg.length,
        seed=seed,
        losses_per_batch=leg.num_losses(parts),
    )


def mixed(
    made: dict[str, Iterator[Batch]], shares: dict[str, float], seed: int
) -> Iterator[Batch]:
    """Yield batches of one task each, as often as their shares say.

    The task furthest behind its share comes next, so that any stretch holds the
    mixture; ties and the start are drawn.
    """
    rng = np.random.default_rng(seed)
    names = [name for name in made if shares.get(name, 0) > 0]
    wanted = np.asarray([shares[name] for name in names])
    wanted = wanted / wanted.sum()
    behind = rng.random(len(names)) * wanted
    while True:
        behind += wanted
        choice = int(np.argmax(behind))
        behind[choice] -= 1.0
        yield next(made[names[choice]])


def optimizer_of(
    options: Options, rate: float | keras.optimizers.schedules.LearningRateSchedule
) -> keras.optimizers.Optimizer:
    """Return Muon for the body, AdamW inside it for what is no matrix of the body."""
    return keras.optimizers.Muon(
        rate,
        exclude_layers=HEAD_PATTERNS,
        global_clipnorm=options.clip,
        use_ema=options.average > 0,
        ema_momentum=options.average or 0.999,
        gradient_accumulation_steps=(
            options.accumulate if options.accumulate > 1 else None
        ),
    )


def train_leg(
    corpus: Path,
    run: Path,
    start: Path | None,
    config: TransformerConfig,
    leg: Leg,
    options: Options,
    shares: dict[str, float],
    stopped: Callable[[], bool] | None = None,
) -> Trainer:
    """Start a joint run, or continue the one there, for one leg.

    Args:
        corpus: Encoded documents and lessons.
        run: Where the run's snapshot lives.
        start: A run, or an exported folder, whose weights a new run begins with.
        config: Of the core, without marks and relations.
        leg: Its sizes and its schedule.
        options: Tricks.
        shares: How often each task comes.
        stopped: Asked after every step; None listens to SIGTERM and SIGINT.
    """
    settings = settings_of(options, shares)
    if has_snapshot(run):
        check_continued(run, settings)
    keras.utils.set_random_seed(0)
    config = replace(config, dropout=options.dropout, attention_dropout=options.dropout)
    network = Network(joint_config(config, len(relations_of(corpus))), HEADS)
    freeze(network, options.frozen)
    begun = None
    if start is not None and not has_snapshot(run):
        begun = beginning.read(start, corpus)
        logger.info("fresh: %s", " ".join(begun.fill(network)))
    optimizer = optimizer_of(options, leg.schedule())
    trainer = Trainer(network, optimizer, run, options.tricks)
    trainer.progress.device.append(keras.backend.backend())
    if start is not None and not trainer.progress.before:
        trainer.progress.before = (begun or beginning.read(start, corpus)).runs
    trainer.progress.settings = settings
    seed = trainer.progress.all_steps  # those behind it: no leg reads the same again
    logger.info("options %s shares %s", asdict(options), shares)
    trainer.run(
        mixed(streams(corpus, leg, options, seed), shares, seed),
        until_step=leg.until_step,
        until_seconds=leg.minutes * 60,
        stopped=stopped or _signals(),
        report=lambda row: logger.info(
            " ".join(f"{key}={value:.4g}" for key, value in row.items())
        ),
    )
    return trainer


def freeze(network: Network, prefixes: tuple[str, ...]) -> None:
    """Keep weights as they are.

    Raises:
        ValueError: No weight's name begins with a prefix.
    """
    for prefix in prefixes:
        names = [n for n in weights_by_name(network) if n.startswith(prefix)]
        if not names:
            raise ValueError(f"no weight begins with {prefix!r}")
        for name in names:
            weights_by_name(network)[name].trainable = False


def _written(
    task: str, rows: Iterator[documents.Document], shape: documents.Shape
) -> Iterator[Batch]:
    for packed in documents.packed(rows, shape):
        yield documents.collate(
            task, packed, shape, with_sources=True, hidden_weight=HIDDEN_WEIGHT
        )


def _hidden(
    rows: Iterator[documents.Document],
    how: documents.Hiding,
    rng: np.random.Generator,
) -> Iterator[documents.Document]:
    return (documents.hidden(row, how, rng) for row in rows)


def _signals() -> Callable[[], bool]:
    received: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _: received.append(got))
    return lambda: bool(received)
