"""Placing real pictures: what is left out is said, and cameras are found out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from recon_worker.inputs.source import PhotoSource
from recon_worker.models.multiview import STAGES
from recon_worker.progress import SilentSink
from recon_worker.scene import Scene
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


def placed(
    folder: Path, treat: Callable[[int, Image.Image], Image.Image], strangers: int = 0, **parameters: object
) -> tuple[dict[str, Any], Figures]:
    """Return the report of placing rendered photos, and pictures of something else."""
    photos, sink = folder / "photos", Figures()
    photos.mkdir()
    for number, path in enumerate(rendered_photos()):
        with Image.open(path) as photo:
            treat(number, photo.convert("RGB")).save(photos / f"{number:02}.jpg", quality=95)
    for number in range(strangers):
        Image.effect_noise((640, 480), 90 + number).convert("RGB").save(photos / f"z{number}.jpg")
    scene = Scene(folder / "scene")
    run_stages([LOAD_PHOTOS], scene, PhotoSource(photos, folder), SilentSink())
    run_stages(STAGES[:2], scene, MultiViewParameters.model_validate({"quality": "draft", **parameters}), sink)
    return dict(scene.report("estimate_poses")), sink


def test_photos_of_something_else_are_left_out_with_a_warning(tmp_path: Path) -> None:
    report, sink = placed(tmp_path, as_it_is, strangers=1)
    assert (report["placed"], report["left_out"]) == (PHOTOS, ["z0.jpg"])
    assert sink.shown["placing"] == "cheap, 1 of 3"
    (warning,) = sink.warnings
    assert warning.message.startswith(
        f"1 of {PHOTOS + 1} photos is not in the model, as it could not be placed: z0.jpg;"
    )
    assert report["warnings"] == [warning.model_dump()]


def test_two_focal_lengths_are_found(tmp_path: Path) -> None:
    report, _ = placed(tmp_path, every_second_zoomed)
    assert report["placed"] >= PHOTOS - 1
    assert report["cameras"] >= 2
