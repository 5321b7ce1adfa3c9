"""The picture of a mask is the mask: decoded again, cell by cell."""

import base64
import re
import struct
import zlib

import numpy as np
import pytest

from app.tabs import attention_view as view
from app.tabs.title import prefix_picture
from model_core.interfaces import AttentionPicture

NASTY = "<img src=x onerror=alert(1)>\"'&"


def picture_of(num_source, num_target):
    return prefix_picture(["源"] * num_source, ["标"] * num_target)


def chunks_of(png):
    """Return a PNG's chunks by name, every checksum checked."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    place, chunks = 8, {}
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        body = png[place + 4 : place + 8 + length]
        (checksum,) = struct.unpack(">I", png[place + 8 + length :][:4])
        assert checksum == zlib.crc32(body)
        chunks[body[:4]] = body[4:]
        place += 12 + length
    return chunks


def pixels_of(address):
    """Return the palette index of every pixel of a ``data:`` address."""
    kind, encoded = address.split(",")
    assert kind == "data:image/png;base64"
    chunks = chunks_of(base64.b64decode(encoded))
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert rest == [8, 3, 0, 0, 0]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8)
    rows = rows.reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:]


def test_the_mask_of_a_prefix_request_is_as_it_is_drawn_in_the_books():
    drawn = ["###..", "###..", "###..", "####.", "#####"]
    mask = picture_of(3, 2).mask
    assert ["".join(".#"[int(cell)] for cell in row) for row in mask] == drawn


@pytest.mark.parametrize(("num_source", "num_target"), [(1, 1), (9, 4), (480, 32)])
def test_every_pixel_is_a_cell_of_the_mask(num_source, num_target):
    picture = picture_of(num_source, num_target)
    pixels = pixels_of(view.image_address(picture))
    assert pixels.shape == picture.mask.shape
    assert ((pixels > 0) == picture.mask).all()


def test_the_blocks_have_colours_of_their_own():
    pixels = pixels_of(view.image_address(picture_of(3, 2)))
    assert pixels.tolist() == [
        [1, 1, 1, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 1, 0, 0],
        [3, 3, 3, 4, 0],
        [3, 3, 3, 4, 4],
    ]


def test_any_mask_is_drawn_as_it_is():
    mask = np.random.default_rng(0).random((40, 40)) < 0.5
    picture = AttentionPicture(tuple("字" * 40), (0,) * 25 + (1,) * 15, mask)
    assert ((pixels_of(view.image_address(picture)) > 0) == mask).all()


def test_the_largest_picture_stays_light():
    assert len(view.drawing(picture_of(480, 32))) < 60_000


def test_hovering_tells_how_much_each_block_sees():
    drawn = view.whole(picture_of(30, 4))
    assert "源看源：900 / 900 格" in drawn
    assert "source looks at target: 0 / 120 cells" in drawn
    assert "标看源：120 / 120 格" in drawn
    assert "target looks at target: 10 / 16 cells" in drawn


def test_a_request_without_a_target_has_one_block():
    assert view.whole(picture_of(5, 0)).count('class="mp-block"') == 1


def test_the_axes_say_where_the_target_begins():
    drawn = view.whole(picture_of(30, 4))
    assert ">源 source 30<" in drawn
    assert ">标 target 4<" in drawn
    assert 'class="mp-tick"' in drawn


@pytest.mark.parametrize(
    ("num_source", "num_target", "side"), [(300, 40, 24), (300, 5, 13), (4, 2, 6)]
)
def test_the_seam_shows_both_sides_close_up(num_source, num_target, side):
    drawn = view.seam(picture_of(num_source, num_target))
    assert drawn.count("<rect") == side * side
    labels = re.findall(r"<text[^>]*>(.)</text>", drawn)
    assert labels == labels[:side] * 2
    assert labels.count("标") == 2 * min(16, num_target)


@pytest.mark.parametrize(
    ("token", "label"),
    [
        ("[CLS]", "⊢"),
        ("[SEP]", "⊣"),
        ("[NL]", "⏎"),
        ("[标题]", "◦"),
        ("", "·"),
        ("春", "春"),
        ("春天", "春"),
        ("2024", "20"),
        ("##ing", "in"),
        (" ", "␣"),
    ],
)
def test_a_label_fits_its_cell(token, label):
    assert view.label_of(token) == label


def test_tokens_stay_text():
    picture = prefix_picture([NASTY] * 3, ["<b>"])
    assert "<img" not in view.drawing(picture)
    assert "<b>" not in view.drawing(picture)
