"""``python -m model_core``: look at a checkpoint, run it, make another of it.

Changes when the core's terminal gets another command. Knows no task and no text.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model_core.checkpoints.hub import HubClient
from model_core.checkpoints.json_file import load_object
from model_core.checkpoints.report import survey_lines, survey_values
from model_core.checkpoints.survey import survey_checkpoint
from model_core.config import TransformerConfig
from model_core.conversion import terminal
from model_core.engines.framework import prepare_backend
from model_core.interfaces import ModelError

MAX_INPUT_BYTES = 64 * 2**20
INPUT_KEYS = ("token_ids", "segment_ids", "padding_mask", "decoder_token_ids")

Rows = list[list[Any]]
Ints = npt.NDArray[np.int32]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Those of the command line where None.

    Returns:
        The exit status: 0, or 1 where something is wrong.
    """
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # else it talks in between
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (ModelError, ValueError, OSError) as error:
        return _fail(options, error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model_core", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    inspect = commands.add_parser(
        "inspect",
        help="family, sizes, files; tensors missing, unused or without a rule",
    )
    inspect.add_argument("--json", action="store_true", help="print one JSON object")
    inspect.set_defaults(run=_inspect)
    logits = commands.add_parser("logits", help="token ids in, arrays out")
    logits.add_argument(
        "--input", type=Path, required=True, metavar="IDS.json", help=_INPUT_HELP
    )
    logits.add_argument("--output", type=Path, required=True, metavar="OUT.npz")
    logits.add_argument("--engine", default="keras", metavar="NAME")
    logits.set_defaults(run=_logits, json=False)
    convert = commands.add_parser(
        "convert", help="safetensors, config and vocabulary, smaller or longer"
    )
    terminal.add_options(convert)
    convert.set_defaults(run=_convert, json=False)
    for command in (inspect, logits, convert):
        command.add_argument(
            "checkpoint",
            metavar="DIR_OR_HUB_ID",
            help="a folder, or owner/name with or without @revision",
        )
        command.add_argument(
            "--offline", action="store_true", help="use what is in the cache only"
        )
        command.add_argument("--cache-dir", type=Path, metavar="DIR")
    return parser


_INPUT_HELP = (
    '{"token_ids": [[...]], "segment_ids": [[...]], "padding_mask": [[...]]}, '
    "the latter two optional, all of one shape"
)


def _inspect(options: argparse.Namespace) -> int:
    folder, origin = _locate(options)
    survey = survey_checkpoint(folder)
    if options.json:
        print(json.dumps(survey_values(survey) | origin))
    else:
        facts = [f"{key + ':':<20}{value}" for key, value in origin.items() if value]
        for line in (*facts, *survey_lines(survey)):
            print(_printable(line))
    return 0 if survey.is_sound else 1


def _logits(options: argparse.Namespace) -> int:
    values = load_object(options.input, MAX_INPUT_BYTES)
    folder, _ = _locate(options)
    arrays = _checked_input(values, survey_checkpoint(folder).config)
    # the framework takes seconds to load: only now, when the input is sound
    prepare_backend(options.engine)
    from model_core.checkpoints.load import load_network  # noqa: PLC0415
    from model_core.engines.base import TokenBatch  # noqa: PLC0415
    from model_core.engines.registry import build_engine  # noqa: PLC0415

    loaded = load_network(folder)
    engine = build_engine(options.engine, loaded.network)
    outputs = engine.read(TokenBatch(*arrays), loaded.family.attention)
    if "logits" in outputs:
        outputs = {name: v for name, v in outputs.items() if name != "hidden"}
    _save(options.output, outputs)
    for name, value in outputs.items():
        print(f"{name}: {'x'.join(map(str, value.shape))}")
    return 0


def _convert(options: argparse.Namespace) -> int:
    folder, _ = _locate(options)
    for line in terminal.convert(options, folder):
        print(_printable(line))
    return 0


