"""What can be read off hidden states: one table of heads.

Changes when a head is added. Heads know the width of the hidden states and the token
embedding, never a task.
"""

from model_core.models.heads.base import Head, HiddenStates, TokenTable
from model_core.models.heads.pointing import GPLinkerHead, HalfPointerHead
from model_core.models.heads.reading import ClauseHead, CopyHead, PoolerHead, SpanHead
from model_core.models.heads.sentence import (
    ClassifierHead,
    NextSentenceHead,
    PromptedSpanHead,
    ReplacedHead,
)
from model_core.models.heads.vocabulary import (
    LanguageModelHead,
    MaskedLanguageModelHead,
    SourcePriorHead,
    vocabulary_logits,
)

HEADS: dict[str, type[Head]] = {
    "language_model": LanguageModelHead,
    "masked_lm": MaskedLanguageModelHead,
    "source_prior": SourcePriorHead,
    "pooler": PoolerHead,
    "span": SpanHead,
    "prompted_span": PromptedSpanHead,
    "classifier": ClassifierHead,
    "next_sentence": NextSentenceHead,
    "replaced": ReplacedHead,
    "copy": CopyHead,
    "clauses": ClauseHead,
    "half_pointer": HalfPointerHead,
    "gplinker": GPLinkerHead,
}

__all__ = ["HEADS", "Head", "HiddenStates", "TokenTable", "vocabulary_logits"]
