"""How a tokenizer.json writes ids out: its decoder, read as one of our writings.

Changes when another decoder is met. The library's own decoding is not used, because
what it writes of the first ids need not be the beginning of what it writes of all.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from model_core.tokenizers.byte_alphabet import bytes_of
from model_core.tokenizers.sentencepiece_model import SPACE, byte_of
from model_core.tokenizers.tokenizer_json import Definition
from model_core.tokenizers.vocabulary import Vocabulary
from model_core.tokenizers.word_list import CONTINUATION
from model_core.tokenizers.writing import (
    EVERY_SPACE,
    EndedWordWriting,
    PieceWriting,
    WordWriting,
    Writing,
)

BYTE_PIECE = re.compile("<0x[0-9A-Fa-f]{2}>")

Step = Mapping[str, Any]


def build_writing(definition: Definition, vocabulary: Vocabulary) -> Writing:
    """Build the writing that a definition asks for.

    Args:
        definition: Names a decoder, or leaves it to be seen from its other parts.
        vocabulary: All tokens, the special ones marked.

    Raises:
        ValueError: The decoder is none of those that are known.
    """
    steps = {str(step.get("type")): step for step in definition.steps("decoder")}
    for kind, build in WRITINGS.items():
        if kind in steps:
            return build(definition, vocabulary, steps)
    implied = _implied(definition)
    if steps or implied is None:
        raise ValueError(
            f"decoder: expected one of {', '.join(WRITINGS)}; "
            f"received {', '.join(steps) or 'none'}"
        )
    return WRITINGS[implied](definition, vocabulary, {implied: {}})


def _implied(definition: Definition) -> str | None:
    """Return the decoder that goes with the other parts, None where none does."""
    before = {step.get("type") for step in definition.steps("pre_tokenizer")}
    if definition.kind == "BPE":
        known = ("ByteLevel", "Metaspace")
        return next((kind for kind in known if kind in before), None)
    return "WordPiece" if definition.kind == "WordPiece" else "Metaspace"


Steps = Mapping[str, Step]
Build = Callable[[Definition, Vocabulary, Steps], Writing]


def _words(_: Definition, vocabulary: Vocabulary, steps: Steps) -> Writing:
    prefix = steps["WordPiece"].get("prefix", CONTINUATION)
    return WordWriting(vocabulary, prefix=str(prefix))


def _ended_words(_: Definition, vocabulary: Vocabulary, steps: Steps) -> Writing:
    return EndedWordWriting(vocabulary, str(steps["BPEDecoder"].get("suffix", "</w>")))


def _bytes(_: Definition, vocabulary: Vocabulary, _steps: Steps) -> Writing:
    special = vocabulary.special_ids
    texts = [
        b"" if index in special else bytes_of(token)
        for index, token in enumerate(vocabulary.tokens)
    ]
    return PieceWriting(texts, dropped_spaces=0)


def _spaced_pieces(
    definition: Definition, vocabulary: Vocabulary, steps: Steps
) -> Writing:
    step = steps["Metaspace"]
    adds_space = step.get("add_prefix_space", True) is not False
    adds_space = adds_space and step.get("prepend_scheme") != "never"
    space = str(step.get("replacement", SPACE))
    dropped = EVERY_SPACE if adds_space else 0
    return _pieces(definition, vocabulary, space, dropped)


def _replaced_pieces(
    definition: Definition, vocabulary: Vocabulary, steps: Steps
) -> Writing:
    step = steps["Replace"]
    if step.get("pattern") != {"String": SPACE} or step.get("content") != " ":
        raise ValueError(
            f"decoder: expected {SPACE} to be replaced by a space; received {step!r}"
        )
    dropped = steps.get("Strip", {}).get("start", 0)
    return _pieces(definition, vocabulary, SPACE, int(dropped))


def _pieces(
    definition: Definition, vocabulary: Vocabulary, space: str, dropped_spaces: int
) -> Writing:
    has_bytes = definition.model.get("byte_fallback") is True

    def text(index: int, token: str) -> bytes:
        if index in vocabulary.special_ids:
            return b""
        if has_bytes and BYTE_PIECE.fullmatch(token):
            return byte_of(token)
        return token.replace(space, " ").encode()

    texts = [text(index, token) for index, token in enumerate(vocabulary.tokens)]
    return PieceWriting(texts, dropped_spaces=dropped_spaces)


# by the step of the decoder that decides, the first that is found
WRITINGS: Mapping[str, Build] = {
    "WordPiece": _words,
    "ByteLevel": _bytes,
    "BPEDecoder": _ended_words,
    "Metaspace": _spaced_pieces,
    "Replace": _replaced_pieces,
}
