"""Our Keras engine on a graphics card: the whole loop compiled, and step by step.

Changes when our engine is asked otherwise. Loads the framework; ``gpu_once.py`` calls.
"""

import time
from collections.abc import Callable, Iterator
from importlib.metadata import version

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from benchmarks.gpu_shapes import BYTES, GpuShape
from model_core.config import TransformerConfig
from model_core.decoding.chunks import Writer
from model_core.decoding.frames import DecodingFrame
from model_core.decoding.logits import TopK
from model_core.decoding.loop import SamplingOptions, generate
from model_core.engines.backend import active_backend
from model_core.engines.base import PlainStepper, Writing
from model_core.engines.keras_engine import KerasEngine
from model_core.models.network import Network, weights_by_name

LIVELIER = 3.0
"""Times what a fresh network has: one that is not livened repeats a token for ever."""
LIVENED = ("position_embedding/embeddings", "inner/kernel", "outer/kernel")
COPIED_BYTES = 2**31
COPIED_ON_CPU = 2**26
COPIES = 8
ROUNDS = 5

Text = Callable[[int], npt.NDArray[np.int32]]


def engine_of(shape: GpuShape, dtype: str) -> KerasEngine:
    """Return the engine over random weights, its loop whole wherever it runs."""
    keras.utils.set_random_seed(0)
    config = TransformerConfig(
        vocab_size=shape.vocab_size,
        hidden_size=shape.width,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.num_heads,
        intermediate_size=4 * shape.width,
        max_position_embeddings=1024,
        type_vocab_size=0,
        hidden_act="gelu_new",
        layer_norm_eps=1e-5,
        **shape.norms,
    )
    network = Network(config, ("language_model",), dtype=dtype)
    for name, weight in weights_by_name(network).items():
        if name.endswith(LIVENED):
            weight.assign(ops.multiply(weight.value, LIVELIER))
    return KerasEngine(network, whole_loop=True)


def ways(engine: KerasEngine, prompts: list[list[int]]) -> dict[str, Text]:
    """Return how texts are written behind prompts: by the chunk, and step by step."""
    stepper = engine.stepper(Writing())
    plain, itself = PlainStepper(stepper), stepper.itself
    if itself is None:
        raise ValueError(f"{engine.name} has no whole loop")
    writer = Writer(plain, itself)
    return {
        "ours, whole loop": lambda most: text_of(
            writer.generate(prompts, greedy(most))
        ),
        "ours, step by step": lambda most: text_of(
            generate(plain, prompts, greedy(most))
        ),
    }


def greedy(most: int) -> SamplingOptions:
    """Return the options of the most probable text of a length."""
    return SamplingOptions(most, rules=(TopK(1),))


def text_of(frames: Iterator[DecodingFrame]) -> npt.NDArray[np.int32]:
    """Return the new tokens of a whole text, int32 (batch, new)."""
    *_, last = frames
    return np.asarray([row.token_ids for row in last.rows], "int32")


def bytes_per_second() -> float:
    """Return what the device reads and writes a second while it copies."""
    backend = active_backend()
    size = COPIED_BYTES if backend.accelerator() else COPIED_ON_CPU
    numbers = ops.zeros((size // BYTES["float32"],), "float32")
    copy = backend.compile_whole(lambda x: x + 1.0, (), (0,))
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(COPIES):
            numbers = copy(numbers)
        float(numbers[0])  # waits
        seconds.append(time.perf_counter() - began)
    return 2.0 * size * COPIES / min(seconds)


def memory_mb() -> float:
    """Return the most memory that the device gave so far; 0 where it does not tell."""
    if keras.backend.backend() != "jax":
        return 0.0
    import jax  # noqa: PLC0415 - only where it is the backend

    told = jax.devices()[0].memory_stats() or {}
    return float(told.get("peak_bytes_in_use", 0)) / 2**20


def versions() -> dict[str, str]:
    """Return the versions of what computes."""
    return {name: version(name) for name in ("keras", keras.backend.backend())}
