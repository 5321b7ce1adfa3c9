"""Commands that turn a run into weights to ship: export, own weights, release.

Changes when shipping takes another step or option. The work is other files', imported
when it is asked for.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.commands import (
    CORPUS,
    HISTORY,
    RUN,
    STAGES,
    WEIGHTS,
    Add,
    Command,
    named_value,
)

if TYPE_CHECKING:
    from recipes.dev_sets import DevSet
    from recipes.releasing import Examples, Played
    from recipes.told import Told

CALIBRATED_ON = 500  # texts


def export(options: argparse.Namespace) -> None:
    """Write a run as a checkpoint folder."""
    from recipes import export as exporting
    from recipes import joint, pretraining, rounding

    config = pretraining.core_config(options.hidden_size, options.layers)
    if options.stage == "core":
        exporting.export(options.run, options.corpus, config, options.output)
    else:
        exporting.export(
            options.run,
            options.corpus,
            joint.joint_config(config, len(joint.relations_of(options.corpus))),
            options.output,
            heads=joint.HEADS,
            parts=joint.parts_of(options.corpus),
            averaged=options.averaged,
        )
    if options.int8:
        rounding.round_weights(options.output)


def round_weights(options: argparse.Namespace) -> None:
    """Round exported weights to a byte a number, in their place."""
    from recipes import rounding

    print(rounding.round_weights(options.weights))


def own_weights(options: argparse.Namespace) -> None:
    """Give a part of exported weights those of a run for itself."""
    from recipes import own_weights as owning

    print(owning.write(options.run, options.weights, options.part, options.leave))
    if options.data is not None and "pointing" in options.part.split(owning.AND):
        _calibrate_triples(options.weights, options.data)


def release(options: argparse.Namespace) -> None:
    """Export a run, evaluate it as the page runs it, write its model card."""
    from model_core.training.snapshot import load_facts
    from recipes import evaluation, manners, modelcard, releasing, told
    from recipes import own_weights as owning
    from recipes.metrics import rhyme

    if options.manners:
        rhyme.check_reader()
    if options.own:
        owning.check_writer()
    files = _dev_files(options)
    export(options)
    for part, run in options.own:
        owning.write(run, options.output, part)
    if files:
        _calibrate(options)
    model = evaluation.load(options.output)
    scores = releasing.written(model, options.corpus, options.chars, options.poems)
    facts, known = load_facts(options.run), told.Told(machine=options.machine)
    play = evaluation.load_player(options.output).play
    if files:
        made = releasing.played(files, play, options.task_limit)
        scores["tasks"] = made.reports
        _write_failures(made, options.failures)
        known = _how_taught(facts, releasing.showcase(play), options.machine)
    told.write(known, options.output)
    if options.manners:
        amount = manners.Amount(options.manners, options.poems)
        scores["manners"] = releasing.behaved(play, options.corpus, files, amount)
    curve = _curve(scores, options.output, options)
    modelcard.write_card(options.output, scores, facts, curve)
    print(json.dumps(scores, ensure_ascii=False))


def card(options: argparse.Namespace) -> None:
    """Write an exported core's card again; with options, after measuring some of it.

    The showcase is asked again wherever weights play; what else the parts score is as
    the release found it, but for the sets that are named.
    """
    from recipes import evaluation, modelcard, playcard, releasing

    path = options.weights / "scores.json"
    scores = json.loads(path.read_text(encoding="utf8"))
    if options.corpus:
        model = evaluation.load(options.weights)
        scores |= releasing.written(model, options.corpus, options.chars, options.poems)
    if options.data:
        _score_again(scores, options)
    for name in playcard.SPLITS:
        for file in getattr(options, name):
            report = json.loads(file.read_text(encoding="utf8"))
            scores.setdefault(name, {})[report["name"]] = report
    if not options.keep_examples:
        _ask_again(options.weights)
    text = json.dumps(scores, ensure_ascii=False, indent=1) + "\n"
    path.write_text(text, encoding="utf8")
    modelcard.rewrite_card(options.weights, _curve(scores, options.weights, options))


def _score_again(scores: dict[str, Any], options: argparse.Namespace) -> None:
    """Score the baselines anew, and what the weights say to the sets that are named."""
    from recipes import dev_sets, evaluation, releasing

    known = {one.name: one for one in dev_sets.DEV_SETS}
    files = dev_sets.files_of(options.data, dev_sets.DEV_SETS)
    unknown = sorted(set(options.score) - known.keys())
    if unknown:
        raise SystemExit(f"expected sets of {', '.join(known)}, received {unknown}")
    told = {name: one for name, one in scores["tasks"].items() if name in known}
    scores["tasks"] |= releasing.rebased(told, files)
    if options.score:
        chosen = {known[name]: files[known[name]] for name in options.score}
        play = evaluation.load_player(options.weights).play
        scores["tasks"] |= releasing.played(chosen, play, None).reports
        if kept := releasing.numbers_kept(play, chosen):
            scores.setdefault("manners", {})["numbers"] = kept


def _ask_again(folder: Path) -> None:
    """Ask the weights the showcase anew where their card shows it."""
    from dataclasses import replace

    from recipes import evaluation, releasing, told

    known = told.read(folder)
    if known.heads:
        play = evaluation.load_player(folder).play
        told.write(replace(known, examples=releasing.showcase(play)), folder)


def _curve(scores: dict[str, Any], folder: Path, options: argparse.Namespace) -> str:
    """Note the release in the history beside it; return the card's section."""
    from datetime import UTC, datetime

    from recipes import curve, curvecard, releasing

    today = datetime.now(UTC).date().isoformat()
    history = releasing.followed(options.history, scores, folder, today)
    curve.write(history, folder / "history.json")
    return curvecard.section(history)


