"""Token healing: lets a prompt that ends inside a word be continued as that word.

Changes when another way to back off proves better. Knows a vocabulary only by two
questions. The idea: Su Jianlin, kexue.fm/archives/9762.

Where 白云 and 白云机场 are tokens, the prompt 广州的白云 almost never becomes 白云机场:
a text about the airport never held the token 白云. So the last token is taken back
and whatever is generated first must spell it again::

    unhealed   广州 的 白云   then anything
    healed     广州 的        then 白云 | 白云机场 | 白 and 云… , then anything
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from model_core.decoding.history import History
from model_core.decoding.logits import LogitsRule, only
from model_core.decoding.stepper import Logits, TokenIds

MAX_REMOVED_TOKENS = 3


class HealingVocabulary(Protocol):
    """What healing must know of a tokenizer."""

    def token_text(self, token_id: int) -> str:
        """Return a token's characters without marks ("##ing" is "ing", [SEP] is "")."""
        ...

    def ids_starting_with(self, prefix: str, *, continuation: bool) -> Iterable[int]:
        """Return the tokens whose text starts with a prefix of at least one character.

        Args:
            prefix: In the tokens' own spelling (lower case where they are).
            continuation: True for tokens that continue a word without a space
                ("##ing"), False for those that begin one. A vocabulary that draws no
                such line answers both alike.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Spelling:
    """Rule: the new tokens must spell a text before they are free.

    Equal to itself alone: streams compare the rules of their rows at every step.

    Attributes:
        vocabulary: Knows the tokens' texts.
        text: To be spelled, at least one character.
        allowed: For every end of the text that may be left to spell, the tokens that
            start with it or are a prefix of it with a way on.
    """

    vocabulary: HealingVocabulary
    text: str
    allowed: dict[str, TokenIds]

    @property
    def num_tokens_ruled(self) -> int:
        """New tokens after which it changes nothing."""
        return len(self.text)

    def __call__(self, logits: Logits, history: History) -> Logits:
        """Forbid tokens that leave the text, in rows that have not spelled it yet."""
        constrained = logits
        for row in np.flatnonzero(history.num_new_tokens < len(self.text)).tolist():
            allowed = self.allowed.get(self._rest(history.new_tokens(row)))
            if allowed is not None:
                constrained = only(constrained, row, allowed, logits)
        return constrained

    def _rest(self, new_tokens: npt.NDArray[np.integer]) -> str:
        """Return what is left to spell; "" once spelled, or if the text was left."""
        spelled = "".join(self.vocabulary.token_text(i) for i in new_tokens.tolist())
        return self.text[len(spelled) :] if self.text.startswith(spelled) else ""


@dataclass(frozen=True, slots=True)
class Healed:
    """A prompt with its end taken back.

    Attributes:
        token_ids: What is left of the prompt.
        removed_text: What the taken tokens spelled, "" where nothing was taken. The
            generated text begins with it; ``continuation`` cuts it off again.
        num_removed_tokens: To be generated again: add them to ``max_new_tokens``, and
            to ``min_new_tokens`` where there is one.
        rules: Makes the generated text begin with ``removed_text``; empty where
            nothing was taken.
    """

    token_ids: tuple[int, ...]
    removed_text: str = ""
    num_removed_tokens: int = 0
    rules: tuple[LogitsRule, ...] = ()

    def continuation(self, generated_text: str) -> str:
        """Return the part of a generated text that goes beyond the prompt.

        Args:
            generated_text: So far; a space that decoding put before it is dropped.
        """
        removed = self.removed_text
        if not generated_text.startswith(removed):
            # decoding writes no space before a text's first word: neither may count
            generated_text = generated_text.removeprefix(" ")
            removed = removed.removeprefix(" ")
        return generated_text[len(removed) :]


def heal(
    token_ids: Sequence[int],
    spans: Sequence[tuple[int, int]],
    vocabulary: HealingVocabulary,
    *,
    num_prompt_chars: int,
    num_kept_tokens: int = 1,
) -> Healed:
    """Take back the tokens with which a prompt may have been cut inside a word.

    Of the last one, two or three tokens the most are taken whose joined text is the
    beginning of a longer token. They must touch each other and the prompt's end, and
    none may be special: after a space or a mark nothing is healed. In a vocabulary of
    single characters nothing ever is, for the price of three look-ups.

    The first steps are constrained, each by itself; the probability of the whole word
    is not weighed against other spellings beforehand.

    Args:
        token_ids: The prompt, without marks before it.
        spans: (start, end) of every token in the prompt's characters.
        vocabulary: The tokenizer's.
        num_prompt_chars: Length of the prompt.
        num_kept_tokens: Tokens that must stay; 0 where a [CLS] will stand before.

    Returns:
        The prompt as it was where there is nothing to heal.
    """
    count = _num_tokens_to_remove(
        token_ids[num_kept_tokens:],
        spans[num_kept_tokens:],
        vocabulary,
        num_prompt_chars,
    )
    if not count:
        return Healed(tuple(token_ids))
    removed = token_ids[-count:]
    text = "".join(vocabulary.token_text(token_id) for token_id in removed)
    inside_word = _continues_a_word(removed[0], vocabulary)
    spelling = Spelling(
        vocabulary, text, _allowed(text, vocabulary, inside_word=inside_word)
    )
    return Healed(tuple(token_ids[:-count]), text, count, (spelling,))


def _num_tokens_to_remove(
    token_ids: Sequence[int],
    spans: Sequence[tuple[int, int]],
    vocabulary: HealingVocabulary,
    num_prompt_chars: int,
) -> int:
    best = 0
    text = ""
    expected_end = num_prompt_chars
    for count in range(1, min(MAX_REMOVED_TOKENS, len(token_ids)) + 1):
        token_id, (start, end) = token_ids[-count], spans[-count]
        token_text = vocabulary.token_text(token_id)
        if end != expected_end or not token_text:
            break
        text, expected_end = token_text + text, start
        inside_word = _continues_a_word(token_id, vocabulary)
        if _has_longer_token(text, vocabulary, inside_word=inside_word):
            best = count
    return best


def _continues_a_word(token_id: int, vocabulary: HealingVocabulary) -> bool:
    text = vocabulary.token_text(token_id)
    begins = vocabulary.ids_starting_with(text, continuation=False)
    return token_id not in set(begins)


def _has_longer_token(
    text: str, vocabulary: HealingVocabulary, *, inside_word: bool
) -> bool:
    ids = vocabulary.ids_starting_with(text, continuation=inside_word)
    return any(len(vocabulary.token_text(token_id)) > len(text) for token_id in ids)


def _allowed(
    text: str, vocabulary: HealingVocabulary, *, inside_word: bool
) -> dict[str, TokenIds]:
    """Return the tokens that may come next for every end of the text, where any may."""
    allowed: dict[str, TokenIds] = {}
    for start in reversed(range(len(text))):
        rest = text[start:]
        continues = inside_word if start == 0 else _is_inside_word(text, start)
        ids = [
            token_id
            for token_id in vocabulary.ids_starting_with(
                rest[0], continuation=continues
            )
            if _spells(vocabulary.token_text(token_id), rest, allowed)
        ]
        if ids:
            allowed[rest] = np.array(sorted(ids), np.int32)
    return allowed


def _spells(token_text: str, rest: str, allowed: dict[str, TokenIds]) -> bool:
    """Whether a token covers the rest, or begins it and another can go on."""
    if token_text.startswith(rest):
        return True
    return rest.startswith(token_text) and rest[len(token_text) :] in allowed


def _is_inside_word(text: str, place: int) -> bool:
    """Whether a tokenizer would mark a token that begins here as a continuation.

    Letters that are written with spaces between words do; Chinese characters do not.
    """
    return all(
        char.isalnum() and not _is_ideograph(char) for char in text[place - 1 :][:2]
    )


def _is_ideograph(char: str) -> bool:
    return char >= "\u2e80"
