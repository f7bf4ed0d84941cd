"""Colour pictures of 16 bits a channel, of which a camera uses fewer."""

import io
import struct
import zlib

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from recon_worker.inputs.deep_colour import deep_colours, eight_bit, is_deep

Pixels = npt.NDArray[np.uint16]


def pixels(largest: int, channels: int = 3) -> Pixels:
    """Random values up to the largest, (h, w, channels)."""
    values = np.random.default_rng(0).integers(0, largest, (50, 60, channels), endpoint=True)
    values[0, 0] = largest
    return values.astype(np.uint16)


def png(values: Pixels) -> bytes:
    """A PNG of 16 bits a channel, which Pillow does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, channels = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, 2 if channels == 3 else 6, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def tiff(values: Pixels, order: str, *, compressed: bool = False) -> bytes:
    """A TIFF of 16 bits a channel in one strip."""
    height, width, _ = values.shape
    data = values.astype(f"{order}u2").tobytes()
    data = zlib.compress(data) if compressed else data
    entries = 10
    bits_at = 8 + 2 + 12 * entries + 4
    tags = [
        (256, 3, 1, width),
        (257, 3, 1, height),
        (258, 3, 3, bits_at),
        (259, 3, 1, 8 if compressed else 1),
        (262, 3, 1, 2),
        (273, 4, 1, bits_at + 6),
        (277, 3, 1, 3),
        (278, 3, 1, height),
        (279, 4, 1, len(data)),
        (284, 3, 1, 1),
    ]
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, entries)
    for tag, kind, count, value in tags:
        short = kind == 3 and count == 1
        out += struct.pack(f"{order}HHI", tag, kind, count)
        out += struct.pack(f"{order}HH", value, 0) if short else struct.pack(f"{order}I", value)
    return out + struct.pack(f"{order}I3H", 0, 16, 16, 16) + data


FILES = [
    pytest.param(png, id="PNG"),
    pytest.param(lambda values: tiff(values, "<"), id="TIFF, low byte first"),
    pytest.param(lambda values: tiff(values, ">"), id="TIFF, high byte first"),
    pytest.param(lambda values: tiff(values, "<", compressed=True), id="TIFF, compressed, low byte first"),
    pytest.param(lambda values: tiff(values, ">", compressed=True), id="TIFF, compressed, high byte first"),
]


@pytest.mark.parametrize("written", FILES)
def test_all_bits_are_read(written: object) -> None:
    assert callable(written)
    values = pixels(0xFFFF)
    content = written(values)
    image = Image.open(io.BytesIO(content))
    assert is_deep(image)
    image.load()
    assert (deep_colours(image, Image.open(io.BytesIO(content))) == values).all()


@pytest.mark.parametrize(
    ("largest", "least_bits", "used", "brightest"),
    [
        pytest.param(1023, 0, 10, 255, id="10 bits"),
        pytest.param(4095, 0, 12, 255, id="12 bits"),
        pytest.param(0xFFFF, 0, 16, 255, id="all of them"),
        pytest.param(1023, 12, 10, 64, id="10 bits, where another photo of the set uses 12"),
    ],
)
def test_colours_are_scaled_by_the_bits_that_are_used(largest: int, least_bits: int, used: int, brightest: int) -> None:
    content = png(pixels(largest))
    image = Image.open(io.BytesIO(content))
    image.load()
    scaled, bits = eight_bit(image, Image.open(io.BytesIO(content)), least_bits)
    assert bits == used
    assert scaled.mode == "RGB"
    assert max(high for _, high in scaled.getextrema()) == brightest  # type: ignore[misc]  # of three bands


def test_transparency_stays() -> None:
    content = png(pixels(4095, channels=4))
    image = Image.open(io.BytesIO(content))
    image.load()
    scaled, _ = eight_bit(image, Image.open(io.BytesIO(content)), 0)
    assert scaled.getchannel("A").tobytes() == image.getchannel("A").tobytes()


@pytest.mark.parametrize(
    "picture", [Image.new("RGB", (8, 8)), Image.new("L", (8, 8)), Image.new("RGBA", (8, 8)), Image.new("P", (8, 8))]
)
def test_pictures_of_8_bits_are_not_deep(picture: Image.Image) -> None:
    file = io.BytesIO()
    picture.save(file, "PNG")
    assert not is_deep(Image.open(file))
