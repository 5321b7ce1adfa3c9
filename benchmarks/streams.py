"""Ten people at once: the project's own text generator, a thread per person.

Changes when the streams are measured otherwise. Ours alone: the peers have no part that
streams texts to several people.
"""

import gc
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.clock import resident_mb
from benchmarks.shapes import NUM_STREAMS
from model_core.interfaces import TEXT_GENERATOR, GenerationOptions, TextGenerator
from model_core.roles.cast import Cast
from model_core.roles.loaded import load_model
from model_core.tokenizers.base import Tokenizer

PROMPT_CHARS = 16
NUM_ALONE = 3


@dataclass(frozen=True, slots=True)
class Stream:
    """What one person got.

    Attributes:
        text: The whole continuation.
        first_seconds: Until the first token.
        seconds: Until the last.
        stall_seconds: The longest wait between two tokens.
        num_tokens: New ones.
    """

    text: str
    first_seconds: float
    seconds: float
    stall_seconds: float
    num_tokens: int


def report(folder: Path, engine: str, tokens: int) -> dict[str, Any]:
    """Measure one stream, then ten at once.

    Args:
        folder: A checkpoint that continues texts.
        engine: Of the registry.
        tokens: New tokens of each stream.

    Returns:
        Under ``cases``, tokens per second alone and together, their ratio, first tokens
        and stalls in seconds, megabytes, and how many of those who were heard alone got
        the same.
    """
    started = time.perf_counter()
    model = load_model(folder, name="streams", engine=engine)
    generator = Cast(model).play(TEXT_GENERATOR)
    prompts = drawn_prompts(model.tokenizer)
    write = partial(followed, generator, tokens)
    write(0, prompts[0])
    gc.freeze()  # as the server does once the page is up
    alone = [write(seed, prompts[seed]) for seed in range(NUM_ALONE)]
    began = time.perf_counter()
    with ThreadPoolExecutor(NUM_STREAMS) as pool:
        together = list(pool.map(write, range(NUM_STREAMS), prompts))
    seconds = time.perf_counter() - began
    figures = figures_of(alone, together, seconds)
    return {
        "cases": {f"{NUM_STREAMS} streams": figures},
        "process_seconds": time.perf_counter() - started,
        "peak_mb": resident_mb("VmHWM"),
        "versions": {"keras": version("keras")},
    }


def figures_of(
    alone: list[Stream], together: list[Stream], seconds: float
) -> dict[str, Any]:
    """Return the figures of streams one by one and at once.

    Args:
        alone: The first few, each by itself.
        together: All at once.
        seconds: From the first one's start to the last one's end.
    """
    one = sum(s.num_tokens for s in alone) / sum(s.seconds for s in alone)
    many = sum(stream.num_tokens for stream in together) / seconds
    return {
        "tokens_per_second_alone": one,
        "tokens_per_second": many,
        "gain": many / one,
        "first_token_seconds_alone": max(stream.first_seconds for stream in alone),
        "first_token_seconds": max(stream.first_seconds for stream in together),
        "stall_seconds": max(stream.stall_seconds for stream in together),
        "resident_mb": resident_mb(),
        "tokens": len(alone),
        "same": sum(a.text == b.text for a, b in zip(alone, together, strict=False)),
    }


def followed(generator: TextGenerator, tokens: int, seed: int, prompt: str) -> Stream:
    """Return what a stream gave and when.

    Args:
        generator: Shared by all.
        tokens: Exactly so many are written.
        seed: The person's own.
        prompt: The person's own.
    """
    options = GenerationOptions(
        max_new_tokens=tokens, min_new_tokens=tokens, top_k=50, seed=seed
    )
    began = time.perf_counter()
    times: list[float] = []
    last = None
    for frame in generator.complete(prompt, options):
        times.append(time.perf_counter() - began)
        last = frame
    if last is None:
        raise ValueError(f"nothing was written behind {prompt!r}")
    gaps = [later - sooner for sooner, later in pairwise(times)]
    return Stream(
        last.candidates[0].text,
        times[0],
        times[-1],
        max(gaps, default=0.0),
        last.num_new_tokens,
    )


def drawn_prompts(tokenizer: Tokenizer) -> list[str]:
    """Return a prompt per person, of characters that the vocabulary has."""
    known = [
        text
        for index in range(tokenizer.vocab_size)
        if len(text := tokenizer.token_text(index)) == 1 and "一" <= text <= "鿿"
    ]
    starts = (PROMPT_CHARS * index for index in range(NUM_STREAMS))
    return ["".join((known * PROMPT_CHARS)[s : s + PROMPT_CHARS]) for s in starts]
