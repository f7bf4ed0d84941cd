"""Pictures of 360°, and others that are twice as wide as high."""

import numpy as np
import pytest
from PIL import Image

from recon_worker.inputs.panorama import is_panorama

WIDTH, HEIGHT = 1024, 512


def equirectangular(roll: int = 0) -> Image.Image:
    """A panorama of waves on a sphere, whose first column looks to another side with another roll."""
    azimuth = (np.arange(WIDTH) + roll) / WIDTH * 2 * np.pi
    elevation = ((0.5 - (np.arange(HEIGHT) + 0.5) / HEIGHT) * np.pi)[:, None]
    x, y, z = np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)
    waves = np.sin(9 * x + 4 * z) + np.sin(7 * y - 5 * x) + np.sin(11 * z + 3 * y)
    return Image.fromarray(np.uint8(128 + 40 * waves)).convert("RGB")


def landscape() -> Image.Image:
    """A wide photo: sky, and hills that differ from left to right."""
    columns, rows = np.arange(WIDTH), np.arange(HEIGHT)[:, None]
    hills = 256 + 90 * np.sin(columns / 90) + 60 * np.sin(columns / 37)
    return Image.fromarray(np.uint8(np.where(rows < hills, 220 - rows / 8, 60 + columns / 12))).convert("RGB")


def on_white() -> Image.Image:
    """A product photo: something dark in the middle of a white picture."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    picture.paste((40, 60, 80), (400, 100, 650, 420))
    return picture


def shaded() -> Image.Image:
    """The same before a backdrop that darkens downwards."""
    rows = np.linspace(230, 90, HEIGHT)[:, None] * np.ones(WIDTH)
    picture = Image.fromarray(np.uint8(rows)).convert("RGB")
    picture.paste((40, 60, 80), (400, 100, 650, 420))
    return picture


def with_xmp(picture: Image.Image) -> Image.Image:
    """The picture as a panorama camera tags it."""
    picture.info["xmp"] = b'<rdf:Description GPano:ProjectionType="equirectangular"/>'
    return picture


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        pytest.param(equirectangular(), True, id="a panorama"),
        pytest.param(equirectangular(roll=300), True, id="a panorama that begins elsewhere"),
        pytest.param(with_xmp(landscape()), True, id="a picture that says so"),
        pytest.param(equirectangular().crop((0, 0, 900, 450)), False, id="a part of a panorama"),
        pytest.param(equirectangular().resize((900, 600)), False, id="another shape"),
        pytest.param(landscape(), False, id="a wide photo"),
        pytest.param(on_white(), False, id="a thing on white"),
        pytest.param(shaded(), False, id="a thing before a backdrop"),
        pytest.param(Image.new("RGB", (WIDTH, HEIGHT), "grey"), False, id="nothing"),
        pytest.param(Image.effect_noise((WIDTH, HEIGHT), 80).convert("RGB"), False, id="noise"),
    ],
)
def test_panoramas_are_found(picture: Image.Image, expected: bool) -> None:
    assert is_panorama(picture) is expected
