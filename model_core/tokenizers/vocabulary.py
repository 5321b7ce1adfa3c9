"""Tokens by id and the parts they play; changes when a token may play another part.

Knows no algorithm: it says which tokens a text may become and which mean something
to the network alone.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

PREVIEW_TOKENS = 5
MAX_TOKENS = 1_000_000
MAX_GAP = 10_000  # ids without a token, before one that was added
# never a part of a text: BERT's spare lines, T5's and Pegasus' sentinels
MARK = re.compile(r"\[unused\d+\]|▁?<(extra_id|unk)_\d+>")


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """Tokens with a part to play, as the vocabulary spells them; None for none.

    Attributes:
        pad: Fills a batch up.
        unk: Stands for what the vocabulary cannot spell.
        cls: Opens a sequence.
        sep: Closes a sequence.
        mask: A blank to fill.
        bos: What a generated sequence starts from.
        eos: Ends a generated sequence.
        newline: Stands for a line break and is written as one.
        additional: Further ones, e.g. marks of a style; those that the vocabulary
            lacks have no id and are passed over.
    """

    pad: str | None = "[PAD]"
    unk: str | None = "[UNK]"
    cls: str | None = "[CLS]"
    sep: str | None = "[SEP]"
    mask: str | None = "[MASK]"
    bos: str | None = None
    eos: str | None = None
    newline: str | None = None
    additional: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """All of them but the newline, which is a character of the text."""
        roles = (self.pad, self.unk, self.cls, self.sep, self.mask, self.bos, self.eos)
        named = {token for token in roles if token is not None}
        return (self.additional | named) - {self.newline}


BERT_TOKENS = SpecialTokens()
NO_TOKENS = SpecialTokens(pad=None, unk=None, cls=None, sep=None, mask=None)
ROLES = tuple(f.name for f in fields(SpecialTokens) if f.name != "additional")


@dataclass(frozen=True)
class Vocabulary:
    """Tokens in the order of their ids.

    A token that stands twice keeps both ids; its text becomes the last of them, as in
    transformers.

    Attributes:
        tokens: One per id.
        special: Which of them are special, by name.
        special_by_id: Which are special besides.

    Raises:
        ValueError: No tokens at all or more than ``MAX_TOKENS``; or the unknown or the
            newline token is not among them.
    """

    tokens: tuple[str, ...]
    special: SpecialTokens = BERT_TOKENS
    special_by_id: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if len(self.tokens) > MAX_TOKENS:
            raise ValueError(
                f"expected a vocabulary of at most {MAX_TOKENS} tokens; "
                f"received {preview(self.tokens)}"
            )
        needed = (self.special.unk, self.special.newline)
        missing = [t for t in needed if t is not None and t not in self.ids]
        if missing or not self.tokens:
            raise ValueError(
                f"expected a vocabulary that holds {', '.join(missing) or 'tokens'}; "
                f"received {preview(self.tokens)}"
            )

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """Id of every token, special ones too."""
        return {token: index for index, token in enumerate(self.tokens)}

    @cached_property
    def text_ids(self) -> Mapping[str, int]:
        """Id of every token that a typed text may become."""
        return {
            token: index
            for token, index in self.ids.items()
            if token and token != self.special.newline and index not in self.special_ids
        }

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids of the special tokens; ``[unused1]`` and its like always are."""
        names = self.special.names
        named = {
            index
            for index, token in enumerate(self.tokens)
            if token in names or MARK.fullmatch(token)
        }
        return (self.special_by_id | named) - {self.id_of(self.special.newline)}

    def id_of(self, token: str | None) -> int | None:
        """Return the id of a token, None for none."""
        return None if token is None else self.ids.get(token)


def conventional_tokens(names: Iterable[str]) -> SpecialTokens:
    """Return the parts that tokens play by their usual names.

    For files that list special tokens without saying what they are for. Where a
    vocabulary has ``<mask>`` but no ``<cls>``, as XLM-R's and RoBERTa's, ``<s>`` and
    ``</s>`` open and close a sequence.

    Args:
        names: Of the special tokens that there are.
    """
    known = frozenset(names)
    chosen = {
        role: next((token for token in tokens if token in known), None)
        for role, tokens in USUAL_NAMES.items()
    }
    found = with_names(NO_TOKENS, chosen)
    if found.cls is None and found.mask == "<mask>":
        return replace(found, cls=found.bos, sep=found.eos)
    return found


def with_defaults(
    special: SpecialTokens, defaults: SpecialTokens, names: Collection[str]
) -> SpecialTokens:
    """Return the parts, by default where the named token is not in the vocabulary.

    Args:
        special: As the files name them.
        defaults: The format's own names.
        names: All tokens of the vocabulary.
    """
    usual = {
        role: token
        for role in ROLES
        if getattr(special, role) not in names
        and (token := getattr(defaults, role)) in names
    }
    return with_names(special, usual)


def with_names(
    special: SpecialTokens, names: Mapping[str, str | None]
) -> SpecialTokens:
    """Return the tokens with other names for some of ``ROLES``."""
    parts = {role: names.get(role, getattr(special, role)) for role in ROLES}
    return SpecialTokens(additional=special.additional, **parts)


def with_added(tokens: tuple[str, ...], added: Mapping[int, str]) -> tuple[str, ...]:
    """Return a vocabulary with tokens put at their ids; a gap is filled with "".

    Raises:
        ValueError: An id lies far behind the vocabulary: it belongs to another one.
    """
    if not added:
        return tokens
    size = max(len(tokens), 1 + max(added))
    if size > len(tokens) + len(added) + MAX_GAP:
        raise ValueError(
            f"expected added tokens right behind the {len(tokens)} of the vocabulary; "
            f"received {added[size - 1]!r} with id {size - 1}"
        )
    filled = [*tokens, *[""] * (size - len(tokens))]
    for token_id, token in added.items():
        filled[token_id] = token
    return tuple(filled)


USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "pad": ("<pad>", "[PAD]"),
    "unk": ("<unk>", "[UNK]"),
    "cls": ("<cls>", "[CLS]"),
    "sep": ("<sep>", "[SEP]"),
    "mask": ("<mask>", "[MASK]", "<mask_2>"),
    "bos": ("<s>", "<|endoftext|>"),
    "eos": ("</s>", "<|endoftext|>"),
}


def preview(tokens: Sequence[str]) -> str:
    """Return a vocabulary's size and first tokens, for a sentence."""
    shown = ", ".join(map(repr, tokens[:PREVIEW_TOKENS]))
    more = ", …" if len(tokens) > PREVIEW_TOKENS else ""
    return f"{len(tokens)} tokens: {shown}{more}"
