"""Which tokens of a vocabulary to keep: those of some texts, and what they need.

Changes when a kind of vocabulary needs others to spell with. The texts become the
tokens that they became before: of fewer tokens the longest, the likeliest or the first
to be merged are still the same, as long as none of them was left out.
"""

import json
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from model_core.tokenizers.base import Tokenizer
from model_core.tokenizers.byte_alphabet import BYTE_OF_CHAR
from model_core.tokenizers.byte_pairs import MERGES_FILE, VOCABULARY_FILE, load_merges
from model_core.tokenizers.files import naming, read_bytes, read_json_object, read_text
from model_core.tokenizers.json_writing import BYTE_PIECE
from model_core.tokenizers.load import JSON_FILE, MODEL_SUFFIX
from model_core.tokenizers.sentencepiece_model import (
    BYTE,
    NORMAL,
    SPACE,
    load_piece_model,
)
from model_core.tokenizers.word_list import CONTINUATION

SPARE = re.compile(r"\[unused\d+\]")
END = "</w>"
SPELLINGS = ("{}", CONTINUATION + "{}", SPACE + "{}", "{}" + END)
ROLES = ("pad", "unk", "cls", "sep", "mask", "bos", "eos", "newline")
BYTE_PAIRS = 2  # of SentencePiece's numbers for kinds of models

Rank = Callable[[str, str], float | None]
Needs = Callable[[Path, Iterable[str]], Iterable[str]]


def needed_ids(tokenizer: Tokenizer) -> frozenset[int]:
    """Return the ids that no checkpoint of this vocabulary can do without."""
    parts = (getattr(tokenizer, f"{role}_id", None) for role in ROLES)
    roles = {index for index in parts if index is not None}
    marks = {
        index
        for index in tokenizer.special_ids
        if not SPARE.fullmatch(tokenizer.id_to_token(index))
    }
    return frozenset(marks | roles)


def listed_ids(path: Path, tokenizer: Tokenizer) -> frozenset[int]:
    """Return the ids that a file lists: tokens in lines, or a JSON list of either.

    Raises:
        ValueError: The file is no such list, or names what the vocabulary lacks.
    """
    items: Sequence[Any]
    if path.suffix == ".json":
        try:
            items = json.loads(read_bytes(path, "a list of tokens"))
        except ValueError as error:
            raise ValueError(f"{path.name}: is no JSON ({error})") from error
    else:
        text = read_text(path, "a list of tokens").removesuffix("\n")
        items = text.split("\n") if text else []
    if not isinstance(items, list) or not items:
        raise ValueError(
            f"{path.name}: expected tokens in lines (.txt) or a list of tokens or ids "
            "(.json), at least one"
        )
    with naming(path):
        return frozenset(_id_of(item, tokenizer) for item in items)


def occurring_ids(
    texts: Iterable[str], tokenizer: Tokenizer, folder: Path
) -> frozenset[int]:
    """Return the ids of texts, of their characters, and of all that these need.

    Args:
        texts: Read once, line by line.
        tokenizer: Of the whole vocabulary.
        folder: Holds its files.
    """
    ids = set(needed_ids(tokenizer)) | tokenizer.special_ids
    for text in texts:
        ids.update(tokenizer.encode(text).token_ids)
    chars = {char for index in ids for char in tokenizer.token_text(index)}
    ids |= _known((SPACE, *_spelled(chars)), tokenizer)
    tokens = [tokenizer.id_to_token(index) for index in ids]
    for path in sorted(folder.iterdir()):
        needs = NEEDS.get(path.name) or NEEDS.get(path.suffix)
        if needs is not None:
            ids |= _known(needs(path, tokens), tokenizer)
    return frozenset(ids)


def lines_of(path: Path) -> Iterator[str]:
    """Yield a text file's lines with their ends.

    Raises:
        ValueError: The file is absent or not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            yield from file
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8; received {error.reason}") from error


def _id_of(item: object, tokenizer: Tokenizer) -> int:
    if type(item) is int and 0 <= item < tokenizer.vocab_size:
        return item
    index = tokenizer.token_to_id(item) if isinstance(item, str) else None
    if index is None:
        raise ValueError(
            f"expected tokens of the vocabulary, or ids below {tokenizer.vocab_size}; "
            f"received {str(item)[:40]!r}"
        )
    return index


def _known(tokens: Iterable[str], tokenizer: Tokenizer) -> set[int]:
    return {index for index in map(tokenizer.token_to_id, tokens) if index is not None}


def _spelled(chars: Iterable[str]) -> Iterator[str]:
    printable = string.digits + string.ascii_letters + string.punctuation
    for char in {*chars, *printable}:
        yield from (spelling.format(char) for spelling in SPELLINGS)


def _needs_of_definition(path: Path, tokens: Iterable[str]) -> Iterator[str]:
    model = read_json_object(path, "a tokenizer")["model"]
    vocabulary = model["vocab"]
    yield from (token for token in _names(vocabulary) if BYTE_PIECE.fullmatch(token))
    if isinstance(vocabulary, list):
        yield min(vocabulary, key=lambda row: row[1])[0]
    elif "merges" in model:
        rows = (r.split(" ") if isinstance(r, str) else r for r in model["merges"])
        yield from BYTE_OF_CHAR
        end = model.get("end_of_word_suffix") or ""
        yield from _merged_from(tokens, _rank_of(rows), end)


def _needs_of_merges(path: Path, tokens: Iterable[str]) -> Iterator[str]:
    if path.with_name(VOCABULARY_FILE).is_file():
        yield from BYTE_OF_CHAR
        yield from _merged_from(tokens, _rank_of(load_merges(path)), "")


def _needs_of_pieces(path: Path, tokens: Iterable[str]) -> Iterator[str]:
    model = load_piece_model(path)
    rows = [(row.piece, row.type, row.score) for row in model.proto.pieces]
    yield from (piece for piece, kind, _ in rows if kind == BYTE)
    scores = {piece: score for piece, kind, score in rows if kind == NORMAL}
    if model.proto.trainer_spec.model_type == BYTE_PAIRS:
        yield from _merged_from(tokens, _rank_by_score(scores), "")
    else:  # an unknown character costs more than the unlikeliest piece
        yield min(scores, key=lambda piece: scores[piece])


def _names(vocabulary: Any) -> Iterable[str]:
    if isinstance(vocabulary, list):
        return [row[0] for row in vocabulary]
    return list(vocabulary)


def _rank_of(rows: Iterable[Sequence[str]]) -> Rank:
    ranks = {(left, right): place for place, (left, right) in enumerate(rows)}
    return lambda left, right: ranks.get((left, right))


def _rank_by_score(scores: Mapping[str, float]) -> Rank:
    def rank(left: str, right: str) -> float | None:
        score = scores.get(left + right)
        return None if score is None else -score

    return rank


def _merged_from(tokens: Iterable[str], rank: Rank, end: str) -> Iterator[str]:
    """Yield what each token is merged from, step by step."""
    for token in tokens:
        parts = list(token)
        if end and token.endswith(end) and token != end:
            parts = [*token.removesuffix(end)]
            parts[-1] += end
        yield from parts
        while len(parts) > 1:
            ranked = [
                (found, place)
                for place in range(len(parts) - 1)
                if (found := rank(parts[place], parts[place + 1])) is not None
            ]
            if not ranked:
                break
            place = min(ranked)[1]
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
            yield parts[place]


NEEDS: Mapping[str, Needs] = {
    JSON_FILE: _needs_of_definition,
    MERGES_FILE: _needs_of_merges,
    MODEL_SUFFIX: _needs_of_pieces,
}
