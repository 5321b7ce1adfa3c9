"""``python -m recipes``: make the embedded weights again, step by step."""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes import examining

if TYPE_CHECKING:
    from recipes import joint
    from recipes.dev_sets import DevSet
    from recipes.releasing import Examples, Played

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

STAGES = ("core", "plays")
TASKS = (
    "generation", "poems", "title", "triples", "qa", "kgqa", "fewshot", "summary",
    "similarity", "manners",
)  # fmt: skip

CALIBRATED_ON = 500  # texts


def corpus(options: argparse.Namespace) -> None:
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
    if not options.no_tasks:
        task_corpus.encode_all(options.data, options.corpus, print)


def pretrain(options: argparse.Namespace) -> None:
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
            joint_options(options),
            {**joint.SHARES, **dict(options.share)},
        )
    else:
        trainer = pretraining.train_leg(options.corpus, options.run, config, leg)
    print(
        json.dumps({"step": trainer.progress.step, "tokens": trainer.progress.tokens})
    )


def joint_options(options: argparse.Namespace) -> "joint.Options":
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
        cloze_rows=options.cloze_rows,
    )


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


def evaluate(options: argparse.Namespace) -> None:
    """Print scores as JSON."""
    ask: dict[str, Callable[[argparse.Namespace], Mapping[str, Any]]] = {
        "poems": _score_poems,
        "generation": _score_texts,
        "similarity": _score_pairs,
        "manners": examining.score_manners,
    }
    scores = ask.get(options.task, _score_task)(options)
    print(json.dumps(scores, ensure_ascii=False))


def _score_poems(options: argparse.Namespace) -> dict[str, float]:
    from recipes import evaluation

    model = evaluation.load(options.weights, options.engine)
    return evaluation.poems_that_keep_form(model, options.poems)


def _score_texts(options: argparse.Namespace) -> dict[str, float]:
    from recipes import evaluation

    model = evaluation.load(options.weights, options.engine)
    return evaluation.bits_per_character(model, _input(options), options.chars)


def _score_pairs(options: argparse.Namespace) -> dict[str, Any]:
    """Score how well vectors tell pairs that mean the same, beside a baseline."""
    from model_core.interfaces import SENTENCE_ENCODER
    from recipes import evaluation, sentence_pairs

    player = evaluation.load_player(options.weights, options.engine)
    encoder = player.play(SENTENCE_ENCODER)
    pairs = sentence_pairs.load_pairs(_input(options))
    return sentence_pairs.evaluate_pairs(pairs, encoder)


def _score_task(options: argparse.Namespace) -> dict[str, object]:
    """Score a task's model, in each of its modes, beside its baseline."""
    from recipes import evaluation
    from recipes.asking import ROLES, AskSettings
    from recipes.evaluate_tasks import asks_of, evaluate_task

    player = evaluation.load_player(options.weights, options.engine)
    model = player.play(ROLES[options.task])
    return evaluate_task(
        options.task,
        _input(options),
        asks_of(model, AskSettings(learn=options.learn)),
        train=options.train,
        limit=options.limit,
    )


def _input(options: argparse.Namespace) -> Path:
    if options.input is None:
        raise SystemExit(f"--task {options.task} needs --input FILE.jsonl")
    path: Path = options.input
    return path


def export(options: argparse.Namespace) -> None:
    """Write a run as a checkpoint folder."""
    from recipes import export as exporting
    from recipes import joint, pretraining

    config = pretraining.core_config(options.hidden_size, options.layers)
    if options.stage == "core":
        exporting.export(options.run, options.corpus, config, options.output)
        return
    exporting.export(
        options.run,
        options.corpus,
        joint.joint_config(config, len(joint.relations_of(options.corpus))),
        options.output,
        heads=joint.HEADS,
        parts=joint.parts_of(options.corpus),
        averaged=options.averaged,
    )


def own_weights(options: argparse.Namespace) -> None:
    """Give a part of exported weights those of a run for itself."""
    from recipes import own_weights as owning

    print(owning.write(options.run, options.weights, options.part))
    if options.data is not None and options.part == "pointing":
        _calibrate_triples(options.weights, options.data)


