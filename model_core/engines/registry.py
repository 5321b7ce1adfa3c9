"""The engines by name: add one by adding one line here.

Importing this table loads no framework, so that a name can be judged at the start.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model_core.engines.base import Engine
    from model_core.models.network import Network

# Name to (module, class); the class takes a network with its weights.
ENGINES: dict[str, tuple[str, str]] = {
    "keras": ("model_core.engines.keras_engine", "KerasEngine"),
}
AUTO = "auto"
AUTOMATIC = "keras"


def check_engine(name: str) -> str:
    """Return the name of the engine meant.

    Args:
        name: ``auto`` or a key of ``ENGINES``.

    Raises:
        ValueError: No such engine.
    """
    chosen = AUTOMATIC if name == AUTO else name
    if chosen not in ENGINES:
        raise ValueError(f"engine must be one of {[AUTO, *ENGINES]}, received {name!r}")
    return chosen


def build_engine(name: str, network: "Network") -> "Engine":
    """Return an engine for a network; see ``check_engine`` for the name."""
    module, engine = ENGINES[check_engine(name)]
    built: Engine = getattr(importlib.import_module(module), engine)(network)
    return built
