"""Why OpenVINO cannot be used. Changes with what callers tell apart."""

from model_core.engines.failures import EngineUnavailableError


class OpenVinoUnavailableError(EngineUnavailableError):
    """OpenVINO cannot run a network here; says why."""
