"""The left eye's picture of a stereo pair in one JPEG."""

import io

import pytest
from PIL import Image

from recon_worker.inputs.stereo_pair import left_picture

LEFT, RIGHT = (200, 30, 30), (30, 30, 200)


def segment(layout: int, flags: int, kind: int = 1) -> bytes:
    """An APP3 segment: separation, flags, layout and type of media follow the block's length."""
    data = b"_JPSJPS_" + bytes([0, 4, 0, flags, layout, kind])
    return b"\xff\xe3" + (len(data) + 2).to_bytes(2, "big") + data


def decoded(picture: Image.Image, app3: bytes = b"") -> Image.Image:
    """Return the picture as it is read from a JPEG with such a segment."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95)
    content = file.getvalue()
    opened = Image.open(io.BytesIO(content[:2] + app3 + content[2:]))
    opened.load()
    return opened


def beside(first: tuple[int, int, int], second: tuple[int, int, int]) -> Image.Image:
    """Two pictures of 64 x 48, side by side."""
    picture = Image.new("RGB", (128, 48), first)
    picture.paste(second, (64, 0, 128, 48))
    return picture


def above(first: tuple[int, int, int], second: tuple[int, int, int]) -> Image.Image:
    """The same, one above the other."""
    picture = Image.new("RGB", (64, 96), first)
    picture.paste(second, (0, 48, 64, 96))
    return picture


@pytest.mark.parametrize(
    ("picture", "app3", "size"),
    [
        pytest.param(beside(RIGHT, LEFT), b"", (64, 48), id="for crossed eyes, which is usual"),
        pytest.param(beside(RIGHT, LEFT), segment(2, 0), (64, 48), id="the same, said"),
        pytest.param(beside(LEFT, RIGHT), segment(2, 4), (64, 48), id="left one first"),
        pytest.param(beside(LEFT, RIGHT), segment(2, 6), (128, 48), id="squeezed to half their width"),
        pytest.param(above(LEFT, RIGHT), segment(3, 4), (64, 48), id="left one above"),
        pytest.param(above(RIGHT, LEFT), segment(3, 1), (64, 96), id="left one below, squeezed to half its height"),
    ],
)
def test_the_left_picture_is_taken(picture: Image.Image, app3: bytes, size: tuple[int, int]) -> None:
    left = left_picture(decoded(picture, app3))
    assert left.size == size
    red, _, blue = left.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))  # type: ignore[misc]  # of three bands
    assert red > 150 > blue


def test_a_single_picture_is_taken_whole() -> None:
    assert left_picture(decoded(beside(LEFT, RIGHT), segment(2, 0, kind=0))).size == (128, 48)


@pytest.mark.parametrize("layout", [pytest.param(1, id="line by line"), pytest.param(4, id="by colour")])
def test_pictures_that_are_mixed_are_refused(layout: int) -> None:
    with pytest.raises(ValueError, match=r"mixes the pictures of both eyes .* side by side"):
        left_picture(decoded(beside(LEFT, RIGHT), segment(layout, 0)))
