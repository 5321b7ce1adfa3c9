"""A folder becomes something that can play: network, tokenizer, engine, facts.

Changes when playing needs another part. Knows no task and no network address.
"""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from model_core.checkpoints.load import load_network
from model_core.checkpoints.survey import Heads
from model_core.config import TransformerConfig
from model_core.engines.base import Engine
from model_core.engines.registry import build_engine
from model_core.interfaces import Pooling, TurnLayout, WeightsInfo
from model_core.masks import MaskKind
from model_core.models.network import Network
from model_core.roles.formats import Formats
from model_core.roles.parts import Parts, load_parts
from model_core.roles.prompt_format import PromptFormat, load_prompt_format
from model_core.roles.turn_format import layout_of
from model_core.tokenizers.base import Tokenizer
from model_core.tokenizers.load import load_tokenizer
from model_core.tokenizers.word_marks import NUM_MARKS, WORD_MARKS

ITEM_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a network is to run on; see ``load_model``."""

    engine: str
    dtype: str


class _OwnModels:
    """Those loaded with a part's own weights, each once: parts may share a file."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.by_file: dict[tuple[str, Heads], LoadedModel] = {}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """Everything a role needs.

    Attributes:
        loaded: Which weights, and what they were loaded onto.
        config: The network's sizes.
        tokenizer: The checkpoint's.
        engine: Runs the network.
        prompt_format: What stands around a prompt.
        parts: What a checkpoint of ours was trained for.
        formats: Lays texts out for these parts.
        turn_layout: How it reads a conversation; "" where it was not trained on any.
        folder: Where it was loaded from.
        asked: What it was to run on.
        attention: How its positions see each other where no part says otherwise.
        pooling: How a sentence's vector is read off it; None where nothing is said.
    """

    loaded: WeightsInfo
    config: TransformerConfig
    tokenizer: Tokenizer
    engine: Engine
    prompt_format: PromptFormat
    parts: Parts
    formats: Formats
    turn_layout: TurnLayout
    folder: Path
    asked: Asked
    attention: MaskKind
    pooling: Pooling | None = None
    _own: _OwnModels = field(default_factory=_OwnModels, compare=False, repr=False)

    def of_part(self, part: str, heads: Heads) -> "LoadedModel":
        """Return what plays a part: this, or the same with the part's own weights.

        Args:
            part: Of ``parts.PARTS``.
            heads: Those it reads, where it has weights of its own.

        Raises:
            ValueError: They cannot be read.
        """
        file_name = self.parts.own_weights.get(part)
        if file_name is None:
            return self
        own, key = self._own, (file_name, heads)
        with own.lock:
            if key not in own.by_file:
                own.by_file[key] = self._with(file_name, heads)
            return own.by_file[key]

    def _with(self, file_name: str, heads: Heads) -> "LoadedModel":
        asked = self.asked
        own = load_network(
            self.folder,
            heads=heads,
            dtype=asked.dtype,
            own_weights=file_name,
            lender=self.engine.network,
        )
        return replace(self, engine=build_engine(asked.engine, own.network))

    @property
    def info(self) -> WeightsInfo:
        """Which weights, on what now: a faster engine may have come since."""
        engine = self.engine
        return replace(self.loaded, engine=engine.name, device=engine.device)


def load_model(
    folder: Path,
    *,
    name: str,
    heads: Heads = "all",
    commit: str = "",
    engine: str = "auto",
    dtype: str = "float32",
    turns: TurnLayout = "",
    pooling: Pooling | None = None,
) -> LoadedModel:
    """Load a checkpoint with its heads.

    Args:
        folder: Holds weights, config and vocabulary.
        name: What the person calls these weights.
        heads: Heads that are needed, or "all" that the checkpoint has.
        commit: The hub's, "" for none.
        engine: ``auto`` or an engine's name.
        dtype: Keras dtype policy.
        turns: How these weights read a conversation, where the vocabulary does not
            say it.
        pooling: How sentence vectors of these weights are read off, where it is known.

    Raises:
        ValueError: The folder's content cannot be used; the text says why. Missing
            head tensors are a ``MissingHeadError``, which is one.
    """
    loaded = load_network(folder, heads=heads, dtype=dtype)
    tokenizer = load_tokenizer(folder)
    if tokenizer.vocab_size > loaded.config.vocab_size:
        raise ValueError(
            f"the vocabulary has {tokenizer.vocab_size} entries, but the weights have "
            f"{loaded.config.vocab_size} rows"
        )
    parts = load_parts(folder)
    _check_parts(parts, loaded.config)
    runner = build_engine(engine, loaded.network)
    family = loaded.family.name
    return LoadedModel(
        loaded=describe(loaded.network, family, name, commit, runner),
        config=loaded.config,
        tokenizer=tokenizer,
        engine=runner,
        prompt_format=load_prompt_format(folder, family),
        parts=parts,
        formats=Formats(tokenizer, WORD_MARKS if parts.word_marks else None),
        turn_layout=turns or layout_of(tokenizer),
        folder=folder,
        asked=Asked(engine, dtype),
        attention=loaded.family.attention,
        pooling=pooling,
    )


def _check_parts(parts: Parts, config: TransformerConfig) -> None:
    """Refuse parts that speak of other weights than these."""
    told = {
        "relations": (len(parts.relations), config.num_relations),
        "conditions": (len(parts.conditions), config.num_conditions),
    }
    if parts.word_marks:
        told["word marks"] = (NUM_MARKS, config.mark_vocab_size)
    for what, (named, held) in told.items():
        if named and named != held:
            raise ValueError(
                f"parts.json tells of {named} {what}, but the weights have {held}"
            )


def describe(
    network: Network, family: str, name: str, commit: str, engine: Engine
) -> WeightsInfo:
    """Return the facts the page shows of loaded weights."""
    sizes = [(math.prod(w.shape), str(w.dtype)) for w in network.trainable_weights]
    return WeightsInfo(
        name=name,
        family=family,
        num_parameters=sum(size for size, _ in sizes),
        size_bytes=sum(size * ITEM_BYTES[dtype] for size, dtype in sizes),
        dtype=network.dtype_policy.name,
        engine=engine.name,
        device=engine.device,
        commit=commit,
    )
