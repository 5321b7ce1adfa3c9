"""The command that scores weights on a task: ``evaluate``.

Changes when it takes another option. The work is other files', imported when it is
asked for.
"""

import argparse
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.commands import CORPUS, WEIGHTS, Add, Command

if TYPE_CHECKING:
    from recipes.task_files import TaskData

TASKS = (
    "generation", "poems", "title", "triples", "qa", "kgqa", "fewshot", "summary",
    "similarity", "manners",
)  # fmt: skip
LONGEST_LESSON_SECONDS = 3600.0

logger = logging.getLogger(__name__)


def evaluate(options: argparse.Namespace) -> None:
    """Print scores as JSON."""
    ask: dict[str, Callable[[argparse.Namespace], Mapping[str, Any]]] = {
        "poems": _score_poems,
        "generation": _score_texts,
        "similarity": _score_pairs,
        "manners": score_manners,
    }
    if options.task == "fewshot" and options.input and options.input.is_dir():
        scores = _score_splits(options)
    else:
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
    from recipes.evaluate_tasks import answer, asks_of, report_of

    data = _task_data(options)
    player = evaluation.load_player(options.weights, options.engine)
    model = player.play(ROLES[options.task])
    settings = AskSettings(learn=options.learn, summary_copies=not options.no_copies)
    asks = asks_of(model, settings)
    return report_of(answer(data, asks))


def _score_splits(options: argparse.Namespace) -> Mapping[str, Any]:
    """Score a few-shot task on every split of a folder; print each as it comes.

    Every split learns to its last step: a lesson that is cut off by the clock would
    score the machine.
    """
    from model_core.checkpoints.survey import load_config
    from model_core.interfaces import MASK_FILLER, LearningOptions
    from model_core.training.lineage import lineage_of
    from recipes import evaluation, splits_scored
    from recipes.asking import AskSettings
    from recipes.evaluate_tasks import answer, asks_of, report_of

    try:
        splits = splits_scored.read_splits(options.input)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from error
    player = evaluation.load_player(options.weights, options.engine)
    learning = LearningOptions(max_seconds=LONGEST_LESSON_SECONDS)
    settings = AskSettings(learn=options.learn, learning=learning)
    asks = asks_of(player.play(MASK_FILLER), settings)

    def ask(split: "TaskData") -> dict[str, object]:
        report = report_of(answer(split, asks))
        logger.info("%s", report["model"])
        return report

    training = load_config(options.weights).get("training", {})
    runs = lineage_of(training, "words")
    return {
        **splits_scored.score(splits, ask),
        "tokens": sum(run["tokens"] for run in runs),
    }


def _task_data(options: argparse.Namespace) -> "TaskData":
    """Read a task's files: what is missing is told before weights are read."""
    from recipes.task_files import load_task_data

    file = _input(options)
    try:
        data = load_task_data(options.task, file, options.train, options.limit)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from error
    if options.task == "fewshot" and options.learn and not data.train:
        raise SystemExit("--learn needs train examples: give --train FILE")
    return data


def score_manners(options: argparse.Namespace) -> Mapping[str, Any]:
    """Look at loops, rhymes and, with the summaries' file, the numbers they keep."""
    from model_core.interfaces import SUMMARIZER, TEXT_GENERATOR
    from recipes import evaluation, manners
    from recipes.task_files import evenly_spaced
    from recipes.tasks_data import read, summary_example

    player = evaluation.load_player(options.weights, options.engine)
    examples = read(options.input, summary_example) if options.input else ()
    return manners.report(
        player.play(TEXT_GENERATOR),
        player.play(SUMMARIZER) if examples else None,
        options.corpus,
        [one.text for one in evenly_spaced(examples, options.limit)],
        manners.Amount(options.limit or 100, options.poems),
    )


def _input(options: argparse.Namespace) -> Path:
    if options.input is None:
        raise SystemExit(f"--task {options.task} needs --input FILE.jsonl")
    path: Path = options.input
    return path


def _evaluate_options(add: Add) -> None:
    add("--task", choices=TASKS, required=True)
    add(
        "--input",
        type=Path,
        help="JSON lines, or .xz of such; few-shot: or a folder of splits",
    )
    add("--train", type=Path, help="for the baseline; found beside a dev file")
    add("--limit", type=int, help="examples, evenly spaced over the file")
    add("--learn", action="store_true", help="few-shot: also learn from train")
    add("--no-copies", action="store_true", help="summaries are written without")
    add("--weights", type=Path, default=WEIGHTS)
    add("--engine", default="auto", help="that runs the network")
    add("--chars", type=int, default=100_000, help="characters to read")
    add("--poems", type=int, default=50, help="poems per form")
    add(
        "--corpus",
        type=Path,
        default=CORPUS,
        help="held-back texts, for manners",
    )


COMMANDS: dict[str, Command] = {"evaluate": Command(evaluate, _evaluate_options)}
