"""Engines that keep every weight as it was saved: what references are compared with."""

from model_core.engines.registry import ENGINES, OPTIONAL

EXACT = tuple(name for name in ENGINES if not ("int8" in name or name in OPTIONAL))
