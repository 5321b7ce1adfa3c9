"""A generation as a record for files and as text for a terminal.

Changes when people who script against the output need another field.
"""

from demos.candidates import candidate_record, settled
from demos.generation.task import GenerationResult
from demos.records import name_of

ADDED_FIELDS = ("texts", "seed", "weights")  # what to_record adds to the request's own


def to_record(result: GenerationResult) -> dict[str, object]:
    """Return the prompt, every continuation without it, the seed and the weights."""
    return {
        "prompt": result.request.prompt,
        "texts": [candidate_record(candidate) for candidate in result.candidates],
        "seed": result.frame.seed,
        "weights": name_of(result.frame.weights),
    }


def render_text(result: GenerationResult) -> str:
    """Return prompt and continuation; several continuations under their numbers.

    Every later frame of one generation extends this text: a continuation appears when
    those before it have come to their end.
    """
    prompt = result.request.prompt
    texts = [prompt + candidate.text for candidate in settled(result.candidates)]
    if len(result.candidates) == 1:
        return texts[0]
    return "\n\n".join(f"【{rank}】\n{text}" for rank, text in enumerate(texts, 1))
