"""Files with a flaw that a person does not see are read; those of which something is missing are refused."""

import base64
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from PIL.ExifTags import Base

from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.photo import Panorama, PhotoRejected, Prepared, Treatment, prepare_photo
from tests.support.icc import TO_XYZ_P3, in_srgb, profile

SIZE = (240, 160)
AS_IT_IS = Treatment()


def textured(size: tuple[int, int] = SIZE) -> Image.Image:
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(noise).filter(ImageFilter.GaussianBlur(1))


def jpeg(picture: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", **{"quality": 90, **options})
    return file.getvalue()


def prepared(folder: Path, content: bytes, name: str = "photo.jpg", treatment: Treatment = AS_IT_IS) -> Prepared:
    path = folder / name
    path.write_bytes(content)
    with path.open("rb") as file:
        return prepare_photo(file, path, folder / "prepared", InputLimits(), treatment=treatment)


def pixels_of(photo: Prepared) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the pixels of a prepared photo, (h, w, 3)."""
    return np.asarray(Image.open(photo.file)).astype(np.int64)


def without_last_pass(content: bytes) -> bytes:
    """Return a progressive JPEG that ends where its last pass would begin."""
    return content[: content.rindex(b"\xff\xda")]


# --- the end of a file -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 2, 3])
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="4:2:0"),
        pytest.param({"subsampling": 0}, id="4:4:4"),
        pytest.param({"quality": 30}, id="strongly compressed"),
        pytest.param({"progressive": True}, id="progressive"),
        pytest.param({"progressive": True, "quality": 30, "subsampling": 0}, id="progressive, strongly compressed"),
    ],
)
def test_a_missing_end_marker_is_no_damage(tmp_path: Path, cut: int, options: dict[str, object]) -> None:
    whole = jpeg(textured(), **options)
    photo = prepared(tmp_path, whole[:-cut])
    assert (photo.width, photo.height) == SIZE
    expected = np.asarray(Image.open(io.BytesIO(whole))).astype(np.int64)
    assert np.abs(pixels_of(photo)[:-16] - expected[:-16]).mean() < 3


def test_it_is_none_in_a_photo_with_an_orientation(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    photo = prepared(tmp_path, jpeg(textured(), exif=exif)[:-2])
    assert (photo.width, photo.height) == (SIZE[1], SIZE[0])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(jpeg(textured())[:-3000], id="rows are missing"),
        pytest.param(jpeg(textured())[:700], id="all of it is missing"),
        pytest.param(jpeg(textured(), progressive=True)[:-9000], id="passes are missing"),
        pytest.param(without_last_pass(jpeg(textured(), progressive=True)), id="the last pass is missing"),
        pytest.param(jpeg(textured(), progressive=True)[:700], id="all passes are missing"),
    ],
)
def test_a_photo_of_which_something_is_missing_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(PhotoRejected, match="is cut short"):
        prepared(tmp_path, content)


# --- EXIF --------------------------------------------------------------------------------------------------------


def unwritable_exif(orientation: int) -> bytes:
    """Return EXIF with a resolution of -1/0, which Pillow reads and does not write."""
    entries = struct.pack("<HHIHH", Base.Orientation, 3, 1, orientation, 0)
    entries += struct.pack("<HHII", Base.XResolution, 10, 1, 8 + 2 + 24 + 4)
    tiff = b"II*\0" + struct.pack("<IH", 8, 2) + entries + struct.pack("<I", 0) + struct.pack("<ii", -1, 0)
    return b"Exif\0\0" + tiff


def test_a_tag_that_cannot_be_written_again_is_no_damage(tmp_path: Path) -> None:
    photo = prepared(tmp_path, jpeg(textured(), exif=unwritable_exif(6)))
    assert (photo.width, photo.height) == (SIZE[1], SIZE[0])
    turned = np.asarray(textured().transpose(Image.Transpose.ROTATE_270)).astype(np.int64)
    assert np.abs(pixels_of(photo) - turned).mean() < 10


# --- colours and depth -------------------------------------------------------------------------------------------


def test_a_photo_with_a_profile_is_written_in_srgb_and_without_one(tmp_path: Path) -> None:
    colour = (200, 80, 60)
    content = jpeg(Image.new("RGB", SIZE, colour), icc_profile=profile(TO_XYZ_P3, 2.2), quality=98)
    photo = prepared(tmp_path, content)
    assert pixels_of(photo)[80, 120] == pytest.approx(np.array(in_srgb(colour, TO_XYZ_P3, 2.2)), abs=3)
    assert "icc_profile" not in Image.open(photo.file).info


def test_an_unusable_profile_keeps_no_photo_from_being_taken_as_it_is(tmp_path: Path) -> None:
    photo = prepared(tmp_path, jpeg(textured(), icc_profile=b"damaged"))
    assert photo.file.samefile(tmp_path / "photo.jpg")


def deep_grey(largest: int) -> bytes:
    file = io.BytesIO()
    values = np.linspace(0, largest, SIZE[0] * SIZE[1]).reshape(SIZE[1], SIZE[0])
    Image.fromarray(values.astype(np.uint16)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("largest", "asked_bits", "brightest"),
    [
        pytest.param(4095, None, 255, id="12 bits"),
        pytest.param(1023, None, 255, id="10 bits"),
        pytest.param(65535, None, 255, id="16 bits"),
        pytest.param(1023, 12, 64, id="10 bits in a set of 12"),
        pytest.param(4095, 10, 255, id="never fewer than it uses"),
    ],
)
def test_deep_greys_are_scaled(tmp_path: Path, largest: int, asked_bits: int | None, brightest: int) -> None:
    photo = prepared(tmp_path, deep_grey(largest), "photo.png", Treatment(asked_bits))
    assert pixels_of(photo).max() == pytest.approx(brightest, abs=3)


# --- formats -----------------------------------------------------------------------------------------------------

HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAaFtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ADRpbG9jAAAAAERAAAIAAQAAAAABxQABAAAAAAAAAGcAAgAAAAACLAABAAAAAAAAAEIAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAA"
    "AAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA4GlwcnAAAADAaXBjbwAAAHhodmNDAQNwAAAA"
    "kAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoBAgYWW6"
    "kkprm4CGgwIAAAMAMgAAAwACEGIAAQAHRAHBcrAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAACAAAAAYAAAABBw"
    "aXhpAAAAAAMICAgAAAAJaXJvdAMAAAAYaXBtYQAAAAAAAAABAAEFgQIDBIUAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAAALFt"
    "ZGF0AAAAYygBrxOA5TPAn//wUqP/3Ws8Pwd4rVD0VzB//eeMR/QNY//F5E9s3P/tU+CvaMEgYACAwniURTeI54Qy71yYZ/04mK5E"
    "0lhmweXLJA/s4nDtQwlAQpUbClQvK/bsJsPKcXuLMAAAAAZFeGlmAABNTQAqAAAACAACARIAAwAAAAEABgAAh2kABAAAAAEAAAAm"
    "AAAAAAABpAUAAwAAAAEAGgAAAAAAAA=="
)
"""A picture of 128 x 96, red at its left and blue at its right, that is to be turned by 90°, as a phone writes it."""


@pytest.mark.parametrize("name", ["IMG_0001.HEIC", "photo.jpg"])
def test_a_heic_photo_is_read_upright_whatever_its_name(tmp_path: Path, name: str) -> None:
    photo = prepared(tmp_path, HEIC, name)
    assert (photo.width, photo.height) == (96, 128)
    assert photo.file.suffix == ".jpg"
    above, below = pixels_of(photo)[8, 48], pixels_of(photo)[-8, 48]
    assert above[0] > 150 > above[2]
    assert below[2] > 150 > below[0]
    assert photo.focal_px == pytest.approx(26 / 43.27 * 160, rel=0.01)


@pytest.mark.parametrize("cut", [40, 300, 600])
def test_a_heic_photo_that_is_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    with pytest.raises(PhotoRejected, match=r"damaged|cut short|HEIC photo of a kind"):
        prepared(tmp_path, HEIC[:cut], "a.heic")


@pytest.mark.parametrize("kind", ["TIFF", "WEBP", "PNG", "MPO", "AVIF"])
def test_of_several_pictures_in_a_file_the_first_is_read(tmp_path: Path, kind: str) -> None:
    file = io.BytesIO()
    first, second = (Image.new("RGB", SIZE, colour) for colour in ((200, 30, 30), (30, 30, 200)))
    first.save(file, kind, save_all=True, append_images=[second])
    photo = prepared(tmp_path, file.getvalue(), f"a.{kind.lower()}")
    red, _, blue = pixels_of(photo)[80, 120]
    assert red > 150 > blue


def test_of_a_stereo_pair_the_left_picture_is_read(tmp_path: Path) -> None:
    pair = Image.new("RGB", (2 * SIZE[0], SIZE[1]), (30, 30, 200))
    pair.paste((200, 30, 30), (SIZE[0], 0, 2 * SIZE[0], SIZE[1]))
    photo = prepared(tmp_path, jpeg(pair), "pair.jps", Treatment(is_pair=True))
    assert (photo.width, photo.height) == SIZE
    assert pixels_of(photo)[80, 120][0] > 150


def test_a_panorama_is_refused(tmp_path: Path) -> None:
    xmp = b'<x:xmpmeta GPano:ProjectionType="equirectangular"/>'
    with pytest.raises(Panorama, match="is a 360° panorama"):
        prepared(tmp_path, jpeg(textured((320, 160)), xmp=xmp))
    assert prepared(tmp_path, jpeg(textured((320, 160)))).width == 320
