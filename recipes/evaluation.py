"""How good the embedded core is: bits per character, and poems that keep their form.

Changes when another figure is reported. Runs what the page runs: the same loader, the
same engine, the same generator.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from demos.generation.poem import FORMS, keeps_form
from demos.generation.task import GenerationRequest
from model_core.engines.base import TokenBatch
from model_core.engines.improving import ImprovingEngine
from model_core.interfaces import TextGenerator
from model_core.roles.cast import Cast
from model_core.roles.loaded import LoadedModel, load_model
from model_core.roles.text_generator import NetworkTextGenerator
from model_core.tokenizers.base import Tokenizer

WINDOW_TOKENS = 256
STRIDE_TOKENS = 128
ROWS = 8
# First characters of many poems; none is chosen for its result.
POEM_OPENINGS = "春秋月山风云江花日夜白红青寒千万一不水天"


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens to read and which of them count.

    Attributes:
        token_ids: At most ``WINDOW_TOKENS`` ids.
        first_scored: Index of the first token whose probability counts.
    """

    token_ids: list[int]
    first_scored: int


def load(folder: Path, engine: str = "auto") -> LoadedModel:
    """Load the checkpoint to evaluate, as it writes freely."""
    heads = ("language_model",)
    whole = load_model(folder, name=folder.name, heads=heads, engine=engine)
    return settled(settled(whole).of_part("generation", heads))


def load_player(folder: Path, engine: str = "auto") -> Cast:
    """Load the checkpoint to evaluate in every part it plays."""
    return Cast(settled(load_model(folder, name=folder.name, engine=engine)))


def settled(model: LoadedModel) -> LoadedModel:
    """Return a model when no better engine is to come: one answers throughout.

    A part's own weights loaded from then on have the kernels at once.
    """
    if isinstance(model.engine, ImprovingEngine):
        model.engine.wait()
    return model


def bits_per_character(
    model: LoadedModel, documents: Path, limit_chars: int
) -> dict[str, float]:
    """Return bits per character of held-back documents, their ends included.

    Args:
        model: With a language-model head.
        documents: JSON lines with ``style`` and ``text``.
        limit_chars: Documents are read until this many characters.

    Raises:
        ValueError: There is no document.
    """
    windows: list[Window] = []
    num_chars = num_documents = unknown = 0
    for style, text in read_documents(documents):
        if num_chars >= limit_chars:
            break
        ids = document_ids(model.tokenizer, style, text)
        windows += cut_windows(ids)
        unknown += ids.count(model.tokenizer.unk_id or 0)
        num_chars += len(text)
        num_documents += 1
    if not num_chars:
        raise ValueError(f"expected documents in {documents}, received none")
    nats = sum(score_windows(model, windows))
    return {
        "bits_per_character": round(nats / np.log(2) / num_chars, 4),
        "characters": num_chars,
        "documents": num_documents,
        "unknown_tokens": unknown,
    }


def read_documents(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (style, text) of a JSON lines file."""
    with path.open(encoding="utf8") as lines:
        for line in lines:
            record = json.loads(line)
            yield record["style"], record["text"]


def document_ids(tokenizer: Tokenizer, style: str, text: str) -> list[int]:
    """Return ``[CLS][style] text [SEP]``, as in training."""
    marks = [tokenizer.token_to_id(token) for token in ("[CLS]", f"[{style}]")]
    end = tokenizer.token_to_id("[SEP]")
    return [*(m for m in marks if m is not None), *tokenizer.encode(text).token_ids] + (
        [end] if end is not None else []
    )


def cut_windows(ids: list[int]) -> Iterator[Window]:
    """Cut a document so that every token is scored once, with context before it."""
    yield Window(ids[:WINDOW_TOKENS], 2)
    done = min(WINDOW_TOKENS, len(ids))
    while done < len(ids):
        end = min(done + STRIDE_TOKENS, len(ids))
        start = max(0, end - WINDOW_TOKENS)
        yield Window(ids[start:end], done - start)
        done = end


def score_windows(model: LoadedModel, windows: list[Window]) -> Iterator[float]:
    """Yield each batch's negative log-likelihood in nats."""
    ordered = iter(sorted(windows, key=lambda window: len(window.token_ids)))
    while batch := list(islice(ordered, ROWS)):
        rows = [window.token_ids for window in batch]
        tokens = TokenBatch.from_rows(rows)
        tokens = replace(tokens, segment_ids=np.ones_like(tokens.token_ids))
        logits = model.engine.read(tokens, "causal")["logits"]
        yield sum(
            window_nats(logits[row, : len(window.token_ids)], window)
            for row, window in enumerate(batch)
        )


def window_nats(logits: np.ndarray, window: Window) -> float:
    """Return the nats of the tokens that count.

    Args:
        logits: float32 (length, vocabulary).
        window: The tokens read.
    """
    targets = np.asarray(window.token_ids[window.first_scored :])
    scores = logits[window.first_scored - 1 : -1].astype("float64")
    peak = scores.max(axis=-1)
    total = np.log(np.exp(scores - peak[:, None]).sum(axis=-1)) + peak
    return float((total - scores[np.arange(len(targets)), targets]).sum())


def poems_that_keep_form(model: LoadedModel, poems_per_form: int) -> dict[str, float]:
    """Return, for each regular form, the share of poems that keep it.

    Args:
        model: The embedded core.
        poems_per_form: Each is begun with one character of ``POEM_OPENINGS``.
    """
    generator = NetworkTextGenerator(model)
    shares = {}
    for style, form in FORMS.items():
        texts = write_poems(generator, style, poems_per_form)
        kept = sum(keeps_form(text, form) for text in texts)
        shares[style] = round(kept / poems_per_form, 4)
    return shares


def write_poems(generator: TextGenerator, style: str, count: int) -> list[str]:
    """Write poems at the page's default settings, seeds 0, 1, 2 and so on."""
    texts = []
    for seed, opening in enumerate(islice(cycle(POEM_OPENINGS), count)):
        request = GenerationRequest(opening, style=style, seed=seed)
        *_, last = generator.complete(request.prompt, request.options)
        texts.append(opening + last.candidates[0].text)
    return texts
