"""A checkpoint's folder becomes another: weights, config and vocabulary together.

Changes when a converted folder has other files. Either the whole of the new folder is
there in the end, or nothing of it. Knows no framework and no network address.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from model_core.checkpoints.adaptation import Adaptation
from model_core.checkpoints.convert import (
    Conversion,
    Converted,
    Layout,
    convert_weights,
)
from model_core.checkpoints.convert_config import ids_in, with_new_ids
from model_core.checkpoints.errors import NumberTooLargeError
from model_core.checkpoints.json_file import load_object
from model_core.checkpoints.survey import MAX_CONFIG_BYTES, load_config
from model_core.conversion.failures import refused
from model_core.memory import weights_bytes
from model_core.roles.parts import FILE_NAME as PARTS_FILE
from model_core.roles.parts import load_parts
from model_core.tokenizers.base import Tokenizer
from model_core.tokenizers.choosing import (
    lines_of,
    listed_ids,
    needed_ids,
    occurring_ids,
)
from model_core.tokenizers.load import load_tokenizer, read_declared
from model_core.tokenizers.reduction import (
    copy_vocabulary,
    vocabulary_files,
    write_reduced,
)

CONFIG = "config.json"
GENERATION_CONFIG = "generation_config.json"
CARRIED = ("generation.json", "parts.json", "chat_template.jinja", "LICENSE", "NOTICE")
"""Files that mean the same beside the new weights, and name no id."""
MAX_NAMED = 8


@dataclass(frozen=True, slots=True)
class ConversionRequest:
    """What a person asks for.

    Attributes:
        folder: Holds a checkpoint as the hub serves it.
        output: The new folder; absent, empty, or with ``overwrite`` a checkpoint's.
        dtype: float32, float16 or bfloat16; None for the file's own.
        layout: ``pytorch``: as the family is published; ``maskplay``: ours.
        keep_tokens: A list of the tokens to keep, .txt or .json.
        keep_tokens_of: Texts whose tokens are kept, and what they are spelled with.
        positions: Positions to extend a learned table to.
        unshared: Give every layer weights of its own.
        max_shard_bytes: Cut the weights into files of at most so many bytes.
        overwrite: Replace a checkpoint that is there.
    """

    folder: Path
    output: Path
    dtype: str | None = None
    layout: Layout = "pytorch"
    keep_tokens: Path | None = None
    keep_tokens_of: tuple[Path, ...] = ()
    positions: int | None = None
    unshared: bool = False
    max_shard_bytes: int | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a checkpoint takes.

    Attributes:
        disk_bytes: Of its weight files.
        memory_bytes: Of its weights in float32.
        num_tokens: Rows of its token embedding.
    """

    disk_bytes: int
    memory_bytes: int
    num_tokens: int


@dataclass(frozen=True, slots=True)
class ConversionReport:
    """What became of it.

    Attributes:
        output: The new folder.
        files: The names in it.
        family: The checkpoint's.
        dtype: Element type of the new tensors.
        before: Of the old folder.
        after: Of the new one.
        saved_by_tokens_bytes: Of memory, by tokens left out.
        left_out: Tensors of heads that are not whole.
    """

    output: Path
    files: tuple[str, ...]
    family: str
    dtype: str
    before: Sizes
    after: Sizes
    saved_by_tokens_bytes: int
    left_out: tuple[str, ...]


def convert_checkpoint(request: ConversionRequest) -> ConversionReport:
    """Convert a folder.

    Raises:
        ModelError: The request cannot be met; in both languages.
        ValueError: The checkpoint or its vocabulary cannot be read.
        OSError: A file cannot be read or written.
    """
    _check_output(request)
    keep = _kept_tokens(request)
    with _fresh_folder(request.output) as fresh:
        converted = _convert_weights(request, keep, fresh)
        _write_vocabulary(request, keep, fresh)
        _put_in_place(fresh, request)
    return _report(request, converted)


def _check_output(request: ConversionRequest) -> None:
    """Refuse to write over the source, or over what is not to be replaced."""
    source, output = request.folder.resolve(), request.output.resolve()
    if source == output or output in source.parents or source in output.parents:
        raise refused("itself", output=request.output)
    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return
    if not request.overwrite:
        raise refused("exists", output=request.output)
    is_checkpoint = output.is_dir() and (output / CONFIG).is_file()
    if not is_checkpoint or any(path.is_dir() for path in output.iterdir()):
        raise refused("no_checkpoint", output=request.output)


