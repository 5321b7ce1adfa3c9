"""The engines by name: add one by adding one line here."""

from collections.abc import Callable

from model_core.engines.base import Engine
from model_core.engines.keras_engine import KerasEngine
from model_core.models.network import Network

ENGINES: dict[str, Callable[[Network], Engine]] = {
    "keras": KerasEngine,
}
AUTOMATIC = "keras"


def build_engine(name: str, network: Network) -> Engine:
    """Return an engine for a network.

    Args:
        name: ``auto`` or a key of ``ENGINES``.
        network: With its weights.

    Raises:
        ValueError: No such engine.
    """
    chosen = AUTOMATIC if name == "auto" else name
    if chosen not in ENGINES:
        raise ValueError(
            f"engine must be one of {['auto', *ENGINES]}, received {name!r}"
        )
    return ENGINES[chosen](network)
