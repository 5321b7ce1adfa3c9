"""What is labelled of a few-shot task, but for the split that scores it.

Changes when another split is held out.
"""

from dataclasses import dataclass
from pathlib import Path

from recipes.tasks_data import FewshotExample, fewshot_example, read

HELD_OUT = "dev_0.jsonl"  # few-shot is evaluated on it: its labels are not learned


@dataclass(frozen=True, slots=True)
class Splits:
    """Distinct labelled examples and distinct texts without a label."""

    labelled: tuple[FewshotExample, ...]
    unlabelled: tuple[str, ...] = ()


def read_splits(folder: Path, held_out: str = HELD_OUT) -> Splits:
    """Read all splits of a task but the one held out, and its unlabelled texts.

    An example whose text the held-out split has is left out of the others too.

    Args:
        folder: Such as ``fewshot/eprstmt``.
        held_out: Name of a file, or "" for none.
    """
    files = sorted([*folder.glob("train_*.jsonl"), *folder.glob("dev_*.jsonl")])
    examples = {_key(e): e for file in files for e in read(file, fewshot_example)}
    held = read(folder / held_out, fewshot_example) if held_out else ()
    for example in held:
        examples.pop(_key(example), None)
    known = {text for text, _ in [*examples, *map(_key, held)]}
    free = folder / "unlabeled.jsonl.xz"
    texts = read(free, lambda record: str(record["text"])) if free.exists() else ()
    unlabelled = (text for text in dict.fromkeys(texts) if text not in known)
    return Splits(tuple(examples.values()), tuple(unlabelled))


def _key(example: FewshotExample) -> tuple[str, str]:
    return example.text, example.text_b