def _locate(options: argparse.Namespace) -> tuple[Path, dict[str, str]]:
    """A folder that exists is meant; anything else is a name on the hub."""
    name: str = options.checkpoint
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder, {"folder": str(folder), "repository": "", "commit": ""}
    if folder.exists():
        raise ValueError(f"{name} is a file; expected the folder that it lies in")
    if folder.is_absolute() or name.startswith((".", "~")):
        raise ValueError(f"{name}: there is no such folder")
    client = HubClient(cache_dir=options.cache_dir, offline=options.offline)
    snapshot = client.snapshot(name, on_progress=_progress())
    return snapshot.folder, {
        "folder": str(snapshot.folder),
        "repository": snapshot.repo_id,
        "commit": snapshot.commit,
    }


def _progress() -> Callable[[int, int], None] | None:
    """A line of bytes that moves, where somebody watches."""
    if not sys.stderr.isatty():
        return None

    def show(here: int, total: int) -> None:
        end = "\n" if here >= total else ""
        print(f"\r{here:,} / {total:,} bytes", end=end, file=sys.stderr, flush=True)

    return show


def _checked_input(
    values: Mapping[str, Any], config: TransformerConfig
) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    """Return ids, segments and padding mask, each (batch, length), within bounds."""
    unknown = sorted(values.keys() - set(INPUT_KEYS))
    if unknown or "token_ids" not in values:
        raise ValueError(
            f"the input must have token_ids, and may have {INPUT_KEYS[1:]}; received "
            f"{sorted(values)}"
        )
    if values.get("decoder_token_ids") is not None:
        raise ValueError("decoder_token_ids: this family has no decoder; leave it out")
    token_ids = _rectangle("token_ids", values["token_ids"], config.vocab_size)
    if token_ids.shape[1] > config.max_position_embeddings:
        raise ValueError(
            f"token_ids: a row has {token_ids.shape[1]} ids, this checkpoint reads at "
            f"most {config.max_position_embeddings}"
        )
    segment_ids = _like(token_ids, "segment_ids", values, config.type_vocab_size, 0)
    padding_mask = _like(token_ids, "padding_mask", values, 2, 1).astype(bool)
    if not padding_mask.any(axis=1).all():
        raise ValueError("padding_mask: a row has no real token")
    return token_ids, segment_ids, padding_mask


def _like(
    token_ids: Ints, key: str, values: Mapping[str, Any], limit: int, default: int
) -> Ints:
    if values.get(key) is None:
        return np.full_like(token_ids, default)
    array = _rectangle(key, _numbered(values[key]), max(limit, 1))
    if array.shape != token_ids.shape:
        raise ValueError(
            f"{key} must have the shape of token_ids, {token_ids.shape}, "
            f"received {array.shape}"
        )
    return array


def _numbered(values: Any) -> Any:
    """True and false, at any depth, as 1 and 0."""
    if isinstance(values, list):
        return [_numbered(value) for value in values]
    return int(values) if isinstance(values, bool) else values


def _rectangle(key: str, rows: object, limit: int) -> Ints:
    if (
        not isinstance(rows, list)
        or not rows
        or not all(isinstance(row, list) and row for row in rows)
    ):
        raise ValueError(f"{key} must be a list of rows, each a list with an integer")
    lengths = [len(row) for row in rows]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"{key} must be a rectangle, received rows of {lengths[:20]}: fill the "
            "shorter ones up and mark the filling with 0 in padding_mask"
        )
    for number, row in enumerate(rows):
        for value in row:
            if type(value) is not int or not 0 <= value < limit:
                raise ValueError(
                    f"{key}: row {number} holds {str(value)[:40]!r}, accepted are "
                    f"integers from 0 to {limit - 1}"
                )
    return np.array(rows, np.int32)


def _save(path: Path, outputs: Mapping[str, Any]) -> None:
    """Write the arrays; a file that is there stays whole until the new one is."""
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("wb") as file:
            np.savez(file, **outputs)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _fail(options: argparse.Namespace, error: Exception) -> int:
    if options.json:
        print(json.dumps({"ok": False, "error": str(error)}))
    print(_printable(f"error: {error}"), file=sys.stderr)
    return 1


def _printable(text: str) -> str:
    """Names come from files: no control character of theirs reaches the terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


if __name__ == "__main__":
    sys.exit(main())
