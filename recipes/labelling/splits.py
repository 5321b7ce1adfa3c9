"""What is labelled of a few-shot task and may teach: no text of any split's dev file.

Changes when other files of a task may teach.
"""

from dataclasses import dataclass
from pathlib import Path

from recipes.tasks_data import FewshotExample, fewshot_example, read

TEACHING, SCORING = "train_*.jsonl", "dev_*.jsonl"


@dataclass(frozen=True, slots=True)
class Splits:
    """Distinct labelled examples and distinct texts without a label."""

    labelled: tuple[FewshotExample, ...]
    unlabelled: tuple[str, ...] = ()


def read_splits(folder: Path) -> Splits:
    """Read the train files of all splits of a task, and its unlabelled texts.

    What any dev file has is left out, whichever split it scores: few-shot scores are
    means over splits.

    Args:
        folder: Such as ``fewshot/eprstmt``.
    """
    examples = {_key(e): e for e in _read_all(folder, TEACHING)}
    held = {_key(e) for e in _read_all(folder, SCORING)}
    known = {text for text, _ in [*examples, *held]}
    free = folder / "unlabeled.jsonl.xz"
    texts = read(free, lambda record: str(record["text"])) if free.exists() else ()
    return Splits(
        tuple(e for key, e in examples.items() if key not in held),
        tuple(text for text in dict.fromkeys(texts) if text not in known),
    )


def _read_all(folder: Path, pattern: str) -> list[FewshotExample]:
    files = sorted(folder.glob(pattern))
    return [example for file in files for example in read(file, fewshot_example)]


def _key(example: FewshotExample) -> tuple[str, str]:
    return example.text, example.text_b
