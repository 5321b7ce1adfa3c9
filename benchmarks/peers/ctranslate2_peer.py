"""CTranslate2: its converter, its own greedy and beam search in C++.

Changes when its way of converting or asking changes.
"""

import json
from importlib import import_module
from typing import Any

import ctranslate2
import numpy as np

from benchmarks.contract import Floats, Setup
from benchmarks.shapes import Ints


def prepare(setup: Setup, part: str) -> None:
    """Convert the folder with the weights in the precision that is asked for."""
    del part
    # the converter needs torch, which is not loaded where it is measured
    converters = import_module("ctranslate2.converters")
    converter = converters.TransformersConverter(str(setup.source))
    converter.convert(str(setup.made), quantization=setup.precision, force=True)


def versions() -> dict[str, str]:
    """See ``Contender.versions``."""
    return {"ctranslate2": ctranslate2.__version__}


def decoder(setup: Setup) -> "Writing":
    """See ``Contender.decoder``."""
    return Writing(setup, load(setup, ctranslate2.Generator))


def reader(setup: Setup) -> "Reading":
    """See ``Contender.reader``."""
    return Reading(load(setup, ctranslate2.Encoder))


def beam_writer(setup: Setup) -> "Writing":
    """See ``Contender.beam_writer``."""
    return Writing(setup, load(setup, ctranslate2.Translator))


def load(setup: Setup, kind: Any) -> Any:
    """Return what runs a converted network."""
    return kind(
        str(setup.made),
        device="cpu",
        compute_type=setup.precision,
        inter_threads=1,
        intra_threads=setup.threads,
    )


class Writing:
    """A ``Decoder`` and a ``BeamWriter``: it is asked in tokens, not in ids.

    Args:
        setup: Names the folder of the vocabulary.
        network: A generator or a translator.
    """

    def __init__(self, setup: Setup, network: Any) -> None:
        (path, *_) = sorted(setup.made.glob("*vocabulary.json"))
        self._tokens = json.loads(path.read_text(encoding="utf8"))
        self._ids = {token: index for index, token in enumerate(self._tokens)}
        self._network = network

    def greedy(self, prompts: Ints, num_new: int) -> Ints:
        """See ``Decoder.greedy``."""
        made = self._network.generate_batch(
            list(map(self._spelled, prompts)),
            max_length=num_new,
            min_length=num_new,
            sampling_topk=1,
            include_prompt_in_result=False,
        )
        return np.asarray([one.sequences_ids[0] for one in made], "int32")

    def write(self, source: Ints, num_beams: int, num_new: int) -> Ints:
        """See ``BeamWriter.write``."""
        made = self._network.translate_batch(
            list(map(self._spelled, source)),
            beam_size=num_beams,
            max_decoding_length=num_new,
            min_decoding_length=num_new,
        )
        rows = [one.hypotheses[0] for one in made]
        return np.asarray([list(map(self._ids.__getitem__, row)) for row in rows])

    def _spelled(self, row: Ints) -> list[str]:
        return [self._tokens[index] for index in row.tolist()]


class Reading:
    """A ``Reader``.

    Args:
        network: An encoder.
    """

    def __init__(self, network: Any) -> None:
        self._network = network

    def read(self, token_ids: Ints) -> Floats:
        """See ``Reader.read``."""
        made = self._network.forward_batch(token_ids.tolist())
        return np.asarray(made.last_hidden_state, "float32")
