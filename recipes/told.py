"""What a card tells that no other file of a checkpoint holds; kept as card.json there.

Changes when the card tells another such thing. With it a card is written again without
the run and without asking the weights.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from recipes.showing import Shown

FILE_NAME = "card.json"


@dataclass(frozen=True, slots=True)
class Told:
    """What was true when the weights were released.

    Attributes:
        heads: Of the network; empty for a core without plays.
        shares: How often each kind of step came.
        options: Of the joint training, by their names in the card's words.
        examples: By set, every example of the showcase with what was said to it.
        machine: That it was trained on, a name in the card's words; "" where nobody
            noted it, as snapshots record the backend alone.
    """

    heads: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, float] = field(default_factory=dict)
    examples: Mapping[str, tuple[Shown, ...]] = field(default_factory=dict)
    machine: str = ""


def read(folder: Path) -> Told:
    """Read what was told; nothing where there is no file."""
    path = folder / FILE_NAME
    if not path.exists():
        return Told()
    values = json.loads(path.read_text(encoding="utf8"))
    examples = {
        name: tuple(Shown(**row) for row in rows)
        for name, rows in values["examples"].items()
    }
    return Told(
        tuple(values["heads"]),
        values["shares"],
        values["options"],
        examples,
        values["machine"],
    )


def write(told: Told, folder: Path) -> None:
    """Write what ``read`` reads."""
    text = json.dumps(asdict(told), ensure_ascii=False, indent=1) + "\n"
    (folder / FILE_NAME).write_text(text, encoding="utf8")
