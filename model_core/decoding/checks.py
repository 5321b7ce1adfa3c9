"""What sampling and searching refuse before they ask the network anything.

Changes when a limit that both share changes.
"""

from collections.abc import Sequence


def check_prompts(prompts: Sequence[Sequence[int]]) -> None:
    """Refuse prompts that no network can continue.

    Raises:
        ValueError: No prompt, or one without a token.
    """
    if not len(prompts):
        raise ValueError("prompts must hold at least one prompt, got none")
    empty = [row for row, prompt in enumerate(prompts) if not len(prompt)]
    if empty:
        raise ValueError(
            f"every prompt must hold at least one token id, got none in rows {empty}; "
            "start an empty text with the model's first token"
        )


def check_counts(max_new_tokens: int, num_alternatives: int) -> None:
    """Refuse counts that no decoding can follow.

    Raises:
        ValueError: A count below its limit.
    """
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens must be >= 1, got {max_new_tokens}")
    if num_alternatives < 0:
        raise ValueError(f"num_alternatives must be >= 0, got {num_alternatives}")


def check_seed(seed: int) -> None:
    """Refuse a seed that makes no stream.

    Raises:
        ValueError: A negative seed.
    """
    if seed < 0:
        raise ValueError(f"seed must be >= 0, got {seed}")