def release(options: argparse.Namespace) -> None:
    """Export a run, evaluate it as the page runs it, write its model card."""
    from model_core.training.snapshot import load_facts
    from recipes import evaluation, manners, modelcard, releasing
    from recipes.metrics import rhyme

    if options.manners:
        rhyme.check_reader()
    files = _dev_files(options)
    export(options)
    if files:
        _calibrate(options)
    model = evaluation.load(options.output)
    scores = releasing.written(model, options.corpus, options.chars, options.poems)
    facts, plays = load_facts(options.run), ""
    play = evaluation.load_player(options.output).play
    if files:
        made = releasing.played(files, play, options.task_limit)
        scores["tasks"] = made.reports
        plays = _play_sections(made, releasing.showcase(play), facts, options)
    if options.manners:
        amount = manners.Amount(options.manners, options.poems)
        scores["manners"] = releasing.behaved(play, options.corpus, files, amount)
    told = _curve(scores, facts, options)
    modelcard.write_card(options.output, scores, facts, plays, told)
    print(json.dumps(scores, ensure_ascii=False))


def _curve(
    scores: dict[str, Any], facts: dict[str, Any], options: argparse.Namespace
) -> str:
    """Note the release in the history beside it; return the card's section."""
    from datetime import UTC, datetime

    from recipes import curve, curvecard, releasing

    today = datetime.now(UTC).date().isoformat()
    history = releasing.followed(options.history, scores, facts, today)
    curve.write(history, options.output / "history.json")
    return curvecard.section(history)


def _calibrate(options: argparse.Namespace) -> None:
    """Find where triples and "no answer" are best cut, on texts of training."""
    from model_core.roles.loaded import load_model
    from model_core.roles.passage_reader import NetworkPassageReader
    from recipes import calibrating, tasks_data
    from recipes.task_files import evenly_spaced, find

    _calibrate_triples(options.output, options.data)
    questions = tasks_data.read(
        find(options.data / "qa", "train"), tasks_data.qa_example
    )
    whole = load_model(options.output, name=options.output.name)
    reader = NetworkPassageReader(whole, calibrating.NEVER)
    found = calibrating.doubts(reader, evenly_spaced(questions, CALIBRATED_ON))
    calibrating.write(options.output, found)


def _calibrate_triples(folder: Path, data: Path) -> None:
    """Find where triples are best cut; what was found before is forgotten."""
    from model_core.interfaces import TRIPLE_POINTER
    from recipes import calibrating, evaluation, tasks_data
    from recipes.task_files import evenly_spaced, find

    train = find(data / "triples", "train")
    triples = tasks_data.read(train, tasks_data.triples_example)
    pointer = evaluation.load_player(folder).play(TRIPLE_POINTER)
    calibrating.write(folder, dict.fromkeys(pointer.decoders, 0.0))
    pointer = evaluation.load_player(folder).play(TRIPLE_POINTER)
    found = calibrating.shifts(pointer, evenly_spaced(triples, CALIBRATED_ON))
    calibrating.write(folder, found)


def _dev_files(options: argparse.Namespace) -> "Mapping[DevSet, Path]":
    from recipes.dev_sets import files_of

    if options.stage == "core":
        return {}
    if options.data is None:
        raise SystemExit("--stage plays needs --data DIR, which holds the dev files")
    return files_of(options.data)


def _play_sections(
    made: "Played",
    examples: "Examples",
    facts: dict[str, Any],
    options: argparse.Namespace,
) -> str:
    from recipes import joint, playcard

    options.failures.parent.mkdir(parents=True, exist_ok=True)
    options.failures.write_text(playcard.failures(made.answers), encoding="utf8")
    asked = facts.get("settings") or joint.settings_of(joint.Options(), joint.SHARES)
    told = playcard.PlayFacts(
        joint.parts_of(options.corpus), joint.HEADS, asked["shares"], asked["options"]
    )
    return playcard.play_sections(told, made.reports, examples)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="python -m recipes", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_learning(commands)
    _add_comparing(commands)
    _add_results(commands)
    for name, (run, add) in examining.COMMANDS.items():
        add(_command(commands, name, run))
    return parser


