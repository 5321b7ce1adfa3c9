"""tokenizer.json, read and looked through; changes with that format.

Knows no text: ``library_encoder`` runs what is defined here.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_core.tokenizers.charsmap import check_charsmap
from model_core.tokenizers.files import naming, read_json_object
from model_core.tokenizers.vocabulary import MAX_GAP, MAX_TOKENS, with_added

KINDS = ("WordPiece", "Unigram", "BPE")
LONGEST_BERT_WORD_CHARS = 100
SEQUENCE_KEYS = ("normalizers", "pretokenizers", "decoders")
KNOWN_STEPS: Mapping[str, tuple[str, ...]] = {
    "normalizer": (
        *("BertNormalizer", "ByteLevel", "Lowercase", "NFC", "NFD", "NFKC", "NFKD"),
        *("Nmt", "Precompiled", "Prepend", "Replace", "Strip", "StripAccents"),
    ),
    "pre_tokenizer": (
        *("BertPreTokenizer", "ByteLevel", "CharDelimiterSplit", "Digits"),
        *("Metaspace", "Punctuation", "Split", "UnicodeScripts", "Whitespace"),
        "WhitespaceSplit",
    ),
}
BERT_WORDS = {"normalizer": "BertNormalizer", "pre_tokenizer": "BertPreTokenizer"}


@dataclass(frozen=True)
class Definition:
    """A tokenizer's definition whose vocabulary has been looked through.

    Attributes:
        content: As the file has it.
        kind: One of ``KINDS``.
        tokens: One per id, added ones too; "" where an id has none.
        special_ids: Ids that the file calls special, the unknown one among them.
        unk_id: Stands for what the vocabulary cannot spell; None where bytes spell
            everything.
    """

    content: Mapping[str, Any]
    kind: str
    tokens: tuple[str, ...]
    special_ids: frozenset[int]
    unk_id: int | None

    @property
    def model(self) -> Mapping[str, Any]:
        """The part that knows the vocabulary."""
        model: Mapping[str, Any] = self.content["model"]
        return model

    @property
    def added_tokens(self) -> tuple[Mapping[str, Any], ...]:
        """Tokens that are found in a text before anything else."""
        return tuple(self.content.get("added_tokens") or ())

    def steps(self, part: str) -> tuple[Mapping[str, Any], ...]:
        """Return the steps of a part like ``normalizer``, sequences unrolled."""
        return tuple(_unrolled(self.content.get(part)))

    def bert_options(self) -> Mapping[str, bool | None] | None:
        """Return BERT's options as tokenizer_config.json names them.

        None where the definition does anything but what BERT does.
        """
        found = {part: [s.get("type") for s in self.steps(part)] for part in BERT_WORDS}
        alike = found == {part: [kind] for part, kind in BERT_WORDS.items()}
        if self.kind != "WordPiece" or not alike or not self._has_bert_pieces():
            return None
        (rules,) = self.steps("normalizer")
        return {
            "do_lower_case": rules.get("lowercase", True),
            "strip_accents": rules.get("strip_accents"),
            "tokenize_chinese_chars": rules.get("handle_chinese_chars", True),
        }

    def _has_bert_pieces(self) -> bool:
        model = self.model
        longest = model.get("max_input_chars_per_word", LONGEST_BERT_WORD_CHARS)
        (rules,) = self.steps("normalizer")
        return (
            model.get("continuing_subword_prefix", "##") == "##"
            and longest == LONGEST_BERT_WORD_CHARS
            and rules.get("clean_text", True) is True
            and {row["id"] for row in self.added_tokens} <= self.special_ids
        )


def load_definition(path: Path) -> Definition:
    """Load a definition.

    Raises:
        ValueError: The file is absent, too big, no JSON, or defines something else.
    """
    content = read_json_object(path, "a tokenizer")
    with naming(path):
        return read_definition(content)


def read_definition(content: Mapping[str, Any]) -> Definition:
    """Return a parsed definition, checked.

    Raises:
        ValueError: It is of another kind, or its vocabulary cannot be true.
    """
    model = content.get("model")
    kind = _kind(model)
    if not isinstance(model, dict) or kind not in KINDS:
        raise ValueError(
            f"expected a tokenizer of the kind {', '.join(KINDS)}; received {kind!r}"
        )
    for part, known in KNOWN_STEPS.items():
        _check_steps(part, content.get(part), known)
    rows = _added_rows(content)
    tokens = _listed_tokens(model) if kind == "Unigram" else _mapped_tokens(model)
    unk_id = _unknown(kind, model, tokens)
    tokens = with_added(tokens, {row["id"]: row["content"] for row in rows})
    special = {row["id"] for row in rows if row.get("special") is True}
    special |= {unk_id} - {None}
    return Definition(content, kind, tokens, frozenset(special), unk_id)


def _kind(model: object) -> str:
    """Return the kind of a model; older files leave it to be seen from its parts."""
    if not isinstance(model, dict):
        return type(model).__name__
    if "type" in model:
        return str(model["type"])
    if "merges" in model:
        return "BPE"
    return "Unigram" if isinstance(model.get("vocab"), list) else "WordPiece"


def _mapped_tokens(model: Mapping[str, Any]) -> tuple[str, ...]:
    """Return WordPiece's or BPE's tokens by id."""
    vocabulary = model.get("vocab")
    if not isinstance(vocabulary, dict) or not vocabulary:
        raise ValueError(
            "vocab: expected an object of tokens with their ids; "
            f"received {'none' if vocabulary == {} else type(vocabulary).__name__}"
        )
    limit = min(MAX_TOKENS, len(vocabulary) + MAX_GAP)
    tokens = [""] * limit
    for token, token_id in vocabulary.items():
        if type(token_id) is not int or not 0 <= token_id < limit:
            raise ValueError(
                f"vocab: {token!r}: expected an id from 0 to {limit - 1}; "
                f"received {token_id!r}"
            )
        if tokens[token_id]:
            raise ValueError(
                f"vocab: expected one token with the id {token_id}; "
                f"received {tokens[token_id]!r} and {token!r}"
            )
        tokens[token_id] = token
    return tuple(tokens[: 1 + max(vocabulary.values())])


def _listed_tokens(model: Mapping[str, Any]) -> tuple[str, ...]:
    """Return Unigram's tokens, whose place is their id."""
    rows = model.get("vocab")
    if not isinstance(rows, list) or not 0 < len(rows) <= MAX_TOKENS:
        raise ValueError(
            f"vocab: expected a list of 1 to {MAX_TOKENS} tokens with their scores; "
            f"received {type(rows).__name__}"
        )
    return tuple(map(_scored_token, rows))


