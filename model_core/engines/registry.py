"""The engines by name: add one by adding one line here.

Importing this table loads no framework, so that a name can be judged at the start.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model_core.engines.base import Engine
    from model_core.models.network import Network

# Name to (module, what makes it of a network with its weights).
ENGINES: dict[str, tuple[str, str]] = {
    "keras": ("model_core.engines.keras_engine", "KerasEngine"),
    "native": ("model_core.engines.native.engine", "NativeEngine"),
    "native-int8": ("model_core.engines.native.engine", "NativeInt8Engine"),
    "native-int8-dynamic": ("model_core.engines.native.engine", "NativeDynamicEngine"),
    "openvino": ("model_core.engines.openvino.engine", "gradual_engine"),
}
OPTIONAL: dict[str, str] = {"openvino": "openvino"}
"""Engines that need a package beyond requirements.txt; Keras answers without it."""
AUTO = "auto"
"""In place of the name of an engine, or of a dtype: whatever is best here."""
_AUTOMATIC = ("model_core.engines.automatic", "automatic_engine")


def check_engine(name: str) -> str:
    """Return the name where an engine has it.

    Args:
        name: ``auto`` or a key of ``ENGINES``.

    Raises:
        ValueError: No such engine.
    """
    if name != AUTO and name not in ENGINES:
        raise ValueError(f"engine must be one of {[AUTO, *ENGINES]}, received {name!r}")
    return name


def build_engine(name: str, network: "Network") -> "Engine":
    """Return an engine for a network; see ``check_engine`` for the name."""
    module, engine = _AUTOMATIC if name == AUTO else ENGINES[check_engine(name)]
    built: Engine = getattr(importlib.import_module(module), engine)(network)
    return built
