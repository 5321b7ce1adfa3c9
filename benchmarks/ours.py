"""Our own engines as contenders: any of the registry, asked through its interface.

Changes when engines are built or asked otherwise.
"""

from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.contract import Decoder, Floats, GreedySteps, Setup
from benchmarks.shapes import Ints
from model_core.checkpoints.survey import Heads
from model_core.decoding.beam import BeamOptions, beam_search
from model_core.engines.base import (
    Engine,
    PlainStepper,
    TokenBatch,
    Writing,
    causal_steps,
)
from model_core.engines.improving import ImprovingEngine
from model_core.engines.registry import OPTIONAL
from model_core.roles.loaded import LoadedModel, load_model
from model_core.roles.target_format import load_target_format


def prepare(setup: Setup, part: str) -> None:
    """Convert nothing: what transformers wrote is read as it is."""
    del setup, part


def versions() -> dict[str, str]:
    """See ``Contender.versions``."""
    names = ["keras", "tensorflow"]
    names += [name for name in OPTIONAL.values() if find_spec(name)]
    return {name: version(name) for name in names}


def decoder(setup: Setup) -> Decoder:
    """See ``Contender.decoder``."""
    return GreedySteps(EngineSteps(load(setup, ("language_model",)).engine))


def reader(setup: Setup) -> "EngineReader":
    """See ``Contender.reader``."""
    return EngineReader(load(setup, ()).engine)


def beam_writer(setup: Setup) -> "EngineBeams":
    """See ``Contender.beam_writer``."""
    return EngineBeams(load(setup, ("language_model",)))


def load(setup: Setup, heads: Heads) -> LoadedModel:
    """Load the folder behind the engine that the setup names, and wait for it.

    Raises:
        ValueError: Another engine answers in its place.
    """
    model = load_model(setup.source, name="random", heads=heads, engine=setup.engine)
    if isinstance(model.engine, ImprovingEngine):
        model.engine.wait()
    if setup.engine in OPTIONAL and not model.engine.name.startswith(setup.engine):
        raise ValueError(f"{setup.engine} is not here: {model.engine.name} answers")
    return model


class EngineSteps:
    """Steps of an engine.

    Args:
        engine: With a vocabulary's head.
    """

    def __init__(self, engine: Engine) -> None:
        self._steps = causal_steps(engine)

    def read(self, prompts: Ints, num_new: int) -> tuple[Floats, Any]:
        """See ``Steps.read``."""
        batch, length = prompts.shape
        lengths = np.full(batch, length, "int32")
        return self._steps.prefill(prompts, lengths, length + num_new)

    def step(self, token_ids: Ints, positions: Ints, cache: Any) -> tuple[Floats, Any]:
        """See ``Steps.step``."""
        return self._steps.decode_one_token(token_ids, positions, cache)


class EngineReader:
    """The hidden states of an engine.

    Args:
        engine: Of an encoder.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, token_ids: Ints) -> Floats:
        """See ``Reader.read``."""
        whole = np.ones_like(token_ids, "bool")
        batch = TokenBatch(token_ids, np.zeros_like(token_ids), whole)
        return self._engine.read(batch, "bidirectional", ())["hidden"]


class EngineBeams:
    """The project's own search over an engine's steps.

    Args:
        model: An encoder-decoder.
    """

    def __init__(self, model: LoadedModel) -> None:
        written = load_target_format(model.folder, model.tokenizer)
        self._stepper = PlainStepper(
            model.engine.stepper(Writing(start_ids=written.start))
        )
        self._stop = frozenset(written.stop)

    def write(self, source: Ints, num_beams: int, num_new: int) -> Ints:
        """See ``BeamWriter.write``."""
        options = BeamOptions(num_new, num_beams, stop_token_ids=self._stop)
        *_, last = beam_search(self._stepper, source[0].tolist(), options)
        return np.asarray([last.rows[0].token_ids], "int32")
