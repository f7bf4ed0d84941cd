"""A decoded picture is turned, scaled to 8 bits and converted to sRGB as its file says."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps
from PIL.ExifTags import Base

from recon_worker.inputs import pixels
from tests.support.icc import TO_XYZ_P3, TO_XYZ_PROPHOTO, TO_XYZ_SRGB, Matrix, grey_profile, in_srgb, profile

NOISE = Image.fromarray(np.random.default_rng(1).integers(0, 256, (5, 7, 3), np.uint8))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_orientation_says(orientation: int) -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    NOISE.save(file, "PNG", exif=exif)
    expected = ImageOps.exif_transpose(Image.open(file))
    assert pixels.upright(NOISE, orientation).tobytes() == expected.tobytes()


@pytest.mark.parametrize("orientation", [None, 0, 9, -1, "6", (6,), 6.5])
def test_an_orientation_that_says_nothing_known_turns_nothing(orientation: object) -> None:
    assert pixels.upright(NOISE, orientation) is NOISE


@pytest.mark.parametrize(
    ("largest", "bits"),
    [
        (0, 8),
        (255, 8),
        (256, 10),
        (1023, 10),
        (1024, 12),
        (4095, 12),
        (4096, 14),
        (16383, 14),
        (16384, 16),
        (65535, 16),
    ],
)
@pytest.mark.parametrize("mode", ["I;16", "I"])
def test_as_many_bits_as_are_used_become_8(mode: str, largest: int, bits: int) -> None:
    values = np.array([[0, largest // 2, largest]], np.uint16 if mode == "I;16" else np.int32)
    picture = Image.fromarray(values)
    assert pixels.used_bits(picture) == bits
    scaled = np.asarray(pixels.eight_bit(picture, bits)).astype(int)
    assert np.abs(scaled - values.astype(float) * 255 / (2**bits - 1)).max() <= 1


def test_8_bits_are_left_alone() -> None:
    assert pixels.used_bits(NOISE) is None
    assert pixels.eight_bit(NOISE, None) is NOISE


def tagged(picture: Image.Image, icc: bytes) -> Image.Image:
    tagged = picture.copy()
    tagged.info["icc_profile"] = icc
    return tagged


COLOURS = [(255, 0, 0), (0, 255, 0), (20, 40, 200), (200, 150, 100), (128, 128, 128), (0, 0, 0), (255, 255, 255)]


@pytest.mark.parametrize(
    ("to_xyz", "gamma"),
    [
        pytest.param(TO_XYZ_P3, 2.2, id="Display P3, as phones write it"),
        pytest.param(TO_XYZ_PROPHOTO, 1.8, id="ProPhoto"),
        pytest.param(TO_XYZ_SRGB, 1.0, id="linear"),
    ],
)
def test_colours_are_those_of_the_profile(to_xyz: Matrix, gamma: float) -> None:
    for colour in COLOURS:
        picture = tagged(Image.new("RGB", (2, 2), colour), profile(to_xyz, gamma))
        assert pixels.has_other_colours(picture)
        converted = pixels.in_srgb(picture).getpixel((0, 0))
        assert converted == pytest.approx(in_srgb(colour, to_xyz, gamma), abs=3), colour


@pytest.mark.parametrize(
    ("picture", "icc"),
    [
        pytest.param(NOISE, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), id="sRGB's own"),
        pytest.param(NOISE, b"", id="an empty one"),
        pytest.param(NOISE, b"no profile", id="one that is none"),
        pytest.param(NOISE, profile(TO_XYZ_P3, 2.2)[:300], id="one that is cut off"),
        pytest.param(NOISE, grey_profile(1.0), id="one for grey in a picture with colours"),
        pytest.param(NOISE.convert("L"), profile(TO_XYZ_P3, 2.2), id="one for colours in a grey picture"),
        pytest.param(NOISE.convert("CMYK"), profile(TO_XYZ_P3, 2.2), id="one for RGB in CMYK"),
    ],
)
def test_a_profile_that_changes_nothing_or_cannot_be_used_is_left_out(picture: Image.Image, icc: bytes) -> None:
    given = tagged(picture, icc)
    assert not pixels.has_other_colours(given)
    assert pixels.in_srgb(given) is given


def test_a_grey_picture_has_a_profile_of_its_own() -> None:
    linear = pixels.in_srgb(tagged(Image.new("L", (1, 1), 55), grey_profile(1.0)))
    assert linear.mode == "RGB"
    assert linear.getpixel((0, 0)) == pytest.approx((128, 128, 128), abs=2)


def test_transparency_stays() -> None:
    picture = NOISE.convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(NOISE.size))
    converted = pixels.in_srgb(tagged(picture, profile(TO_XYZ_P3, 2.2)))
    assert converted.mode == "RGBA"
    assert converted.getchannel("A").tobytes() == picture.getchannel("A").tobytes()
