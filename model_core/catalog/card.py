"""What a row of the catalogue says of a published checkpoint.

Changes when a row may say something new. Commits and digests are the hub's to declare,
so none stand here.
"""

from dataclasses import dataclass
from typing import Literal

from model_core.interfaces import Pooling, TurnLayout

PromptFormat = Literal["plain", "cls_first"]
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """A head that a checkpoint must not be used with, and why."""

    head: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One published checkpoint.

    Attributes:
        name: Short name, unique, accepted wherever weights are named.
        repo_id: Where the hub has it.
        family: A key of ``model_core.models.families.FAMILIES``.
        head: The head it is published with, a key of ``model_core.models.heads.HEADS``.
        tasks: Tabs that may offer it; of ``TASKS``.
        title: For people, ``中文 · English``.
        download_bytes: About how much comes down; 0 where it is not published.
        license: SPDX name, "" where the model's page states none.
        note: What a person should know before choosing it, ``中文 · English``.
        prompt_format: ``cls_first`` where a prompt starts with ``[CLS]``.
        turns: How it reads a conversation, where it can hold one.
        pooling: How a sentence's vector is read off it; None where nothing is said.
        refusals: Heads whose weights in this checkpoint are not trained.
    """

    name: str
    repo_id: str
    family: str
    head: str
    tasks: tuple[str, ...]
    title: str
    download_bytes: int = 0
    license: str = ""
    note: str = ""
    prompt_format: PromptFormat = "plain"
    turns: TurnLayout = ""
    pooling: Pooling | None = None
    refusals: tuple[Refusal, ...] = ()