def _calibrate(options: argparse.Namespace) -> None:
    """Find where triples and "no answer" are best cut, on texts of training."""
    from model_core.roles.loaded import load_model
    from model_core.roles.passage_reader import NetworkPassageReader
    from recipes import calibrating, evaluation, tasks_data
    from recipes.task_files import evenly_spaced, find

    _calibrate_triples(options.output, options.data)
    questions = tasks_data.read(
        find(options.data / "qa", "train"), tasks_data.qa_example
    )
    whole = load_model(options.output, name=options.output.name)
    reader = NetworkPassageReader(evaluation.settled(whole), calibrating.NEVER)
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


def _write_failures(made: "Played", path: Path) -> None:
    from recipes import playcard

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(playcard.failures(made.answers), encoding="utf8")


def _how_taught(facts: dict[str, Any], examples: "Examples", machine: str) -> "Told":
    """Return what the card tells of a joint run besides scores."""
    from recipes import joint
    from recipes.told import Told

    asked = facts.get("settings") or joint.settings_of(joint.Options(), joint.SHARES)
    return Told(joint.HEADS, asked["shares"], asked["options"], examples, machine)


def _run_options(add: Add) -> None:
    add("--stage", choices=STAGES, default="core")
    add("--run", type=Path, default=RUN)
    add("--corpus", type=Path, default=CORPUS)
    add("--hidden-size", type=int, default=256)
    add("--layers", type=int, default=6)
    add("--averaged", action="store_true", help="the running means of the weights")
    add("--int8", action="store_true", help="a byte a number instead of two")
    add("--output", type=Path, default=WEIGHTS)


def _round_options(add: Add) -> None:
    add("--weights", type=Path, default=WEIGHTS)


def _own_options(add: Add) -> None:
    add("--run", type=Path, required=True, help="of that part alone")
    add("--weights", type=Path, default=WEIGHTS)
    add("--part", required=True, help="e.g. pointing, or title+summary for both")
    add(
        "--leave",
        action="append",
        default=[],
        metavar="NAME",
        help="weights that stay the shared ones, e.g. a head that the part never reads",
    )
    add("--data", type=Path, help="whose training texts say where triples are cut")


def _release_options(add: Add) -> None:
    _run_options(add)
    add(
        "--own",
        type=_part_and_run,
        action="append",
        default=[],
        metavar="PART=RUN",
        help="the run whose weights a part has for itself",
    )
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
    add("--machine", default="", help="it was trained on, as the card's words name it")
    add(
        "--history",
        type=Path,
        default=HISTORY,
        help="of the releases before it",
    )


def _card_options(add: Add) -> None:
    add("--weights", type=Path, default=WEIGHTS)
    add("--corpus", type=Path, help="held-back texts, to score free writing anew")
    add("--data", type=Path, help="tasks' dev files, to score the baselines anew")
    add(
        "--score",
        action="append",
        default=[],
        metavar="SET",
        help="with --data: what the weights say to this set as well, e.g. title",
    )
    for option, whose in {
        "--splits": "the core alone",
        "--splits-shipped": "the weights themselves",
    }.items():
        add(
            option,
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help=f"what `evaluate --task fewshot` of {whose} printed of all splits",
        )
    add("--keep-examples", action="store_true", help="do not ask the showcase again")
    add("--chars", type=int, default=40_000, help="held-back characters to read")
    add("--poems", type=int, default=20, help="poems per form")
    add("--history", type=Path, default=HISTORY, help="of the releases before it")


def _part_and_run(text: str) -> tuple[str, Path]:
    part, run = named_value(text)
    return part, Path(run)


COMMANDS: dict[str, Command] = {
    "export": Command(export, _run_options),
    "own-weights": Command(own_weights, _own_options),
    "round": Command(round_weights, _round_options),
    "release": Command(release, _release_options),
    "card": Command(card, _card_options),
}
