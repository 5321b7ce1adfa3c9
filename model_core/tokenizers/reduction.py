"""A vocabulary's files with fewer tokens; changes when a file names tokens otherwise.

Ids keep their order and close up. What stands in each file is renumbered where it lies,
and nothing else of it is touched.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from model_core.tokenizers.byte_pairs import MERGES_FILE, VERSION_LINE, VOCABULARY_FILE
from model_core.tokenizers.files import read_bytes, read_json_object, read_text
from model_core.tokenizers.load import (
    JSON_FILE,
    MODEL_SUFFIX,
    SMALL_FILES,
    WORD_FILE,
    load_tokenizer,
    read_declared,
)
from model_core.tokenizers.piece_layouts import lay_out
from model_core.tokenizers.sentencepiece_model import load_piece_model
from model_core.tokenizers.settings import read_piece_settings
from model_core.tokenizers.word_list import load_tokens

NewIds = Mapping[int, int]

VOCABULARY_FILES = (
    WORD_FILE,
    JSON_FILE,
    VOCABULARY_FILE,
    MERGES_FILE,
    *(name for name in SMALL_FILES if name != "config.json"),
)
"""All but SentencePiece's, which is known by its ending."""


def vocabulary_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of a folder that make its vocabulary."""
    named = (folder / name for name in VOCABULARY_FILES)
    models = sorted(folder.glob(f"*{MODEL_SUFFIX}"))
    return (*(path for path in named if path.is_file()), *models)


def write_reduced(folder: Path, target: Path, keep: Sequence[int]) -> None:
    """Write the files of a vocabulary that has only some of its tokens.

    Args:
        folder: Holds the whole vocabulary.
        target: An existing folder; of other files it may hold config.json, which says
            what kind of tokenizer it is.
        keep: Ascending ids. Those behind the vocabulary's last are passed over.

    Raises:
        ValueError: A file is broken, or cannot go without the tokens left out.
    """
    new_ids = {old: new for new, old in enumerate(keep)}
    for path in vocabulary_files(folder):
        reduce = _BY_NAME.get(path.name, _pieces)
        reduce(path, target / path.name, new_ids)
    _check_alike(folder, target, keep)


def _check_alike(folder: Path, target: Path, keep: Sequence[int]) -> None:
    """Load both: every kept id must be its token still."""
    whole, reduced = load_tokenizer(folder), load_tokenizer(target)
    expected = [whole.id_to_token(i) for i in keep if i < whole.vocab_size]
    received = [reduced.id_to_token(i) for i in range(reduced.vocab_size)]
    if expected != received:
        raise ValueError(
            "this vocabulary cannot be reduced to these tokens: of the order that its "
            f"files give, {_first_difference(expected, received)}"
        )


def _first_difference(expected: list[str], received: list[str]) -> str:
    for index, pair in enumerate(zip(expected, received, strict=False)):
        if pair[0] != pair[1]:
            return f"token {index} would be {pair[1]!r} instead of {pair[0]!r}"
    return f"{len(expected)} tokens would be {len(received)}"


def _words(path: Path, target: Path, new_ids: NewIds) -> None:
    tokens = load_tokens(path)
    kept = [token for index, token in enumerate(tokens) if index in new_ids]
    target.write_text("".join(f"{token}\n" for token in kept), encoding="utf8")


def _vocabulary_json(path: Path, target: Path, new_ids: NewIds) -> None:
    vocabulary = read_json_object(path, "a vocabulary")
    _write_json(target, _renumbered(vocabulary, new_ids))


def _merges(path: Path, target: Path, new_ids: NewIds) -> None:
    vocabulary = read_json_object(path.with_name(VOCABULARY_FILE), "a vocabulary")
    known = _renumbered(vocabulary, new_ids)
    lines = read_text(path, "merges").removesuffix("\n").split("\n")
    kept = [
        line
        for line in lines
        if line.startswith(VERSION_LINE) or _merges_known(line.split(" "), known)
    ]
    target.write_text("".join(f"{line}\n" for line in kept), encoding="utf8")


def _definition(path: Path, target: Path, new_ids: NewIds) -> None:
    content = read_json_object(path, "a tokenizer")
    content["added_tokens"] = [
        {**row, "id": new_ids[row["id"]]}
        for row in content.get("added_tokens") or []
        if row["id"] in new_ids
    ]
    content["model"] = _model(content["model"], new_ids)
    content["post_processor"] = _post_processor(content.get("post_processor"), new_ids)
    if padding := content.get("padding"):
        content["padding"] = {**padding, "pad_id": new_ids[padding["pad_id"]]}
    _write_json(target, content)


def _model(model: Mapping[str, Any], new_ids: NewIds) -> dict[str, Any]:
    """Reduce the part that knows the vocabulary: a list with scores, or ids."""
    vocabulary = model["vocab"]
    if isinstance(vocabulary, list):
        kept = [row for index, row in enumerate(vocabulary) if index in new_ids]
        return {**model, "vocab": kept, "unk_id": new_ids.get(model["unk_id"])}
    known = _renumbered(vocabulary, new_ids)
    made = {**model, "vocab": known}
    if "merges" in model:
        made["merges"] = [
            row
            for row in model["merges"]
            if _merges_known(row.split(" ") if isinstance(row, str) else row, known)
        ]
    return made


def _merges_known(pair: Sequence[str], known: Mapping[str, int]) -> bool:
    return all(part in known for part in (*pair, "".join(pair)))


def _renumbered(vocabulary: Mapping[str, Any], new_ids: NewIds) -> dict[str, int]:
    return {token: new_ids[i] for token, i in vocabulary.items() if i in new_ids}


def _post_processor(part: Any, new_ids: NewIds) -> Any:
    """Renumber what is put around a text: by template, or BERT's and RoBERTa's."""
    if isinstance(part, list):
        return [_post_processor(item, new_ids) for item in part]
    if not isinstance(part, dict):
        return part
    made = {key: _post_processor(value, new_ids) for key, value in part.items()}
    if isinstance(part.get("ids"), list):
        made["ids"] = [new_ids[index] for index in part["ids"]]
    for key in ("cls", "sep"):
        match part.get(key):
            case [str(token), int(index)]:
                made[key] = [token, new_ids[index]]
    return made


def _tokenizer_config(path: Path, target: Path, new_ids: NewIds) -> None:
    config = read_json_object(path, "options")
    rows = config.get("added_tokens_decoder")
    if isinstance(rows, dict):
        config["added_tokens_decoder"] = {
            str(new_ids[int(index)]): row
            for index, row in rows.items()
            if int(index) in new_ids
        }
    _write_json(target, config)


def _added_tokens(path: Path, target: Path, new_ids: NewIds) -> None:
    added = read_json_object(path, "added tokens")
    _write_json(target, _renumbered(added, new_ids))


def _copied(path: Path, target: Path, _: NewIds) -> None:
    target.write_bytes(read_bytes(path, "options"))


def _pieces(path: Path, target: Path, new_ids: NewIds) -> None:
    """Reduce a SentencePiece model, in the order of ids that goes with its class."""
    model = load_piece_model(path)
    declared = read_declared(path.parent)
    settings = read_piece_settings(declared.config)
    layout = lay_out(model, path.name, declared.class_of_pieces, settings)
    rows = zip(layout.id_of_piece, model.proto.pieces, strict=True)
    kept = [row for index, row in rows if index in new_ids]
    # self-tests are left behind: their texts may need what was left out
    proto = type(model.proto)(pieces=kept)
    for part in ("trainer_spec", "normalizer_spec", "denormalizer_spec"):
        if model.proto.HasField(part):
            getattr(proto, part).CopyFrom(getattr(model.proto, part))
    proto.trainer_spec.vocab_size = len(kept)
    target.write_bytes(proto.SerializeToString())


def _write_json(path: Path, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    path.write_text(text, encoding="utf8")


_BY_NAME: Mapping[str, Callable[[Path, Path, NewIds], None]] = {
    WORD_FILE: _words,
    JSON_FILE: _definition,
    VOCABULARY_FILE: _vocabulary_json,
    MERGES_FILE: _merges,
    "tokenizer_config.json": _tokenizer_config,
    "added_tokens.json": _added_tokens,
    "special_tokens_map.json": _copied,
}


def copy_vocabulary(folder: Path, target: Path) -> Iterable[Path]:
    """Copy the files of a whole vocabulary, and return those that were there."""
    paths = vocabulary_files(folder)
    for path in paths:
        (target / path.name).write_bytes(read_bytes(path, "a vocabulary"))
    return paths
