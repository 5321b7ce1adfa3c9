"""Where weights come from: a name becomes a repository, a folder or the embedded ones.

Changes when weights may be named in a new way. Loads nothing; only ``asked`` reaches
for the hub.
"""

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from model_core.catalog import (
    CARDS,
    DEFAULT_WEIGHTS,
    HEAD_OF_ROLE,
    check_head,
    facts_of,
    find_card,
    roles_of,
)
from model_core.checkpoints.hub import HubClient, check_repo_id
from model_core.checkpoints.load_failures import no_part, refusal
from model_core.interfaces import ModelFacts, Pooling, Role, TurnLayout
from model_core.memory import weights_bytes

ModelT = TypeVar("ModelT")

EMBEDDED = "embedded"
TASK = "generation"
EMBEDDED_FOLDER = Path(__file__).resolve().parents[1] / "assets" / "embedded"
BARE_WORD = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True, slots=True)
class Source:
    """Where weights come from.

    Attributes:
        name: What the panel and the results call them.
        title: For people.
        folder: Where they lie, for weights that need no hub.
        repo_id: Which repository holds them otherwise.
        revision: Which revision of it; None for its main branch.
    """

    name: str
    title: str
    folder: Path | None = None
    repo_id: str = ""
    revision: str | None = None


EMBEDDED_SOURCE = Source(EMBEDDED, "内置小模型 · embedded", EMBEDDED_FOLDER)


def find_folder(name: str) -> Path | None:
    """Return the folder of that name, None where the name is meant for the hub.

    Raises:
        ModelError: ``not_found`` where it can only be a path, and there is none.
    """
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        folder = Path(name).expanduser().resolve()
        if folder.is_dir():
            return folder
    if not name.startswith(("/", ".", "~")):
        return None
    raise refusal("no_folder", name=name)


def find_remote(name: str) -> Source:
    """Return the repository that a catalogue name or a hub id stands for.

    Raises:
        ModelError: unknown_weights for a word that is not in the catalogue,
            unsafe_name for what is no hub id, missing_head for weights that no tab can
            use.
    """
    card = find_card(name)
    if card is None and BARE_WORD.fullmatch(name):
        raise refusal("unknown", name=name, example=DEFAULT_WEIGHTS[TASK])
    repo_id, revision = (card.repo_id, None) if card else check_repo_id(name)
    card = card or find_card(repo_id)
    if card is not None and not card.tasks:
        check_head(card.repo_id, card.refusals[0].head)
    shown = f"{repo_id}@{revision}" if revision else repo_id
    title = card.title if card and not revision else shown
    return Source(shown, title, repo_id=repo_id, revision=revision)


def told(source: Source) -> ModelFacts | None:
    """Return what the catalogue tells of weights, None where it tells nothing."""
    card = find_card(source.repo_id) if source.repo_id else None
    if source is EMBEDDED_SOURCE or source.folder is not None:
        return ModelFacts(source.name, source.title, is_here=True)
    return facts_of(card) if card is not None and card.tasks else None


def asked(source: Source, hub: HubClient, dtype: str) -> ModelFacts:
    """Return what the hub tells of weights that the catalogue does not know."""
    outline = hub.outline(source.repo_id, source.revision)
    counted = weights_bytes(outline.num_parameters, dtype)
    return ModelFacts(
        name=source.name,
        title=source.title,
        disk_bytes=outline.size_bytes,
        memory_bytes=counted or outline.weights_bytes,
        license=outline.license,
        is_here=outline.is_here,
    )


def turns_of(source: Source) -> TurnLayout:
    """Return how published weights read a conversation, as their row says it."""
    card = find_card(source.repo_id) if source.repo_id else None
    return card.turns if card else ""


def pooling_of(source: Source) -> Pooling | None:
    """Return how sentence vectors of published weights are pooled, as their row says.

    None where it says nothing.
    """
    card = find_card(source.repo_id) if source.repo_id else None
    return card.pooling if card else None


def check_part(source: Source, role: Role[ModelT]) -> None:
    """Refuse published weights that are known not to play a part, before any download.

    Raises:
        ModelError: ``missing_head``, with what they can play.
    """
    card = find_card(source.repo_id) if source.repo_id else None
    if card is None:
        return
    if role.name in HEAD_OF_ROLE:
        check_head(card.repo_id, HEAD_OF_ROLE[role.name])
    able = roles_of(card)
    if role.name not in {one.name for one in able}:
        raise no_part(source.name, role, able)


KNOWN = (
    EMBEDDED_SOURCE,
    *(find_remote(card.name) for card in CARDS if card.tasks),
)
"""What the panel always shows, in display order."""
