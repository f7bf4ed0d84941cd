"""Masks beside photos are found by their names, as other programs give them, and hide what is black in them."""

import io
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.masks import masks_of, read_mask, with_mask


def found(*names: str) -> dict[str, str]:
    return {str(photo): str(mask) for photo, mask in masks_of(list(map(PurePosixPath, names))).items()}


@pytest.mark.parametrize(
    ("photo", "mask"),
    [
        pytest.param("a.jpg", "a.jpg.mask.png", id="OpenMVS, with the photo's ending"),
        pytest.param("a.jpg", "a.mask.png", id="OpenMVS, without"),
        pytest.param("a.JPG", "a_mask.PNG", id="with an underscore"),
        pytest.param("a.png", "a_mask.png", id="of a PNG"),
        pytest.param("a.jpg", "masks/a.jpg.png", id="COLMAP"),
        pytest.param("a.jpg", "masks/a.png", id="Meshroom"),
        pytest.param("images/a.jpg", "masks/a.jpg.png", id="a folder beside the photos' folder"),
        pytest.param("chair/images/1/a.jpg", "chair/masks/1/a.png", id="with folders below both"),
        pytest.param("chair/1/a.jpg", "chair/mask/1/a.png", id="beside folders of photos"),
        pytest.param("sub/a.jpg", "sub/a.mask.png", id="in a folder"),
        pytest.param("a.b.jpg", "a.b.mask.png", id="a name with a dot"),
        pytest.param("写真.jpg", "masks/写真.png", id="another script"),
    ],
)
def test_a_mask_is_found_by_its_photo_s_name(photo: str, mask: str) -> None:
    assert found(photo, "other.jpg", mask) == {photo: mask}


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["a.jpg", "b_mask.png"], id="a photo that ends so, without another one"),
        pytest.param(["masks/a.png", "masks/b.png"], id="photos of masks"),
        pytest.param(["a.jpg", "a_mask.jpg"], id="a JPEG, whose black is not black"),
        pytest.param(["a.jpg", "unmask.png"], id="another name"),
        pytest.param(["1/a.jpg", "2/a_mask.png"], id="of another folder"),
        pytest.param(["a.jpg", "a.png"], id="a copy in another format"),
        pytest.param(["a_mask.png", "a_mask.mask.png"], id="a mask of a mask"),
    ],
)
def test_other_images_are_photos(names: list[str]) -> None:
    assert found(*names) == {}


def test_of_two_masks_one_is_taken() -> None:
    assert list(found("a.jpg", "a.mask.png", "masks/a.png")) == ["a.jpg"]


PICTURE = Image.new("RGB", (40, 20), (10, 20, 30))


def half(mode: str, size: tuple[int, int] = (40, 20), shown: object = 255, hidden: object = 0) -> Image.Image:
    """Return a mask of which the left half is to be seen."""
    mask = Image.new(mode, size, hidden)  # type: ignore[arg-type]
    mask.paste(shown, (0, 0, size[0] // 2, size[1]))  # type: ignore[arg-type]
    return mask


@pytest.mark.parametrize(
    "mask",
    [
        pytest.param(half("L"), id="grey"),
        pytest.param(half("L", shown=1), id="labels, of which 0 hides"),
        pytest.param(half("1", shown=1), id="black and white"),
        pytest.param(half("RGB", shown=(0, 0, 200), hidden=(0, 0, 0)), id="colours"),
        pytest.param(half("RGBA", shown=(0, 255, 0, 255), hidden=(255, 255, 255, 0)), id="transparency"),
        pytest.param(half("I;16", shown=65535), id="16 bits"),
        pytest.param(half("I;16", shown=300), id="16 bits, of labels"),
        pytest.param(half("L").convert("P"), id="a palette"),
        pytest.param(half("L", (20, 10)), id="half as large"),
        pytest.param(half("L", (80, 40)), id="twice as large"),
    ],
)
def test_what_is_black_is_hidden(tmp_path: Path, mask: Image.Image) -> None:
    mask.save(tmp_path / "mask.png")
    with (tmp_path / "mask.png").open("rb") as file:
        masked = with_mask(PICTURE, read_mask(file, InputLimits()))
    alpha = np.asarray(masked.getchannel("A"))
    assert (alpha[:, :20] == 255).all()
    assert (alpha[:, 20:] == 0).all()
    assert masked.convert("RGB").tobytes() == PICTURE.tobytes()


def test_what_the_photo_hides_itself_stays_hidden() -> None:
    picture = PICTURE.copy()
    picture.putalpha(half("L").rotate(180))
    shown = with_mask(picture, half("L", shown=255)).getchannel("A")
    assert shown.getextrema() == (0, 0)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        pytest.param(half("L", (20, 40)), "is 20 x 40 pixels, its photo 40 x 20", id="of another shape"),
        pytest.param(Image.new("L", (40, 20)), "hides all of its photo; white must show", id="all black"),
    ],
)
def test_a_mask_that_cannot_be_meant_is_refused(mask: Image.Image, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        with_mask(PICTURE, mask)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "can't be read as PNG", id="empty"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(20), "can't be read as PNG", id="damaged"),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(20), "can't be read as PNG", id="a JPEG"),
    ],
)
def test_a_mask_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "mask.png").write_bytes(content)
    with (tmp_path / "mask.png").open("rb") as file, pytest.raises(ValueError, match=words):
        read_mask(file, InputLimits())


def test_a_mask_has_no_more_pixels_than_a_photo_may_have(tmp_path: Path) -> None:
    file = io.BytesIO()
    half("L").save(file, "PNG")
    (tmp_path / "mask.png").write_bytes(file.getvalue())
    with (tmp_path / "mask.png").open("rb") as opened, pytest.raises(ValueError, match="more than a photo may have"):
        read_mask(opened, InputLimits(max_photo_pixels=799))
