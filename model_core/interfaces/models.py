"""What every part played by a model shares: its facts, its state, its failures.

Changes when the page must know another fact of any model. Knows no task.
"""

from dataclasses import dataclass
from typing import Literal

ErrorKind = Literal[
    "not_ready",
    "unknown_weights",
    "unsafe_name",
    "offline",
    "not_found",
    "gated",
    "corrupt",
    "disk",
    "network",
    "missing_head",
    "unsupported",
    "memory",
    "busy",
    "internal",
]
Language = Literal["zh", "en", "both"]


class ModelError(Exception):
    """A failure of the core, already written for the person, in both languages.

    Attributes:
        kind: What failed, for code that must decide.
        zh: One Chinese sentence that says what happened and what to do next.
        en: The same in English.
    """

    def __init__(self, kind: ErrorKind, zh: str, en: str) -> None:
        super().__init__(kind, zh, en)
        self.kind: ErrorKind = kind
        self.zh = zh
        self.en = en

    def text(self, language: Language) -> str:
        """Return the sentence in one language, or in both."""
        return {"zh": self.zh, "en": self.en}.get(language, str(self))

    def __str__(self) -> str:
        """Return both sentences, Chinese first."""
        return f"{self.zh} / {self.en}"


@dataclass(frozen=True, slots=True)
class WeightsInfo:
    """Which weights answered, and on what.

    Attributes:
        name: ``embedded``, a hub id (``owner/name``) or a folder's name.
        family: Name of the model family, e.g. ``gpt2``.
        num_parameters: Number of scalars in all weights.
        size_bytes: Bytes the weights occupy in memory.
        dtype: Keras dtype policy, e.g. ``float32``.
        engine: Name of the engine, e.g. ``keras-tensorflow``.
        device: ``cpu`` or ``gpu:0`` and so on.
        commit: The hub's 40-digit commit, or "" where there is none.
    """

    name: str
    family: str
    num_parameters: int
    size_bytes: int
    dtype: str
    engine: str
    device: str
    commit: str = ""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of weights before they come.

    Attributes:
        name: What ``load`` takes.
        title: For people.
        family: Name of the model family; "" where it is not known yet.
        tasks: Tabs that they serve, as far as it is known.
        disk_bytes: About how much comes down; 0 where it is not known.
        memory_bytes: About how much memory they will take once loaded; 0 likewise.
        budget_bytes: How much memory all loaded weights may take here.
        license: SPDX name, "" where their page states none.
        note: What a person should know before choosing them, ``中文 · English``.
        is_here: Whether they need no download any more.
    """

    name: str
    title: str
    family: str = ""
    tasks: tuple[str, ...] = ()
    disk_bytes: int = 0
    memory_bytes: int = 0
    budget_bytes: int = 0
    license: str = ""
    note: str = ""
    is_here: bool = False


ModelStatus = Literal["absent", "waiting", "downloading", "loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class ModelState:
    """One line of the model panel.

    Attributes:
        name: ``embedded``, a hub id or a folder's name.
        title: For people, e.g. ``内置小模型 · embedded``.
        status: Where the weights are on their way.
        downloaded_bytes: While downloading; with ``total_bytes`` as its limit.
        total_bytes: 0 when not known yet.
        failure: Why ``status`` is ``failed``.
        info: Set when ``ready``.
    """

    name: str
    title: str
    status: ModelStatus
    downloaded_bytes: int = 0
    total_bytes: int = 0
    failure: ModelError | None = None
    info: WeightsInfo | None = None
