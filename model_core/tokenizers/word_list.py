"""vocab.txt: one token per line, BERT's spelling; changes with that format."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from model_core.tokenizers.declared import Declared, read_special_tokens
from model_core.tokenizers.files import read_text
from model_core.tokenizers.vocabulary import SpecialTokens

CONTINUATION = "##"
# UER's sentinels for T5 and the two speakers of CDial-GPT stand among the words
MARKED_LINE = re.compile(r"extra\d+|\[speaker\d+\]")

PEGASUS_TOKENS = SpecialTokens(
    pad="<pad>", unk="<unk>", mask="<mask_2>", eos="</s>", bos=None
)
PEGASUS_SENTENCE_MASK = "<mask_1>"
# Randeng-Pegasus keeps Pegasus' tokens on lines of a vocabulary that was BERT's; the
# second of its masks has no part of its own
ROLE_OF_LINE: Mapping[str, Mapping[str, str | None]] = {
    "PegasusTokenizer": {
        "[PAD]": "pad",
        "[UNK]": "unk",
        "[unused1]": "eos",
        "[unused2]": None,
        "[unused3]": "mask",
    }
}


def load_tokens(path: Path) -> tuple[str, ...]:
    r"""Load vocab.txt: one token per line, the line's number is the id.

    A byte order mark is dropped, and ``\r\n`` ends a line as ``\n`` does. Empty lines
    keep their number and match no text. Spaces belong to the token.

    Raises:
        ValueError: The file is absent, too big, holds no token or is not UTF-8.
    """
    tokens = read_text(path, "a vocabulary").removesuffix("\n").split("\n")
    if tokens == [""]:
        raise ValueError(
            f"expected one token per line in {path}; received an empty file"
        )
    return tuple(tokens)


def renamed_lines(tokens: tuple[str, ...], declared: Declared) -> tuple[str, ...]:
    """Return the tokens as a class of tokenizers calls them; most keep their names.

    Args:
        tokens: The lines of the file.
        declared: Names the class, and the tokens if not by their usual names.

    Raises:
        ValueError: A name is not of its type.
    """
    roles = ROLE_OF_LINE.get(declared.tokenizer_class)
    if roles is None:
        return tokens
    special = read_special_tokens(declared.config, PEGASUS_TOKENS)
    sentence_mask = declared.config.get("mask_token_sent") or PEGASUS_SENTENCE_MASK
    names = {
        line: str(sentence_mask if role is None else getattr(special, role))
        for line, role in roles.items()
    }
    return tuple(names.get(token, token) for token in tokens)


def marked_ids(
    tokens: Sequence[str], lines: Sequence[str] | None = None
) -> frozenset[int]:
    """Return the ids of lines that are marks though no file says so.

    Args:
        tokens: One per id.
        lines: As they stood in the file, if some were renamed: those are marks.
    """
    rows = enumerate(zip(tokens, lines or tokens, strict=True))
    return frozenset(
        index
        for index, (token, line) in rows
        if token != line or MARKED_LINE.fullmatch(token)
    )


def is_continuation(token: str) -> bool:
    """Return whether a token only ever continues a word, like ``##ing``."""
    return token.startswith(CONTINUATION) and token != CONTINUATION
