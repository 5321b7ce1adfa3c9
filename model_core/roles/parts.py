"""What a checkpoint of ours says it was trained for.

Changes when a checkpoint must say more. Published checkpoints have no such file: what
they can play follows from their heads.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model_core.checkpoints.json_file import load_object
from model_core.interfaces import Relation

FILE_NAME = "parts.json"
MAX_BYTES = 1_000_000
OWN_SUFFIX = ".safetensors"
PARTS = (
    "generation", "span", "title", "summary", "reading", "cloze", "facts", "pointing",
    "clauses", "words",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts a checkpoint was trained to play.

    Attributes:
        names: Of ``PARTS``; ``words`` is filling in blanks of plain sentences.
        relations: What its pointing heads know, in their order.
        word_marks: Whether its sources carry marks of words.
        conditions: Names of the values that may shift its norms, in their order.
        blank_style: The style mark that opens a sentence with a blank.
        source_tokens: How long a part's sources were at most; longer ones are read
            worse than their beginning alone. As long as positions last where a part is
            not named.
        shifts: What is added to the log-odds of a decoder's triples, and of "no
            answer" in a reading mode, so that a probability of 0.5 is where either is
            best decided.
        own_weights: Files beside the checkpoint's that change some of its weights for
            one part, by the part's name.
    """

    names: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = ()
    word_marks: bool = False
    conditions: tuple[str, ...] = ()
    blank_style: str = ""
    source_tokens: Mapping[str, int] = field(default_factory=dict)
    shifts: Mapping[str, float] = field(default_factory=dict)
    own_weights: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values that ``load_parts`` reads."""
        return {
            "parts": list(self.names),
            "relations": [
                [r.subject_type, r.predicate, r.object_type] for r in self.relations
            ],
            "word_marks": self.word_marks,
            "conditions": list(self.conditions),
            "blank_style": self.blank_style,
            "source_tokens": dict(self.source_tokens),
            "shifts": dict(self.shifts),
            "own_weights": dict(self.own_weights),
        }

    def save(self, path: Path) -> None:
        """Write what ``load_parts`` reads."""
        text = json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n"
        path.write_text(text, encoding="utf8")


def load_parts(folder: Path) -> Parts:
    """Read ``parts.json``; nothing where there is none.

    Raises:
        CheckpointFormatError: The file is no JSON object.
        ValueError: It does not say what it should.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return Parts()
    values = load_object(path, MAX_BYTES)
    try:
        names = tuple(values["parts"])
        unknown = sorted(set(names) - set(PARTS))
        if unknown:
            raise ValueError(f"unknown parts {unknown}, known are {PARTS}")
        return Parts(
            names,
            tuple(Relation(*row) for row in values["relations"]),
            bool(values["word_marks"]),
            tuple(values["conditions"]),
            str(values["blank_style"]),
            _source_tokens(values["source_tokens"]),
            {name: float(shift) for name, shift in values["shifts"].items()},
            _own_weights(values.get("own_weights", {})),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{FILE_NAME}: expected parts, relations, word_marks, conditions, "
            f"blank_style, source_tokens and shifts, received {str(values)[:80]} "
            f"({error})"
        ) from error


def _source_tokens(values: dict[str, Any]) -> dict[str, int]:
    for name, count in values.items():
        if name not in PARTS or not isinstance(count, int) or count < 1:
            raise ValueError(f"expected a part and a count >= 1, got {name}: {count}")
    return values


def _own_weights(values: dict[str, Any]) -> dict[str, str]:
    for name, file in values.items():
        plain = isinstance(file, str) and file == Path(file).name and file.isprintable()
        if name not in PARTS or not plain or not file.endswith(OWN_SUFFIX):
            raise ValueError(
                f"expected a part and a {OWN_SUFFIX} file beside the checkpoint's, "
                f"got {name}: {str(file)[:80]!r}"
            )
    return values
