"""Draw who saw whom in one request: the whole mask, and its seam close up. Pure.

Changes when the picture of a request's mask looks different. The whole mask is a PNG of
one pixel per cell, as it may have 512 x 512 of them; the seam between source and target
is drawn cell by cell with its tokens. Styles live in assets/tabs/title.css.
"""

import base64
import struct
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app import views
from app.views import escape
from model_core.interfaces import AttentionPicture

SIDE = 300  # pixels of the whole mask, whatever its length
LEFT, TOP = 46, 46  # pixels for its labels
RIGHT, BOTTOM = 14, 8
SEAM_SOURCE, SEAM_TARGET = 8, 16  # tokens on either side of the seam, close up
SOURCE, TARGET = 0, 1  # the two segments
SIDES = {SOURCE: ("源", "source"), TARGET: ("标", "target")}
# Who looks at whom, in the colours of the style sheet; nothing where nobody looks.
NOBODY = (0, 0, 0, 0)
COLOURS = {
    (SOURCE, SOURCE): (63, 143, 116, 255),
    (SOURCE, TARGET): (120, 120, 120, 255),
    (TARGET, SOURCE): (201, 139, 49, 255),
    (TARGET, TARGET): (190, 68, 52, 255),
}
SIGNS = {"[CLS]": "⊢", "[SEP]": "⊣", "[NL]": "⏎", "": "·"}
MARK = "◦"  # any other mark of the vocabulary
SEAM_CAPTION = (
    "接缝处的放大：⊢ 开头、⊣ 分隔；行看列，填实即看得到 · the seam close up: rows "
    "look at filled columns"
)


def drawing(picture: AttentionPicture) -> str:
    """Draw a request's whole mask and its seam."""
    return f'<div class="mp-attention">{whole(picture)}{seam(picture)}</div>'


def whole(picture: AttentionPicture) -> str:
    """Draw all of a mask: a pixel per cell, its four blocks told apart on hover."""
    length, edge = len(picture.tokens), edge_of(picture)
    caption = (
        f"这次请求的遮罩：源 {edge} 个词元，标 {length - edge} 个 · the mask of this "
        f"very request: {edge} source tokens, {length - edge} target tokens"
    )
    blocks = "".join(_block_svg(block) for block in blocks_of(picture))
    return (
        f'<figure class="mp-mask mp-whole"><svg viewBox="0 0 {LEFT + SIDE + RIGHT} '
        f'{TOP + SIDE + BOTTOM}" role="img" aria-label="{escape(caption)}">'
        f'<image href="{image_address(picture)}" x="{LEFT}" y="{TOP}" width="{SIDE}" '
        f'height="{SIDE}" preserveAspectRatio="none"/>{blocks}'
        f"{_axes(length, edge)}</svg>"
        f"<figcaption>{escape(caption)}{_key()}</figcaption></figure>"
    )


def seam(picture: AttentionPicture) -> str:
    """Draw the last source tokens and the first target tokens cell by cell."""
    edge = edge_of(picture)
    near = slice(max(0, edge - SEAM_SOURCE), edge + SEAM_TARGET)
    labels = [label_of(token) for token in picture.tokens[near]]
    return views.mask_drawing(picture.mask[near, near].tolist(), labels, SEAM_CAPTION)


def edge_of(picture: AttentionPicture) -> int:
    """Return the position of the first target token: the source's length."""
    return int(np.searchsorted(np.asarray(picture.segment_ids), TARGET))


def label_of(token: str) -> str:
    """Return a token in a cell's width: one wide sign, or two narrow ones."""
    if token in SIGNS or (token.startswith("[") and token.endswith("]")):
        return SIGNS.get(token, MARK)
    text = token.removeprefix("##").strip() or "␣"
    wide = unicodedata.east_asian_width(text[0]) in "WF"
    return text[:1] if wide else text[:2]


