"""Published weights that the tabs offer: one row per checkpoint.

Changes when a tab asks its weights for another part; a checkpoint of a known family is
a row of its file here. Knows no file and no network. Facts are those of the models'
public pages; what they do not state is left empty.
"""

from collections.abc import Iterator

from model_core.catalog.card import ModelCard, Refusal
from model_core.catalog.fillers import FILLERS
from model_core.catalog.generators import GENERATORS
from model_core.catalog.judges import JUDGES
from model_core.catalog.readers import READERS
from model_core.catalog.sizes import about_bytes
from model_core.catalog.writers import WRITERS
from model_core.interfaces import (
    DIALOGUE_PARTNER,
    MASK_FILLER,
    PASSAGE_READER,
    REPLACED_TOKEN_DETECTOR,
    SENTENCE_ENCODER,
    SENTENCE_REPHRASER,
    SUMMARIZER,
    TEXT_CLASSIFIER,
    TEXT_GENERATOR,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    ModelError,
    ModelFacts,
    Role,
)

TASKS = (
    "generation", "title", "triples", "qa", "fewshot", "summary", "similarity",
    "rephrasing", "classification", "detection", "dialogue",
)  # fmt: skip
"""The tasks a row may name, in the order of the tabs."""

CARDS: tuple[ModelCard, ...] = (*GENERATORS, *FILLERS, *READERS, *WRITERS, *JUDGES)
"""In the order of the panel."""

DEFAULT_WEIGHTS: dict[str, str] = {
    "generation": "uer/gpt2-distil-chinese-cluecorpussmall",
    "dialogue": "thu-coai/CDial-GPT_LCCC-base",
    "title": "imxly/t5-pegasus-small",
    "triples": "xusenlin/uie-base",
    "summary": "IDEA-CCNL/Randeng-Pegasus-238M-Summary-Chinese",
    "qa": "uer/roberta-base-chinese-extractive-qa",
    "fewshot": "hfl/chinese-roberta-wwm-ext",
    "similarity": "Tongjilibo/simbert-chinese-small",
    "rephrasing": "Tongjilibo/simbert-chinese-small",
    "classification": "IDEA-CCNL/Erlangshen-Roberta-110M-Sentiment",
    "detection": "hfl/chinese-electra-180g-small-discriminator",
}
"""The repository a tab uses when nobody chooses; tabs of other families follow."""


ROLES_OF_TASK: dict[str, tuple[Role[object], ...]] = {
    "generation": (TEXT_GENERATOR,),
    "title": (TEXT_REWRITER,),
    "triples": (TRIPLE_POINTER,),
    "qa": (PASSAGE_READER,),
    "fewshot": (MASK_FILLER,),
    "summary": (TEXT_REWRITER, SUMMARIZER),
    "similarity": (SENTENCE_ENCODER,),
    "rephrasing": (SENTENCE_REPHRASER,),
    "classification": (TEXT_CLASSIFIER,),
    "detection": (REPLACED_TOKEN_DETECTOR,),
    "dialogue": (DIALOGUE_PARTNER,),
}
"""The parts that a tab asks published weights for."""

TASK_OF_ROLE: dict[str, str] = {
    role.name: task for task, roles in reversed(ROLES_OF_TASK.items()) for role in roles
}
"""The tab whose default weights a part prefers."""

HEAD_OF_ROLE: dict[str, str] = {
    MASK_FILLER.name: "masked_lm",
    PASSAGE_READER.name: "span",
    TEXT_CLASSIFIER.name: "classifier",
    REPLACED_TOKEN_DETECTOR.name: "replaced",
}
"""The one head that a part asks of weights which say nothing of themselves."""


def roles_of(card: ModelCard) -> tuple[Role[object], ...]:
    """Return the parts that a row's weights can play, before they are loaded."""
    every = (role for task in card.tasks for role in ROLES_OF_TASK[task])
    return tuple(dict.fromkeys(every))


def facts_of(card: ModelCard) -> ModelFacts:
    """Return what a row tells of weights before they come."""
    return ModelFacts(
        name=card.repo_id,
        title=card.title,
        family=card.family,
        tasks=card.tasks,
        disk_bytes=card.download_bytes or about_bytes(card.repo_id),
        memory_bytes=about_bytes(card.repo_id),
        license=card.license,
        note=card.note,
    )


def find_card(name: str) -> ModelCard | None:
    """Return the row of a short name or of a repository, or None."""
    wanted = name.strip()
    return next((card for card in CARDS if wanted in (card.name, card.repo_id)), None)


def cards_for(task: str) -> tuple[ModelCard, ...]:
    """Return a task's rows, its default first.

    Raises:
        ValueError: There is no such task.
    """
    if task not in TASKS:
        raise ValueError(f"expected a task of {', '.join(TASKS)}; received {task!r}")
    default = DEFAULT_WEIGHTS.get(task)
    rows = (card for card in CARDS if task in card.tasks)
    return tuple(sorted(rows, key=lambda card: card.repo_id != default))


def check_head(repo_id: str, head: str) -> None:
    """Refuse weights whose head is known to be untrained.

    Raises:
        ModelError: ``missing_head``, with the reason and what to use instead.
    """
    for refusal in _refusals(repo_id):
        if refusal.head == head:
            raise ModelError("missing_head", refusal.zh, refusal.en)


def _refusals(repo_id: str) -> Iterator[Refusal]:
    card = find_card(repo_id)
    yield from card.refusals if card else ()
