"""What a demo or the page may know of a model: plain values and Protocols.

One file per part that a model plays. Imports nothing heavier than numpy and knows no
framework, no file and no network.
"""

from model_core.interfaces.clauses import (
    ClauseScorer,
    Summarizer,
)
from model_core.interfaces.cloze import (
    Blanked,
    LearningFrame,
    LearningOptions,
    MaskFiller,
)
from model_core.interfaces.dialogue import (
    SPEAKERS,
    DialogueFrame,
    DialogueOptions,
    DialoguePartner,
    Speaker,
    Turn,
    TurnLayout,
)
from model_core.interfaces.facts import (
    FactAnswer,
    FactFinder,
    FactKey,
    FactMatch,
    FactTree,
)
from model_core.interfaces.generation import (
    Alternative,
    Candidate,
    Finish,
    GenerationFrame,
    GenerationOptions,
    TextGenerator,
    TokenScore,
)
from model_core.interfaces.models import (
    ErrorKind,
    Language,
    ModelError,
    ModelState,
    ModelStatus,
    WeightsInfo,
)
from model_core.interfaces.pointing import (
    PointedTriple,
    Relation,
    TripleDecoder,
    TriplePointer,
)
from model_core.interfaces.reading import (
    PassageReader,
    PassageVote,
    ReadAnswer,
    ReadingFrame,
    ReadingMode,
    ReadingOptions,
)
from model_core.interfaces.rewriting import (
    AttentionPicture,
    CopiedSpan,
    RewriteFrame,
    RewriteOptions,
    Rewriting,
    TextRewriter,
)
from model_core.interfaces.roles import (
    DIALOGUE_PARTNER,
    FACT_FINDER,
    MASK_FILLER,
    PASSAGE_READER,
    ROLES,
    SUMMARIZER,
    TEXT_GENERATOR,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    Player,
    Role,
)

__all__ = [
    "DIALOGUE_PARTNER",
    "FACT_FINDER",
    "MASK_FILLER",
    "PASSAGE_READER",
    "ROLES",
    "SPEAKERS",
    "SUMMARIZER",
    "TEXT_GENERATOR",
    "TEXT_REWRITER",
    "TRIPLE_POINTER",
    "Alternative",
    "AttentionPicture",
    "Blanked",
    "Candidate",
    "ClauseScorer",
    "CopiedSpan",
    "DialogueFrame",
    "DialogueOptions",
    "DialoguePartner",
    "ErrorKind",
    "FactAnswer",
    "FactFinder",
    "FactKey",
    "FactMatch",
    "FactTree",
    "Finish",
    "GenerationFrame",
    "GenerationOptions",
    "Language",
    "LearningFrame",
    "LearningOptions",
    "MaskFiller",
    "ModelError",
    "ModelState",
    "ModelStatus",
    "PassageReader",
    "PassageVote",
    "Player",
    "PointedTriple",
    "ReadAnswer",
    "ReadingFrame",
    "ReadingMode",
    "ReadingOptions",
    "Relation",
    "RewriteFrame",
    "RewriteOptions",
    "Rewriting",
    "Role",
    "Speaker",
    "Summarizer",
    "TextGenerator",
    "TextRewriter",
    "TokenScore",
    "TripleDecoder",
    "TriplePointer",
    "Turn",
    "TurnLayout",
    "WeightsInfo",
]
