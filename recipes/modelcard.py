"""The model card of the embedded core, filled with the run's own figures.

Changes when the card reports another figure; its words are in the template beside it.
"""

import json
from pathlib import Path
from typing import Any

from model_core.roles.parts import OWN_SUFFIX, load_parts
from model_core.training.lineage import Run, lineage, total
from recipes import overlapcard, playcard, told
from recipes.commands import OVERLAP
from recipes.mannercard import manner_rows
from recipes.own_weights import AND, by_file
from recipes.told import Told

TEMPLATE = Path(__file__).with_name("modelcard_template.md")
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX"}  # what a run notes
SOURCES = {
    "modern": "现代文 · modern prose",
    "novels": "小说 · novels",
    "poems": "诗词 · poems",
}


WORDS = json.loads(Path(__file__).with_name("modelcard_words.json").read_text("utf8"))
TAGS = ("chinese", "text-generation", "poetry", "keras", "unilm")
PLAY_TAGS = ("summarization", "question-answering", "text-classification")
SECONDS_PER_HOUR = 3600


def write_card(
    folder: Path, scores: dict[str, Any], facts: dict[str, Any], curve: str = ""
) -> None:
    """Write README.md and scores.json of a checkpoint folder.

    Args:
        folder: Holds config.json; what ``recipes.told`` and the check of overlap
            wrote there is told as well.
        scores: By source the result of ``bits_per_character``; ``poems_form`` the
            shares by form; ``parameters``, ``poems_per_form``; ``tasks`` and
            ``manners`` where they were looked at.
        facts: Of the run's snapshot.
        curve: The section about earlier releases, where there are any.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf8"))
    runs, known = lineage(facts), told.read(folder)
    whole = total(runs)
    plays = ""
    if known.heads:
        plays = playcard.play_sections(load_parts(folder), known, scores)
    figures = json.dumps(scores, ensure_ascii=False, indent=1) + "\n"
    (folder / "scores.json").write_text(figures, encoding="utf8")
    text = TEMPLATE.read_text(encoding="utf8").format(
        parameters=scores["parameters"] / 1e6,
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        heads=config["num_attention_heads"],
        vocabulary=config["vocab_size"],
        tokens=whole["tokens"] / 1e6,
        steps=whole["step"],
        hours=whole["seconds"] / SECONDS_PER_HOUR,
        backends=_backends(whole),
        machine=_machine(known, whole, config, folder),
        runs="".join([*_runs(runs), *_own(config.get("training", {}), folder)]),
        tags=", ".join((*TAGS, *(PLAY_TAGS if plays else ()))),
        again="\n".join(_again(folder, plays)),
        rows="".join(_rows(scores)),
        curve=curve,
        plays=plays,
        overlap=overlapcard.section(folder / OVERLAP),
    )
    (folder / "README.md").write_text(text, encoding="utf8")


def rewrite_card(folder: Path, curve: str) -> None:
    """Write a checkpoint's card again, after some of its figures or files changed.

    Everything comes from the files beside it.

    Args:
        folder: Of a release.
        curve: The section about earlier releases.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf8"))
    scores = json.loads((folder / "scores.json").read_text(encoding="utf8"))
    *before, last = config["training"]["runs"]
    write_card(folder, scores, {**last, "before": before}, curve)


def _machine(known: Told, whole: Run, config: dict[str, Any], folder: Path) -> str:
    """Return what is known of the machine and how the size was chosen for it."""
    if not known.machine:
        return ""
    return "".join(f"- {line}\n" for line in WORDS["machines"][known.machine]).format(
        pace=whole["tokens"] / max(1, whole["seconds"]) * SECONDS_PER_HOUR / 1e6,
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        disk=sum(path.stat().st_size for path in folder.iterdir()) / 1e6,
    )


def _runs(runs: list[Run]) -> list[str]:
    """Return a line per run where one began with the weights of another."""
    if len(runs) == 1:
        return []
    return [f"- {WORDS['runs']}:\n"] + [
        f"  {number}. {run['tokens'] / 1e6:.1f} M 词元 tokens，{run['step']} 步 steps，"
        f"{run['seconds'] / SECONDS_PER_HOUR:.1f} 小时 hours，{_backends(run)}\n"
        for number, run in enumerate(runs, 1)
    ]


def _own(training: dict[str, Any], folder: Path) -> list[str]:
    """Return a line per file of weights that some parts have for themselves."""
    lines = []
    for file, parts in by_file(load_parts(folder).own_weights).items():
        runs = training["own_weights"][parts[0]]
        size = (folder / file).stat().st_size / 1e6
        whole = {n: sum(run[n] for run in runs) for n in ("tokens", "step", "seconds")}
        words = WORDS["apart" if parts[0] in training.get("apart", ()) else "own"]
        told = words.format(parts="、".join(parts), file=file, size=size)
        lines.append(
            f"- {told}: "
            f"{whole['tokens'] / 1e6:.1f} M 词元 tokens，{whole['step']} 步 steps，"
            f"{whole['seconds'] / 3600:.1f} 小时 hours\n"
        )
    return lines


def _again(folder: Path, plays: str) -> list[str]:
    """Return the commands that make these weights again."""
    lines = list(WORDS["again"]["plays" if plays else "core"])
    known = WORDS["again"]["own"]
    for file, parts in by_file(load_parts(folder).own_weights).items():
        asked = AND.join(parts)
        lines += known.get(file.removesuffix(OWN_SUFFIX)) or [
            f"python -m recipes own-weights --run runs/{asked} --part {asked}"
        ]
    return [*lines, *WORDS["again"]["publish"]]


def _backends(run: Run) -> str:
    return "、".join(BACKENDS.get(name, name) for name in run["device"])


def _rows(scores: dict[str, Any]) -> list[str]:
    rows = [
        f"| {title}，每字比特 · bits per character "
        f"| {scores[name]['bits_per_character']:.3f} "
        f"| {scores[name]['characters']} 字 · characters |\n"
        for name, title in SOURCES.items()
    ]
    rows += [
        f"| {form} 合格 · form kept | {share:.1%} "
        f"| {scores['poems_per_form']} 首 · poems |\n"
        for form, share in scores["poems_form"].items()
    ]
    if "manners" in scores:
        rows += manner_rows(scores["manners"], scores.get("tasks", {}))
    return rows
