"""GPT-2's two files, vocab.json and merges.txt; changes with that format.

They are the parts of a tokenizer.json, and are read as one.
"""

from pathlib import Path
from typing import Any

from model_core.tokenizers.byte_alphabet import BYTE_OF_CHAR
from model_core.tokenizers.files import naming, read_json_object, read_text
from model_core.tokenizers.tokenizer_json import Definition, read_definition

VOCABULARY_FILE = "vocab.json"
MERGES_FILE = "merges.txt"
VERSION_LINE = "#version"
NUM_PARTS = 2
# every text needs some; some bytes stand in no UTF-8 and may be left out
MIN_BYTE_TOKENS = 128
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>")


def load_byte_pairs(folder: Path, *, add_prefix_space: bool = False) -> Definition:
    """Load GPT-2's or RoBERTa's files.

    Args:
        folder: Holds both.
        add_prefix_space: A text is read as if a space stood before it.

    Raises:
        ValueError: A file is absent, too big or broken, or the vocabulary is of
            another kind than byte-level BPE.
    """
    path = folder / VOCABULARY_FILE
    vocabulary = read_json_object(path, "a vocabulary")
    num_bytes = sum(char in vocabulary for char in BYTE_OF_CHAR)
    if num_bytes < MIN_BYTE_TOKENS:
        raise ValueError(
            f"expected byte-level BPE in {path}: at least {MIN_BYTE_TOKENS} of the "
            f"{len(BYTE_OF_CHAR)} bytes as tokens; received {num_bytes} of them among "
            f"{len(vocabulary)} tokens"
        )
    level = {"type": "ByteLevel", "trim_offsets": True, "use_regex": True}
    content: dict[str, Any] = {
        "version": "1.0",
        "added_tokens": _special_rows(vocabulary),
        "normalizer": None,
        "pre_tokenizer": {**level, "add_prefix_space": add_prefix_space},
        "decoder": {**level, "add_prefix_space": add_prefix_space},
        "model": {
            "type": "BPE",
            "vocab": vocabulary,
            "merges": load_merges(folder / MERGES_FILE),
        },
    }
    with naming(path):
        return read_definition(content)


def load_merges(path: Path) -> list[list[str]]:
    """Load merges.txt: two tokens per line, the first line merged first.

    Raises:
        ValueError: The file is absent, too big or not UTF-8, or a line is not two
            tokens.
    """
    merges = []
    for number, line in enumerate(read_text(path, "merges").split("\n"), 1):
        if not line or (number == 1 and line.startswith(VERSION_LINE)):
            continue
        parts = line.split(" ")
        if len(parts) != NUM_PARTS:
            raise ValueError(
                f"expected two tokens on line {number} of {path}; received {line!r}"
            )
        merges.append(parts)
    return merges


def _special_rows(vocabulary: dict[str, Any]) -> list[dict[str, Any]]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False}
    return [
        {**flags, "id": vocabulary[token], "content": token, "normalized": False,
         "special": True}
        for token in SPECIAL
        if token in vocabulary
    ]  # fmt: skip
