"""Placing real pictures: what is left out is said, and cameras are found out."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.inputs.source import PhotoSource
from recon_worker.models.multiview import STAGES
from recon_worker.progress import SilentSink
from recon_worker.scene import Scene
from recon_worker.stages import placement_ladder
from recon_worker.stages.load_photos import LOAD_PHOTOS
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.stage import run_stages
from tests.support.photo_sets import rendered_photos
from tests.support.sinks import Figures

pytestmark = pytest.mark.slow

PHOTOS = len(rendered_photos())


def as_it_is(_: int, photo: Image.Image) -> Image.Image:
    return photo


def every_second_zoomed(number: int, photo: Image.Image) -> Image.Image:
    """Return the photo as if it had been taken with another focal length, 1.4 times as long, every second time."""
    if number % 2 == 0:
        return photo
    width, height = (side / 1.4 for side in photo.size)
    left, top = (photo.width - width) / 2, (photo.height - height) / 2
    return photo.resize(photo.size, Image.Resampling.LANCZOS, box=(left, top, left + width, top + height))


def said_to_be_of_a_telephoto_lens(_: int, photo: Image.Image) -> Image.Image:
    """Return the photo with EXIF that says five times its focal length."""
    photo.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = 225
    return photo


def placed(
    folder: Path,
    treat: Callable[[int, Image.Image], Image.Image],
    strangers: int = 0,
    step: int = 1,
    **parameters: object,
) -> tuple[dict[str, Any], Figures]:
    """Return the report of placing rendered photos, and pictures of something else.

    Photos that were taken after each other have names that are `step` apart, which shares no divisor with their number.
    """
    photos, sink = folder / "photos", Figures()
    photos.mkdir()
    for number, path in enumerate(rendered_photos()):
        with Image.open(path) as photo:
            treated = treat(number, photo.convert("RGB"))
            name = f"{number * step % PHOTOS:02}.jpg"
            treated.save(photos / name, quality=95, exif=treated.getexif())
    for number in range(strangers):
        Image.effect_noise((640, 480), 90 + number).convert("RGB").save(photos / f"z{number}.jpg")
    scene = Scene(folder / "scene")
    run_stages([LOAD_PHOTOS], scene, PhotoSource(photos, folder), SilentSink())
    run_stages(STAGES[:2], scene, MultiViewParameters.model_validate({"quality": "draft", **parameters}), sink)
    return dict(scene.report("estimate_poses")), sink


def test_photos_of_something_else_are_left_out_with_a_warning(tmp_path: Path) -> None:
    report, sink = placed(tmp_path, as_it_is, strangers=1)
    assert (report["placed"], report["left_out"]) == (PHOTOS, ["z0.jpg"])
    assert sink.shown["placing"] == "cheap, 1 of 4"
    (warning,) = sink.warnings
    assert warning.message.startswith(
        f"1 of {PHOTOS + 1} photos is not in the model, as it could not be placed: z0.jpg;"
    )
    assert report["warnings"] == [warning.model_dump()]


def test_many_photos_are_matched_with_those_that_look_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement_ladder, "EVERY_PAIR_LIMIT", 10)
    report, _ = placed(tmp_path, as_it_is, step=9)
    assert report["placed"] >= PHOTOS - 1
    assert report["effort"] == "cheap"


def without_exif(number: int, photo: Image.Image) -> Image.Image:
    zoomed = every_second_zoomed(number, photo)
    return Image.frombytes("RGB", zoomed.size, zoomed.tobytes())


@pytest.mark.parametrize(
    "treat",
    [
        pytest.param(without_exif, id="without EXIF"),
        pytest.param(every_second_zoomed, id="with EXIF from before they were cropped"),
    ],
)
def test_two_focal_lengths_are_found(tmp_path: Path, treat: Callable[[int, Image.Image], Image.Image]) -> None:
    report, _ = placed(tmp_path, treat)
    assert report["placed"] >= PHOTOS - 1
    assert report["cameras"] >= 2


def test_a_wrong_focal_length_in_exif_spoils_nothing(tmp_path: Path) -> None:
    report, _ = placed(tmp_path, said_to_be_of_a_telephoto_lens)
    assert report["placed"] >= PHOTOS - 1
    (cameras,) = (tmp_path / "scene").glob("estimate_poses-*/cameras.json")
    assert {round(camera["fx"], -2) for camera in json.loads(cameras.read_text())["cameras"]} == {800}


def test_copies_of_one_view_are_called_so(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    with Image.open(rendered_photos()[0]) as photo:
        for quality in range(60, 100, 5):
            photo.convert("RGB").save(photos / f"{quality}.jpg", quality=quality)
    scene = Scene(tmp_path / "scene")
    run_stages([LOAD_PHOTOS], scene, PhotoSource(photos, tmp_path), SilentSink())
    with pytest.raises(UsageError, match="all photos show one and the same view") as caught:
        run_stages(STAGES[:2], scene, MultiViewParameters.model_validate({"quality": "draft"}), SilentSink())
    assert caught.value.reason == reasons.CAMERA_DID_NOT_MOVE


def test_where_all_photos_are_required_a_damaged_one_is_named(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(12):
        Image.effect_noise((400, 300), 90 + number).save(photos / f"{number:02}.jpg")
    (photos / "cut.jpg").write_bytes((photos / "00.jpg").read_bytes()[:5000])
    scene = Scene(tmp_path / "scene")
    run_stages([LOAD_PHOTOS], scene, PhotoSource(photos, tmp_path), SilentSink())
    parameters = MultiViewParameters.model_validate({"requireAllPhotos": True})
    with pytest.raises(UsageError, match=r"1 photo could not be used \(cut\.jpg\)"):
        run_stages([replace(STAGES[1], reads=())], scene, parameters, SilentSink())