def _scored_token(row: object) -> str:
    match row:
        case [str(token), int() | float()]:
            return token
    raise ValueError(f"vocab: expected a token with its score; received {row!r}")


def _unknown(
    kind: str, model: Mapping[str, Any], tokens: tuple[str, ...]
) -> int | None:
    """Return the id of what the vocabulary cannot spell."""
    if kind == "Unigram":
        unk_id = model.get("unk_id")
        if type(unk_id) is int and 0 <= unk_id < len(tokens):
            return unk_id
        raise ValueError(
            f"unk_id: expected an id from 0 to {len(tokens) - 1}; received {unk_id!r}"
        )
    unk = model.get("unk_token", "[UNK]" if kind == "WordPiece" else None)
    if unk is None and kind == "BPE":
        return None
    if unk in tokens:
        return tokens.index(unk)
    raise ValueError(f"unk_token: expected a token of the vocabulary; received {unk!r}")


def _added_rows(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = content.get("added_tokens") or []
    if not isinstance(rows, list):
        raise ValueError(f"added_tokens: expected a list; received {rows!r}")
    for row in rows:
        match row:
            case {"id": int(token_id), "content": str(token)} if token:
                if 0 <= token_id <= MAX_TOKENS and type(token_id) is int:
                    continue
        raise ValueError(
            f"added_tokens: expected an id from 0 to {MAX_TOKENS} and a content; "
            f"received {row!r}"
        )
    return rows


def _check_steps(part: str, content: object, known: tuple[str, ...]) -> None:
    """Check that the library can take every step of a part, whatever the text."""
    for step in _unrolled(content):
        if step.get("type") not in known:
            raise ValueError(
                f"{part}: expected {', '.join(known)} or a sequence of them; "
                f"received {step.get('type')!r}"
            )
        if step["type"] == "Precompiled":
            _check_encoded_charsmap(step.get("precompiled_charsmap"))


def _check_encoded_charsmap(encoded: object) -> None:
    try:
        charsmap = base64.b64decode(str(encoded), validate=True)
    except binascii.Error as error:
        raise ValueError(
            f"precompiled_charsmap: expected base64; received {error}"
        ) from error
    check_charsmap(charsmap)


def _unrolled(part: object) -> Iterator[dict[str, Any]]:
    """Yield a part's steps, those of sequences one by one."""
    if not isinstance(part, dict):
        return
    lists = (part.get(key) for key in SEQUENCE_KEYS)
    inner = next((found for found in lists if isinstance(found, list)), None)
    if part.get("type") != "Sequence" or inner is None:
        yield part
        return
    for step in inner:
        yield from _unrolled(step)
