"""The runs that a run's weights went through: what all of them together have cost.

Changes when more of a run is remembered by those that begin with its weights.
"""

from collections.abc import Mapping
from typing import Any

Run = dict[str, Any]
FIELDS = ("step", "tokens", "seconds", "device")


def lineage(facts: Mapping[str, Any]) -> list[Run]:
    """Return a run's ancestors, the oldest first, and the run itself.

    Args:
        facts: Of its snapshot; those of older snapshots know no ancestors.
    """
    own = {name: facts[name] for name in FIELDS}
    own["device"] = list(dict.fromkeys(own["device"]))
    return [*facts.get("before", []), own]


def lineage_of(training: Mapping[str, Any], part: str) -> list[Run]:
    """Return the runs that a part's weights went through, of an exported config.

    Args:
        training: Under that name in config.json; {} where it tells nothing.
        part: Which may have weights of its own, begun with the shared ones or apart.
    """
    shared = list(training.get("runs", ()))
    own = list(training.get("own_weights", {}).get(part, ()))
    return own if part in training.get("apart", ()) else [*shared, *own]


def total(runs: list[Run]) -> Run:
    """Return steps, tokens and seconds of all runs together, and every device once."""
    devices = dict.fromkeys(name for run in runs for name in run["device"])
    sums = {name: sum(run[name] for run in runs) for name in FIELDS[:-1]}
    return {**sums, "device": list(devices)}
