"""Commands that make the encoded corpus, train a run, and try tricks on it.

Changes when training takes another option. The work is other files', imported when it
is asked for.
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from recipes.commands import CORPUS, RUN, STAGES, Add, Command, named_value

if TYPE_CHECKING:
    from recipes import joint, pretraining

# Options of plain text that are off, so that a run goes on as it began.
PLAIN_TARGETS = (
    ("--whole-words", "share of rows with blanks that hides whole words", 1),
    ("--spans", "share of rows half read that writes spans out of the text", 0.3),
    ("--sentences", "share of rows half read that writes on with a sentence", 0.4),
    ("--gap-rows", "share of rows that writes the sentences it lacks", 0.125),
)


def encode(options: argparse.Namespace) -> None:
    """Clean the data, build the vocabulary, encode every source and every task."""
    from recipes import encoding, export, task_corpus, vocabulary
    from recipes.corpus import SOURCES

    given = options.vocabulary
    tokens = vocabulary.read(given) if given else vocabulary.build(options.data)
    options.corpus.mkdir(parents=True, exist_ok=True)
    text = "\n".join(tokens) + "\n"
    (options.corpus / "vocab.txt").write_text(text, encoding="utf8")
    encoder = encoding.Encoder(tokens)
    for name in SOURCES:
        encoding.write_held_back(name, options.data, options.corpus)
        for part in encoding.encode_source(name, options.data, encoder):
            encoding.save(part, options.corpus)
            print(f"{part.name}: {len(part.token_ids)} tokens, {part.num_chars} chars")
    export.write_tokenizer_settings(options.corpus)
    if not options.no_words:
        cut_words(options)
    if not options.no_tasks:
        task_corpus.encode_all(options.data, options.corpus, print)


def cut_words(options: argparse.Namespace) -> None:
    """Find the words of an encoded corpus, for blanks and spans of whole words."""
    import numpy as np

    from recipes import encoding, vocabulary, wording
    from recipes.corpus import SOURCES

    cutter = wording.WordCutter(vocabulary.read(options.corpus / "vocab.txt"))
    for name in SOURCES:
        part = encoding.load(f"{name}-train", options.corpus, with_words=False)
        begins = wording.word_bits(part, cutter)
        encoding.save_words(part.name, begins, options.corpus)
        print(f"{part.name}: {int(np.unpackbits(begins).sum())} words", flush=True)


def train(options: argparse.Namespace) -> None:
    """Train one leg of the core; continues the run it finds."""
    from recipes import joint, pretraining

    leg = pretraining.Leg(
        length=options.length,
        rows=options.rows,
        until_step=options.until_step,
        minutes=options.minutes,
        peak_rate=options.peak_rate,
        decay_from=options.decay_from,
    )
    config = pretraining.core_config(options.hidden_size, options.layers)
    if options.stage == "plays":
        trainer = joint.train_leg(
            options.corpus,
            options.run,
            options.start,
            config,
            leg,
            _joint_options(options),
            {**joint.SHARES, **dict(options.share)},
        )
    else:
        plain = _plain(options, pretraining.CLOZE_ROWS)
        trainer = pretraining.train_leg(options.corpus, options.run, config, leg, plain)
    print(
        json.dumps({"step": trainer.progress.step, "tokens": trainer.progress.tokens})
    )


def _joint_options(options: argparse.Namespace) -> "joint.Options":
    """Return the tricks that the command line switches."""
    from model_core.training.objectives import Tricks
    from recipes import joint
    from recipes.lessons.rewriting import Noise

    return joint.Options(
        noise=Noise(options.swap),
        hide=options.hide,
        clip=options.clip,
        average=options.average,
        accumulate=options.accumulate,
        tricks=Tricks(options.adversarial, options.sparse_top_k),
        frozen=tuple(options.freeze),
        dropout=options.dropout,
        plain=_plain(options, joint.CLOZE_ROWS),
    )


def _plain(options: argparse.Namespace, cloze_rows: float) -> "pretraining.PlainText":
    """Return what batches of plain text are made of.

    Args:
        options: What the command line tells.
        cloze_rows: The stage's own share of rows with blanks.
    """
    from recipes import pretraining

    told = options.cloze_rows
    try:
        return pretraining.PlainText(
            options.prefix_rows,
            cloze_rows if told is None else told,
            dict(options.source) or pretraining.CAUSAL_SHARES,
            options.whole_words,
            options.spans,
            options.sentences,
            options.gap_rows,
        )
    except ValueError as error:
        raise SystemExit(str(error)) from error


def compare(options: argparse.Namespace) -> None:
    """Switch the tricks of joint training one by one; print losses as JSON lines."""
    from recipes import comparing, pretraining

    trial = comparing.Trial(
        options.corpus,
        options.start,
        pretraining.core_config(options.hidden_size, options.layers),
        pretraining.Leg(length=options.length, rows=options.rows),
        options.steps,
        options.rate,
    )
    for row in comparing.compare(trial, tuple(options.only or comparing.VARIANTS)):
        print(json.dumps(row), flush=True)


def _encode_options(add: Add) -> None:
    add("--data", type=Path, required=True, help="folder that holds lm/")
    add("--corpus", type=Path, default=CORPUS)
    add("--vocabulary", type=Path, help="take this vocab.txt, count no words")
    add("--no-tasks", action="store_true", help="only the documents")
    add("--no-words", action="store_true", help="leave them to `words`: jieba is slow")


def _words_options(add: Add) -> None:
    add("--corpus", type=Path, default=CORPUS, help="what `data` wrote")


def _train_options(add: Add) -> None:
    add("--stage", choices=STAGES, default="core")
    add("--start", type=Path, help="run, or exported folder, to begin with")
    add("--swap", type=float, default=0.5, help="share of disturbed targets")
    add("--hide", type=float, default=0.1, help="share of hidden source tokens")
    add("--clip", type=float, default=0.1, help="largest norm of a gradient")
    add("--average", type=float, default=0.0, help="momentum of weight means")
    add("--accumulate", type=int, default=1, help="steps per move")
    add("--adversarial", type=float, default=0.0, help="FGM's step, e.g. 0.5")
    add("--sparse-top-k", type=int, default=0, help="tokens of the sparse softmax")
    add("--dropout", type=float, default=0.0, help="inside the body")
    _plain_options(add)
    add("--freeze", action="append", default=[], metavar="NAME", help="do not learn")
    add(
        "--share",
        type=_share,
        action="append",
        default=[],
        metavar="TASK=SHARE",
        help="how often a task comes, 0 for never",
    )
    add("--corpus", type=Path, default=CORPUS)
    add("--run", type=Path, default=RUN, help="snapshot, continued")
    add("--hidden-size", type=int, default=256)
    add("--layers", type=int, default=6)
    add("--length", type=int, default=256, help="tokens per row")
    add("--rows", type=int, default=16, help="rows per batch")
    add("--until-step", type=int, default=100_000)
    add("--minutes", type=float, default=float("inf"))
    add("--peak-rate", type=float, default=3e-3)
    add("--decay-from", type=int, default=None, help="step where the rate falls")


def _plain_options(add: Add) -> None:
    add(
        "--cloze-rows",
        type=float,
        help="share of rows with blanks; 0.125 in the core, 0.375 in the plays",
    )
    add("--prefix-rows", type=float, default=0.125, help="share of rows half read")
    for name, told, best in PLAIN_TARGETS:
        add(
            name,
            type=float,
            default=0.0,
            help=f"{told}; {best} for a new run is advised",
        )
    add(
        "--source",
        type=_share,
        action="append",
        default=[],
        metavar="NAME=SHARE",
        help="how often a source of plain text is drawn; one tells them all",
    )


def _compare_options(add: Add) -> None:
    add("--corpus", type=Path, default=CORPUS)
    add("--start", type=Path, required=True, help="run whose weights all begin with")
    add("--only", action="append", metavar="VARIANT", help="e.g. base, 'swap 0'")
    add("--steps", type=int, default=20)
    add("--rate", type=float, default=7e-4, help="learning rate, constant")
    add("--hidden-size", type=int, default=256)
    add("--layers", type=int, default=6)
    add("--length", type=int, default=384, help="tokens per row")
    add("--rows", type=int, default=11, help="rows per batch")


def _share(text: str) -> tuple[str, float]:
    name, value = named_value(text)
    return name, float(value)


COMMANDS: dict[str, Command] = {
    "data": Command(encode, _encode_options),
    "words": Command(cut_words, _words_options),
    "train": Command(train, _train_options),
    "compare": Command(compare, _compare_options),
}