@dataclass(frozen=True, slots=True)
class Block:
    """The cells in which one segment looks at another.

    Attributes:
        query: Segment of the rows.
        key: Segment of the columns.
        box: x, y, width and height in pixels of the drawing.
        num_seen: Cells that may be looked at.
        num_cells: All cells.
    """

    query: int
    key: int
    box: tuple[float, float, float, float]
    num_seen: int
    num_cells: int

    @property
    def sentence(self) -> str:
        """What the block says, for hovering."""
        (row_zh, row_en), (column_zh, column_en) = SIDES[self.query], SIDES[self.key]
        seen = f"{self.num_seen:,} / {self.num_cells:,}"
        return (
            f"{row_zh}看{column_zh}：{seen} 格 · {row_en} looks at {column_en}: "
            f"{seen} cells"
        )


def blocks_of(picture: AttentionPicture) -> Iterator[Block]:
    """Yield the blocks that have cells, row by row."""
    length, edge = len(picture.tokens), edge_of(picture)
    spans = {SOURCE: (0, edge), TARGET: (edge, length)}
    pixels = SIDE / max(1, length)
    for query, key in COLOURS:
        (top, bottom), (left, right) = spans[query], spans[key]
        cells = picture.mask[top:bottom, left:right]
        if cells.size:
            box = (
                LEFT + left * pixels,
                TOP + top * pixels,
                (right - left) * pixels,
                (bottom - top) * pixels,
            )
            yield Block(query, key, box, int(cells.sum()), cells.size)


def image_address(picture: AttentionPicture) -> str:
    """Return the mask as a PNG, one pixel per cell, within a ``data:`` address."""
    segments = np.asarray(picture.segment_ids, np.uint8)
    kinds = 1 + 2 * segments[:, None] + segments[None, :]
    pixels = np.where(picture.mask, kinds, 0).astype(np.uint8)
    encoded = base64.b64encode(png_of(pixels, (NOBODY, *COLOURS.values())))
    return f"data:image/png;base64,{encoded.decode('ascii')}"


def png_of(
    pixels: npt.NDArray[np.uint8], palette: Sequence[tuple[int, int, int, int]]
) -> bytes:
    """Encode an image of palette indices (PNG specification, colour type 3).

    Args:
        pixels: (height, width), indices into the palette.
        palette: Red, green, blue and opacity, 0..255.
    """
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = (
        (b"IHDR", header),
        (b"PLTE", bytes(level for colour in palette for level in colour[:3])),
        (b"tRNS", bytes(colour[3] for colour in palette)),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def _block_svg(block: Block) -> str:
    x, y, width, height = (f"{number:.2f}" for number in block.box)
    return (
        f'<rect class="mp-block" x="{x}" y="{y}" width="{width}" height="{height}">'
        f"<title>{escape(block.sentence)}</title></rect>"
    )


def _axes(length: int, edge: int) -> str:
    """Label both axes: which side is which, and where the target begins."""
    middle = SIDE * edge / max(1, length)
    turned = f'transform="rotate(-90 {LEFT - 30} {TOP + SIDE / 2})"'
    return (
        f'<text x="{LEFT + SIDE / 2}" y="12">看谁 columns: looked at →</text>'
        f'<text x="{LEFT - 30}" y="{TOP + SIDE / 2}" {turned}>← 谁在看 rows: looking'
        "</text>"
        f'<text class="mp-source" x="{LEFT}" y="34">源 source {edge}</text>'
        f'<text class="mp-target" x="{LEFT + SIDE}" y="34">'
        f"标 target {length - edge}</text>"
        f'<text class="mp-tick" x="{LEFT - 4}" y="{TOP + middle:.1f}">{edge}</text>'
    )


def _key() -> str:
    """Return what the colours mean."""
    named = (
        ("mp-source-source", "源看源 source to source"),
        ("mp-target-source", "标看源 target to source"),
        ("mp-target-target", "标看过去 target to its past"),
    )
    items = "".join(
        f'<span class="mp-key {kind}"><i></i>{escape(text)}</span>'
        for kind, text in named
    )
    return f'<span class="mp-keys">{items}</span>'