def _add_learning(commands: "Commands") -> None:
    add = _command(commands, "data", corpus)
    add("--data", type=Path, required=True, help="folder that holds lm/")
    add("--corpus", type=Path, default=Path("runs/corpus"))
    add("--vocabulary", type=Path, help="take this vocab.txt, count no words")
    add("--no-tasks", action="store_true", help="only the documents")
    add = _command(commands, "train", pretrain)
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
    add("--cloze-rows", type=float, default=0.375, help="share of rows with blanks")
    add("--freeze", action="append", default=[], metavar="NAME", help="do not learn")
    add(
        "--share",
        type=_share,
        action="append",
        default=[],
        metavar="TASK=SHARE",
        help="how often a task comes, 0 for never",
    )
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


def _add_comparing(commands: "Commands") -> None:
    add = _command(commands, "compare", compare)
    add("--corpus", type=Path, default=Path("runs/corpus"))
    add("--start", type=Path, required=True, help="run whose weights all begin with")
    add("--only", action="append", metavar="VARIANT", help="e.g. base, 'swap 0'")
    add("--steps", type=int, default=20)
    add("--rate", type=float, default=7e-4, help="learning rate, constant")
    add("--hidden-size", type=int, default=256)
    add("--layers", type=int, default=6)
    add("--length", type=int, default=384, help="tokens per row")
    add("--rows", type=int, default=11, help="rows per batch")


def _add_results(commands: "Commands") -> None:
    add = _command(commands, "evaluate", evaluate)
    add("--task", choices=TASKS, required=True)
    add("--input", type=Path, help="JSON lines, or .xz of such")
    add("--train", type=Path, help="for the baseline; found beside the input")
    add("--limit", type=int, help="examples, evenly spaced over the file")
    add("--learn", action="store_true", help="few-shot: also learn from train")
    add("--weights", type=Path, default=Path("assets/embedded"))
    add("--engine", default="auto", help="that runs the network")
    add("--chars", type=int, default=100_000, help="characters to read")
    add("--poems", type=int, default=50, help="poems per form")
    add(
        "--corpus",
        type=Path,
        default=examining.CORPUS,
        help="held-back texts, for manners",
    )
    add = _command(commands, "export", export)
    _add_run(add)
    add = _command(commands, "own-weights", own_weights)
    add("--run", type=Path, required=True, help="of that part alone")
    add("--weights", type=Path, default=Path("assets/embedded"))
    add("--part", required=True, help="e.g. pointing")
    add("--data", type=Path, help="whose training texts say where triples are cut")
    add = _command(commands, "release", release)
    _add_run(add)
    add("--data", type=Path, help="folder of the tasks' dev files, for plays")
    add("--task-limit", type=int, metavar="N", help="examples per dev file")
    add(
        "--failures",
        type=Path,
        default=Path("runs/failures.md"),
        help="the worst of the dev files, not to be published",
    )
    add("--chars", type=int, default=100_000, help="held-back characters to read")
    add("--poems", type=int, default=50, help="poems per form")
    add("--manners", type=int, default=100, help="samples for loops, 0 for no manners")
    add(
        "--history",
        type=Path,
        default=examining.HISTORY,
        help="of the releases before it",
    )


def main() -> None:
    """Run one command."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    options = build_parser().parse_args()
    options.command(options)


def _share(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)


def _add_run(add: Callable[..., argparse.Action]) -> None:
    add("--stage", choices=STAGES, default="core")
    add("--run", type=Path, default=Path("runs/core"))
    add("--corpus", type=Path, default=Path("runs/corpus"))
    add("--hidden-size", type=int, default=256)
    add("--layers", type=int, default=6)
    add("--averaged", action="store_true", help="the running means of the weights")
    add("--output", type=Path, default=Path("assets/embedded"))


def _command(
    commands: "Commands",
    name: str,
    run: Callable[[argparse.Namespace], None],
) -> Callable[..., argparse.Action]:
    parser = commands.add_parser(name, help=(run.__doc__ or "").splitlines()[0])
    parser.set_defaults(command=run)
    return parser.add_argument


if __name__ == "__main__":
    main()
