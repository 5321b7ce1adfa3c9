"""SentencePiece's own model file, read by SentencePiece; changes with that library.

Knows what the file says of its pieces, not which ids a checkpoint gives them: that is
``piece_layouts``.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model_core.tokenizers.base import Pieces, Span
from model_core.tokenizers.charsmap import check_charsmap
from model_core.tokenizers.files import read_bytes
from model_core.tokenizers.spans import lawful, without_surrogates
from model_core.tokenizers.vocabulary import MAX_TOKENS
from model_core.tokenizers.writing import EVERY_SPACE

SPACE = "\u2581"
# the file's own numbers for the kinds of pieces
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
ERRORS_ONLY = 3  # of absl's log levels; what is wrong is raised as well


@dataclass(frozen=True)
class PieceModel:
    """A model file: its pieces and what kind each is of.

    Attributes:
        pieces: One per id of the file.
        kinds: (pieces,) of ``NORMAL`` to ``BYTE``.
        dropped_spaces: How many spaces at the start of a text are no part of it,
            because the model puts one there.
        proto: The parsed file.
    """

    pieces: tuple[str, ...]
    kinds: tuple[int, ...]
    dropped_spaces: int
    proto: Any

    @cached_property
    def unk_id(self) -> int:
        """The unknown piece's id in the file."""
        return self.kinds.index(UNKNOWN)

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids in the file that no text becomes."""
        kinds = (UNKNOWN, CONTROL)
        return frozenset(i for i, kind in enumerate(self.kinds) if kind in kinds)

    def text_bytes(self, piece_id: int) -> bytes:
        """Return how a piece is written, b"" for a special one."""
        if piece_id in self.special_ids:
            return b""
        piece = self.pieces[piece_id]
        if self.kinds[piece_id] == BYTE:
            return byte_of(piece)
        return piece.replace(SPACE, " ").encode()

    def processor(self, forbidden: Collection[int] = ()) -> Any:
        """Build the library's own object.

        Args:
            forbidden: Ids in the file that no text shall become though the file lets
                it: they are made control pieces.

        Raises:
            ValueError: The library refuses the model.
        """
        proto = self.proto
        wrong = [i for i in forbidden if self.kinds[i] not in (CONTROL, UNKNOWN)]
        if wrong:
            proto = type(proto).FromString(proto.SerializeToString())
            for piece_id in wrong:
                proto.pieces[piece_id].type = CONTROL
        return _build_processor(proto.SerializeToString())


def load_piece_model(path: Path) -> PieceModel:
    """Load a model file: spiece.model and its like.

    Raises:
        ValueError: The file is absent, too big, no such model, or one with which the
            library could be led astray.
    """
    content = read_bytes(path, "a SentencePiece model")
    model_type = import_module("sentencepiece.sentencepiece_model_pb2").ModelProto
    try:
        proto = model_type.FromString(content)
        model = _read(proto)
        check_charsmap(proto.normalizer_spec.precompiled_charsmap)
    except (ValueError, _decode_error()) as error:
        raise ValueError(
            f"expected a SentencePiece model in {path}; received {len(content)} bytes "
            f"that are none: {error}"
        ) from error
    return model


class PieceEncoder:
    """A text through SentencePiece, and where each piece stands in it.

    Args:
        processor: The library's own object.
        id_of_piece: The checkpoint's id of every id of the file.
        parts_numbers: A piece that ends in a digit and a comma is cut again without
            the comma, as XLNet and ALBERT do.
    """

    def __init__(
        self,
        processor: Any,
        id_of_piece: Sequence[int],
        *,
        parts_numbers: bool = False,
    ) -> None:
        self._processor = processor
        self._id_of_piece = id_of_piece
        self._parts_numbers = parts_numbers
        size = processor.get_piece_size()
        self._bytes = frozenset(i for i in range(size) if processor.is_byte(i))

    def encode(self, text: str) -> Pieces:
        """Return ids, and spans in the text as it was typed."""
        readable = without_surrogates(text)
        ids = self._processor.encode(readable, out_type=int)
        pieces = self._processor.encode(readable, out_type=str)
        if self._parts_numbers:
            ids, pieces = self._with_parted_numbers(ids, pieces)
        normalised, places = self._processor.normalize(readable, with_offsets=True)
        spans = self._spans(ids, pieces, normalised, np.asarray(places))
        of_piece = self._id_of_piece
        return [of_piece[i] for i in ids], lawful(text, spans)

    def _spans(
        self,
        ids: Sequence[int],
        pieces: Sequence[str],
        normalised: str,
        places: npt.NDArray[np.int64],
    ) -> Iterator[Span]:
        """Yield the stretch of typed characters that each piece was made of.

        The space before a word is left out, whatever was typed for it. A typed
        character that became several normalised ones is never torn, nor are several
        that became one.

        Args:
            ids: Of the pieces, in the file.
            pieces: Together they are the normalised text, but for single bytes.
            normalised: The text that was cut.
            places: (len(normalised) + 1,) typed index of each normalised character.
        """
        ends = _ends(places)
        starts = places.tolist()
        place = num_bytes = 0
        last = max(len(normalised) - 1, 0)
        for piece_id, piece in zip(ids, pieces, strict=True):
            if piece_id in self._bytes:
                yield starts[place], ends[place]
                num_bytes += 1
                if num_bytes == len(normalised[place].encode()):
                    place, num_bytes = min(place + 1, last), 0
                continue
            past = place + len(piece)
            first = past - (len(piece.lstrip(SPACE)) or len(piece))
            yield starts[min(first, last)], ends[min(past - 1, last)]
            place = past

    def _with_parted_numbers(
        self, ids: Sequence[int], pieces: Sequence[str]
    ) -> tuple[list[int], list[str]]:
        new_ids: list[int] = []
        new_pieces: list[str] = []
        for piece_id, piece in zip(ids, pieces, strict=True):
            if not (piece[-2:-1].isdigit() and piece.endswith(",")):
                new_ids.append(piece_id)
                new_pieces.append(piece)
                continue
            parts = self._number_parts(piece)
            new_pieces += parts
            new_ids += self._processor.piece_to_id(parts)
        return new_ids, new_pieces

    def _number_parts(self, piece: str) -> list[str]:
        number = piece[:-1].replace(SPACE, "")
        first, *others = self._processor.encode(number, out_type=str)
        if not piece.startswith(SPACE):
            first = first.removeprefix(SPACE)
        return [*([first] if first else []), *others, ","]


def byte_of(piece: str) -> bytes:
    """Return the byte that a piece like ``<0xE4>`` stands for.

    Raises:
        ValueError: It is spelled in another way.
    """
    if not (piece.startswith("<0x") and piece.endswith(">") and len(piece) == 6):  # noqa: PLR2004
        raise ValueError(f"expected a byte like <0xE4>; received {piece!r}")
    return bytes.fromhex(piece[3:-1])


def _read(proto: Any) -> PieceModel:
    """Return the facts of a parsed file; ValueError where they cannot be true."""
    rows = [(row.piece, row.type, row.score) for row in proto.pieces]
    if not 0 < len(rows) <= MAX_TOKENS:
        raise ValueError(f"it has {len(rows)} pieces, of 1 to {MAX_TOKENS}")
    if not all(isinstance(piece, str) for piece, _, _ in rows):
        raise ValueError("a piece is not UTF-8")
    if not all(math.isfinite(score) for _, _, score in rows):
        raise ValueError("a piece's score is no finite number")
    kinds = tuple(kind for _, kind, _ in rows)
    if UNKNOWN not in kinds:
        raise ValueError("it has no unknown piece")
    for piece, kind, _ in rows:
        if kind == BYTE:
            byte_of(piece)
    pieces = tuple(piece for piece, _, _ in rows)
    return PieceModel(pieces, kinds, _dropped_spaces(proto), proto)


def _dropped_spaces(proto: Any) -> int:
    if proto.trainer_spec.treat_whitespace_as_suffix:
        return 0
    if proto.normalizer_spec.remove_extra_whitespaces:
        return EVERY_SPACE
    return int(proto.normalizer_spec.add_dummy_prefix)


def _build_processor(content: bytes) -> Any:
    sentencepiece = import_module("sentencepiece")
    sentencepiece.set_min_log_level(ERRORS_ONLY)
    try:
        return sentencepiece.SentencePieceProcessor(model_proto=content)
    except (RuntimeError, OSError) as error:
        raise ValueError(
            f"expected a SentencePiece model; the library received it and said: {error}"
        ) from error


def _decode_error() -> type[Exception]:
    error: type[Exception] = import_module("google.protobuf.message").DecodeError
    return error


def _ends(places: npt.NDArray[np.int64]) -> list[int]:
    """Return where each normalised character's typed ones end: the next place."""
    distinct = np.unique(places)
    following = np.append(distinct[1:], distinct[-1])
    ends: list[int] = following[np.searchsorted(distinct, places)].tolist()
    return ends
