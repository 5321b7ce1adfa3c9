"""Why an engine cannot be used here. Changes with what those who choose one tell apart.

Imports nothing, so that every engine's own failure may be one of these.
"""


class EngineUnavailableError(ValueError):
    """An engine cannot be used here; says why."""
