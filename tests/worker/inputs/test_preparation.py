"""The photos of a set are prepared with what lies beside them: their masks."""

import io
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import Base

from recon_api.errors import UsageError
from recon_api.reasons import INPUT_REJECTED
from recon_worker.inputs.preparation import Named, prepare_photos
from recon_worker.inputs.source import PhotoSource
from recon_worker.progress import Progress

SIZE = (96, 64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An input with three photos."""
    folder = tmp_path / "input"
    folder.mkdir()
    for number in range(3):
        Image.effect_noise(SIZE, 50 + number).convert("RGB").save(folder / f"{number}.jpg")
    return folder


def prepared(folder: Path) -> Named:
    target = folder.parent / "prepared"
    target.mkdir()
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    files = {PurePosixPath(name): folder / name for name in names}
    return prepare_photos(files, PhotoSource(folder, folder), target, Progress.silent()).photos


def top_mask(size: tuple[int, int] = SIZE) -> Image.Image:
    """Return a mask of which the upper half is to be seen."""
    mask = Image.new("L", size)
    mask.paste(255, (0, 0, size[0], size[1] // 2))
    return mask


def test_masks_become_transparency_and_no_photos(folder: Path) -> None:
    (folder / "masks").mkdir()
    top_mask().save(folder / "0.jpg.mask.png")
    top_mask().save(folder / "masks" / "2.png")
    photos = prepared(folder)
    assert [(str(name), photo.has_alpha) for name, photo in photos] == [
        ("0.jpg", True),
        ("1.jpg", False),
        ("2.jpg", True),
    ]
    alpha = np.asarray(Image.open(photos[0][1].file).getchannel("A"))
    assert (alpha[:32] == 255).all()
    assert (alpha[32:] == 0).all()
    assert photos[1][1].file.samefile(folder / "1.jpg")


@pytest.mark.parametrize(
    ("mask", "shown_side"),
    [
        pytest.param(top_mask(SIZE), "right", id="of the photo as it is stored"),
        pytest.param(top_mask(SIZE[::-1]), "top", id="of the photo as it stands upright"),
    ],
)
def test_a_mask_of_a_turned_photo_fits_either_way(folder: Path, mask: Image.Image, shown_side: str) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = 6  # the upper edge of the stored picture is the right one of the upright picture
    Image.effect_noise(SIZE, 50).convert("RGB").save(folder / "0.jpg", exif=exif)
    mask.save(folder / "0_mask.png")
    (_, photo), *_ = prepared(folder)
    assert (photo.width, photo.height) == SIZE[::-1]
    alpha = np.asarray(Image.open(photo.file).getchannel("A"))
    shown = alpha[:, 32:] if shown_side == "right" else alpha[:48]
    assert (shown == 255).all()
    assert alpha.mean() == pytest.approx(127.5)


def test_photos_and_masks_that_cannot_be_used_are_named_at_once(folder: Path) -> None:
    Image.new("L", (64, 96), 255).save(folder / "0_mask.png")
    (folder / "1.mask.png").write_bytes(b"nothing")
    (folder / "2.jpg").write_bytes(b"%PDF-1.7")
    with pytest.raises(UsageError) as refused:
        prepared(folder)
    assert refused.value.reason == INPUT_REJECTED
    for words in (
        "0.jpg has a mask that is 64 x 96 pixels, its photo 96 x 64",
        "1.jpg has a mask that can't be read as PNG",
        "2.jpg is a PDF document",
    ):
        assert words in refused.value.message


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([(16, 16)] * 2, id="icons"),
        pytest.param([(16, 16), (96, 64)], id="an icon and a photo"),
    ],
)
def test_where_too_few_photos_remain_icons_are_named(tmp_path: Path, sizes: list[tuple[int, int]]) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    for number, size in enumerate(sizes):
        Image.effect_noise(size, 50 + number).save(folder / f"{number}.png")
    with pytest.raises(UsageError, match=r"0\.png is 16 x 16 pixels; its sides must be 64 at least"):
        prepared(folder)


def test_thumbnails_are_taken_where_too_few_photos_would_remain(folder: Path) -> None:
    for name in ("0.jpg", "1.jpg"):
        Image.effect_noise((960, 640), 50).convert("RGB").save(folder / name)
    assert [str(name) for name, _ in prepared(folder)] == ["0.jpg", "1.jpg", "2.jpg"]


def input_of(folder: Path, photos: int, others: Mapping[str, bytes]) -> Path:
    """Return a folder with so many photos and other files beside them."""
    folder.mkdir()
    for number in range(photos):
        Image.effect_noise(SIZE, 50 + number).convert("RGB").save(folder / f"{number:02}.jpg")
    for name, content in others.items():
        (folder / name).write_bytes(content)
    return folder


def panorama() -> bytes:
    """A picture that says that it shows all around."""
    file = io.BytesIO()
    picture = Image.effect_noise((320, 160), 60).convert("RGB")
    picture.save(file, "JPEG", xmp=b'<x:xmpmeta GPano:ProjectionType="equirectangular"/>')
    return file.getvalue()


@pytest.mark.parametrize(
    ("photos", "others"),
    [
        pytest.param(10, {"cut.jpg": b"\xff\xd8\xff\xe0"}, id="one damaged file"),
        pytest.param(5, {"round.jpg": panorama(), "also.jpg": panorama()}, id="a few panoramas"),
    ],
)
def test_a_few_files_that_are_no_photos_are_left_out(tmp_path: Path, photos: int, others: Mapping[str, bytes]) -> None:
    assert len(prepared(input_of(tmp_path / "in", photos, others))) == photos


@pytest.mark.parametrize(
    ("photos", "others", "reason", "words"),
    [
        pytest.param(
            9,
            {"a.jpg": b"%PDF", "b.jpg": b"%PDF"},
            "InputRejected",
            "a.jpg is a PDF",
            id="more than a tenth is damaged",
        ),
        pytest.param(2, {"a.jpg": b"%PDF"}, "InputRejected", "a.jpg is a PDF", id="too few would remain"),
        pytest.param(
            2,
            {f"{n}.jpg": panorama() for n in "abc"},
            "NotPinholePhotos",
            r"3 of 5 photos are 360° panoramas \(a\.jpg, b\.jpg, c\.jpg\); cut plane pictures",
            id="most are panoramas",
        ),
    ],
)
def test_too_many_of_them_are_refused(
    tmp_path: Path, photos: int, others: Mapping[str, bytes], reason: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        prepared(input_of(tmp_path / "in", photos, others))
    assert refused.value.reason.name == reason
