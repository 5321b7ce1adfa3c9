"""Engines that keep every weight as it was saved: what references are compared with."""

from model_core.engines.registry import ENGINES

EXACT = tuple(name for name in ENGINES if "int8" not in name)
