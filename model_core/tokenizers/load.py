"""A tokenizer from a checkpoint's folder; changes with the files that may be in one.

Knows the names of the files; what stands in them, the readers of each format do.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from model_core.tokenizers.base import Tokenizer
from model_core.tokenizers.byte_pairs import VOCABULARY_FILE, load_byte_pairs
from model_core.tokenizers.declared import Declared, build_vocabulary, declare
from model_core.tokenizers.files import naming, read_optional_object
from model_core.tokenizers.piece_tokenizer import (
    build_from_definition,
    build_from_model,
)
from model_core.tokenizers.sentencepiece_model import load_piece_model
from model_core.tokenizers.settings import (
    TokenizerSettings,
    Words,
    read_piece_settings,
    read_settings,
)
from model_core.tokenizers.tokenizer_json import load_definition
from model_core.tokenizers.vocabulary import BERT_TOKENS
from model_core.tokenizers.word_list import (
    PEGASUS_TOKENS,
    load_tokens,
    marked_ids,
    renamed_lines,
)
from model_core.tokenizers.word_tokenizer import build_tokenizer, build_word_tokenizer

__all__ = ["TokenizerSettings", "build_tokenizer", "load_tokenizer"]

WORD_FILE = "vocab.txt"
JSON_FILE = "tokenizer.json"
MODEL_SUFFIX = ".model"
MODEL_FILES = ("spiece.model", "sentencepiece.bpe.model", "tokenizer.model")
# what stands beside a vocabulary, in the order of ``declared.declare``
SMALL_FILES = (
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "config.json",
)

Load = Callable[[Path, Declared], Tokenizer]


def load_tokenizer(folder: Path, *, words: Words = "auto") -> Tokenizer:
    """Load the tokenizer of a checkpoint.

    What the folder holds decides: vocab.txt before tokenizer.json, which knows more
    than a SentencePiece model beside it; GPT-2's vocab.json and merges.txt last. CPM's
    tokenizer.json does not know of its words, so there the model comes first.

    Args:
        folder: Holds a vocabulary, and the small files that say how it is read (see
            ``declared`` and ``settings``).
        words: Overrides the file's ``jieba_words`` unless ``auto``.

    Raises:
        ValueError: A file is absent, too big, broken or of another kind, an option is
            not of its type, or the vocabulary lacks a token that it must have.
    """
    declared = read_declared(folder)
    if words != "auto":
        jieba = {"jieba_words": words == "jieba"}
        declared = replace(declared, config={**declared.config, **jieba})
    path, load = _vocabulary_file(folder, declared)
    return load(path, declared)


def read_declared(folder: Path) -> Declared:
    """Return what the small files of a folder say, those that there are.

    Raises:
        ValueError: One is too big or broken, or an option is not of its type.
    """
    return declare(*(read_optional_object(folder / name) for name in SMALL_FILES))


def _vocabulary_file(folder: Path, declared: Declared) -> tuple[Path, Load]:
    model = _model_file(folder)
    loads: dict[Path, Load] = {folder / WORD_FILE: _load_words}
    if declared.config.get("jieba_words") is True:
        loads[model] = _load_pieces
    loads[folder / JSON_FILE] = _load_json
    loads[model] = _load_pieces
    loads[folder / VOCABULARY_FILE] = _load_bytes
    for path, load in loads.items():
        if path.exists():
            return path, load
    names = [path.name for path in reversed(loads)]
    raise ValueError(
        f"expected a vocabulary at {folder}, one of {', '.join(names)}; "
        "received no such file"
    )


def _model_file(folder: Path) -> Path:
    """Return the SentencePiece model of a folder, by its usual name or as the only one.

    Raises:
        ValueError: There are several, none of them by a usual name.
    """
    usual = [folder / name for name in MODEL_FILES]
    found = [path for path in usual if path.exists()]
    found = found or sorted(folder.glob(f"*{MODEL_SUFFIX}"))
    if len(found) > 1 and found[0] not in usual:
        names = ", ".join(path.name for path in found)
        raise ValueError(
            f"expected one SentencePiece model at {folder}, named "
            f"{' or '.join(MODEL_FILES)}; received {names}"
        )
    return found[0] if found else usual[0]


def _load_words(path: Path, declared: Declared) -> Tokenizer:
    lines = load_tokens(path)
    with naming(path):
        tokens = renamed_lines(lines, declared)
        usual = BERT_TOKENS if tokens == lines else PEGASUS_TOKENS
        vocabulary = build_vocabulary(
            tokens, marked_ids(tokens, lines), declared, usual
        )
        return build_word_tokenizer(vocabulary, read_settings(declared.config))


def _load_json(path: Path, declared: Declared) -> Tokenizer:
    definition = load_definition(path)
    with naming(path):
        return build_from_definition(definition, declared)


def _load_pieces(path: Path, declared: Declared) -> Tokenizer:
    model = load_piece_model(path)
    with naming(path):
        return build_from_model(model, path.name, declared)


def _load_bytes(path: Path, declared: Declared) -> Tokenizer:
    settings = read_piece_settings(declared.config)
    definition = load_byte_pairs(
        path.parent, add_prefix_space=settings.add_prefix_space
    )
    with naming(path):
        return build_from_definition(definition, declared)
