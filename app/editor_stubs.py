"""Let gradio be imported without writing files for editors: half of its import time.

Changes when gradio writes them elsewhere. For every component gradio parses that
component's source and renders a ``.pyi`` beside it, at every start, in a folder that
may not even be writable. No program reads these files. Where gradio has no such
function any more, nothing happens.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

WRITER_MODULE = "gradio.component_meta"
WRITER = "create_or_modify_pyi"


def leave_editor_stubs() -> None:
    """See to it that the module that writes them forgets how; call before gradio."""
    if WRITER_MODULE not in sys.modules:
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds that one module as the usual finder does, once."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return the module's spec with a loader that goes on to disarm it."""
        if fullname != WRITER_MODULE:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Disarming(spec.loader)
        return spec


class _Disarming(Loader):
    """Loads a module as another loader does, then takes the writer's pen away.

    Args:
        usual: The loader that was found.
    """

    def __init__(self, usual: Loader) -> None:
        self._usual = usual

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Return what the usual loader makes."""
        return self._usual.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module; its writer is asked for nothing from then on."""
        self._usual.exec_module(module)
        if hasattr(module, WRITER):
            setattr(module, WRITER, _write_nothing)


def _write_nothing(*_: Any) -> None:
    return None