def _kept_tokens(request: ConversionRequest) -> tuple[int, ...] | None:
    """Return the ids to keep, ascending; None for all."""
    if request.keep_tokens is None and not request.keep_tokens_of:
        return None
    if not vocabulary_files(request.folder):
        raise refused("no_vocabulary", folder=request.folder)
    tokenizer = load_tokenizer(request.folder)
    needed = _needed(request.folder, tokenizer)
    kept: frozenset[int] = frozenset()
    if request.keep_tokens is not None:
        kept |= listed_ids(request.keep_tokens, tokenizer)
    if request.keep_tokens_of:
        texts = (line for path in request.keep_tokens_of for line in lines_of(path))
        listed = (tokenizer.token_text(index) for index in kept)
        kept |= needed | occurring_ids(
            _chained(listed, texts), tokenizer, request.folder
        )
    missing = sorted(needed - kept)
    if missing:
        names = [tokenizer.id_to_token(index) for index in missing[:MAX_NAMED]]
        raise refused("specials", count=len(missing), names="  ".join(names))
    return tuple(sorted(kept))


def _chained(*texts: Iterator[str]) -> Iterator[str]:
    for lines in texts:
        yield from lines


def _needed(folder: Path, tokenizer: Tokenizer) -> frozenset[int]:
    """Return the special ids, and those that the configs name."""
    configs = [load_config(folder), *_generation_config(folder)]
    named = {index for values in configs for index in ids_in(values)}
    return needed_ids(tokenizer) | {i for i in named if i < tokenizer.vocab_size}


def _generation_config(folder: Path) -> tuple[Mapping[str, object], ...]:
    path = folder / GENERATION_CONFIG
    return (load_object(path, MAX_CONFIG_BYTES),) if path.is_file() else ()


def _convert_weights(
    request: ConversionRequest, keep: tuple[int, ...] | None, fresh: Path
) -> Converted:
    conversion = Conversion(
        dtype=request.dtype,
        layout=request.layout,
        adaptation=Adaptation(keep, request.positions, request.unshared),
        max_shard_bytes=request.max_shard_bytes,
        tokenizer_class=read_declared(request.folder).class_of_pieces,
    )
    try:
        return convert_weights(request.folder, fresh, conversion)
    except NumberTooLargeError as error:
        raise refused("too_large", name=error.name, dtype=error.dtype) from error


def _write_vocabulary(
    request: ConversionRequest, keep: tuple[int, ...] | None, fresh: Path
) -> None:
    if keep is None:
        copy_vocabulary(request.folder, fresh)
    else:
        write_reduced(request.folder, fresh, keep)
    new_ids = {old: new for new, old in enumerate(keep or ())}
    for values in _generation_config(request.folder):
        _write_json(fresh / GENERATION_CONFIG, with_new_ids(values, new_ids))
    for name in CARRIED:
        if (request.folder / name).is_file():
            shutil.copyfile(request.folder / name, fresh / name)
    _carry_own_weights(request.folder, keep, fresh)


def _carry_own_weights(folder: Path, keep: tuple[int, ...] | None, fresh: Path) -> None:
    """Copy what parts have for themselves; with other tokens they play without."""
    parts = load_parts(folder)
    if keep is None:
        for name in parts.own_weights.values():
            shutil.copyfile(folder / name, fresh / name)
    elif parts.own_weights:
        replace(parts, own_weights={}).save(fresh / PARTS_FILE)


def _write_json(path: Path, values: Mapping[str, object]) -> None:
    text = json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    path.write_text(text, encoding="utf8")


@contextmanager
def _fresh_folder(output: Path) -> Iterator[Path]:
    """Yield a folder beside the new one's place; nothing of it stays behind."""
    output.absolute().parent.mkdir(parents=True, exist_ok=True)
    beside = tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.absolute().parent)
    fresh = Path(beside) / "fresh"  # made as any folder is, not for one person alone
    fresh.mkdir()
    try:
        yield fresh
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _put_in_place(fresh: Path, request: ConversionRequest) -> None:
    """Rename the new folder; an older one is whole until then."""
    output = request.output.absolute()
    old = fresh.with_name("old")
    if output.exists():
        output.rename(old)
    try:
        fresh.rename(output)
    except OSError:
        if old.exists():
            old.rename(output)
        raise


def _report(request: ConversionRequest, converted: Converted) -> ConversionReport:
    before, after = converted.before, converted.after
    files = sorted(path.name for path in request.output.iterdir())
    weights = request.output.glob("*.safetensors")
    return ConversionReport(
        output=request.output,
        files=tuple(files),
        family=before.family.name,
        dtype=converted.dtype,
        before=Sizes(
            _disk_bytes(request.folder, before.file_names),
            weights_bytes(before.num_parameters),
            before.config.vocab_size,
        ),
        after=Sizes(
            sum(path.stat().st_size for path in weights),
            weights_bytes(after.num_parameters),
            after.config.vocab_size,
        ),
        saved_by_tokens_bytes=weights_bytes(converted.num_dropped),
        left_out=converted.left_out,
    )


def _disk_bytes(folder: Path, file_names: tuple[str, ...]) -> int:
    """Return what files take, those with a TensorFlow index included."""
    paths = {
        path
        for name in file_names
        for path in folder.glob(f"{name.removesuffix('.index')}*")
        if path.is_file()
    }
    return sum(path.stat().st_size for path in paths)
