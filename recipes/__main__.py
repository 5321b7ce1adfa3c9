"""``python -m recipes``: make the embedded weights again, step by step."""

import argparse
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path


def corpus(options: argparse.Namespace) -> None:
    """Clean the data, build the vocabulary, encode every source."""
    from recipes import encoding, vocabulary
    from recipes.corpus import SOURCES

    tokens = vocabulary.build(options.data)
    options.corpus.mkdir(parents=True, exist_ok=True)
    text = "\n".join(tokens) + "\n"
    (options.corpus / "vocab.txt").write_text(text, encoding="utf8")
    encoder = encoding.Encoder(tokens)
    for name in SOURCES:
        encoding.write_held_back(name, options.data, options.corpus)
        for part in encoding.encode_source(name, options.data, encoder):
            encoding.save(part, options.corpus)
            print(f"{part.name}: {len(part.token_ids)} tokens, {part.num_chars} chars")


def pretrain(options: argparse.Namespace) -> None:
    """Train one leg of the core; continues the run it finds."""
    from recipes import pretraining

    leg = pretraining.Leg(
        length=options.length,
        rows=options.rows,
        until_step=options.until_step,
        minutes=options.minutes,
        peak_rate=options.peak_rate,
        decay_from=options.decay_from,
    )
    config = pretraining.core_config(options.hidden_size, options.layers)
    trainer = pretraining.train_leg(options.corpus, options.run, config, leg)
    print(
        json.dumps({"step": trainer.progress.step, "tokens": trainer.progress.tokens})
    )


def evaluate(options: argparse.Namespace) -> None:
    """Print scores as JSON."""
    from recipes import evaluation

    model = evaluation.load(options.weights)
    if options.task == "poems":
        scores = evaluation.poems_that_keep_form(model, options.poems)
    else:
        if options.input is None:
            raise SystemExit("--task generation needs --input FILE.jsonl")
        scores = evaluation.bits_per_character(model, options.input, options.chars)
    print(json.dumps(scores, ensure_ascii=False))


def export(options: argparse.Namespace) -> None:
    """Write a run as a checkpoint folder."""
    from recipes import export as exporting
    from recipes import pretraining

    config = pretraining.core_config(options.hidden_size, options.layers)
    exporting.export(options.run, options.corpus, config, options.output)


def release(options: argparse.Namespace) -> None:
    """Export a run, evaluate it as the page runs it, write its model card."""
    from model_core.training.snapshot import load_snapshot
    from recipes import evaluation, modelcard

    export(options)
    model = evaluation.load(options.output)
    scores: dict[str, object] = {"parameters": model.info.num_parameters}
    for name in modelcard.SOURCES:
        held = options.corpus / f"{name}-held.jsonl"
        scores[name] = evaluation.bits_per_character(model, held, options.chars)
    scores["poems_per_form"] = options.poems
    scores["poems_form"] = evaluation.poems_that_keep_form(model, options.poems)
    modelcard.write_card(options.output, scores, load_snapshot(options.run)[1])
    print(json.dumps(scores, ensure_ascii=False))


def build_parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="python -m recipes", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add = _command(commands, "data", corpus)
    add("--data", type=Path, required=True, help="folder that holds lm/")
    add("--corpus", type=Path, default=Path("runs/corpus"))
    add = _command(commands, "train", pretrain)
    add("--corpus", type=Path, default=Path("runs/corpus"))
    add("--run", type=Path, default=Path("runs/core"), help="snapshot, continued")
    add("--hidden-size", type=int, default=256)
    add("--layers", type=int, default=6)
    add("--length", type=int, default=256, help="tokens per row")
    add("--rows", type=int, default=16, help="rows per batch")
    add("--until-step", type=int, default=100_000)
    add("--minutes", type=float, default=float("inf"))
    add("--peak-rate", type=float, default=3e-3)
    add("--decay-from", type=int, default=None, help="step where the rate falls")
    add = _command(commands, "evaluate", evaluate)
    add("--task", choices=("generation", "poems"), required=True)
    add("--input", type=Path, help="JSON lines with style and text")
    add("--weights", type=Path, default=Path("assets/embedded"))
    add("--chars", type=int, default=100_000, help="characters to read")
    add("--poems", type=int, default=50, help="poems per form")
    add = _command(commands, "export", export)
    _add_run(add)
    add = _command(commands, "release", release)
    _add_run(add)
    add("--chars", type=int, default=100_000, help="held-back characters to read")
    add("--poems", type=int, default=50, help="poems per form")
    return parser


def main() -> None:
    """Run one command."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    options = build_parser().parse_args()
    options.command(options)


def _add_run(add: Callable[..., argparse.Action]) -> None:
    add("--run", type=Path, default=Path("runs/core"))
    add("--corpus", type=Path, default=Path("runs/corpus"))
    add("--hidden-size", type=int, default=256)
    add("--layers", type=int, default=6)
    add("--output", type=Path, default=Path("assets/embedded"))


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], None],
) -> Callable[..., argparse.Action]:
    parser = commands.add_parser(name, help=(run.__doc__ or "").splitlines()[0])
    parser.set_defaults(command=run)
    return parser.add_argument


if __name__ == "__main__":
    main()
