"""What is left out of an input is said, with the reason."""

from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

from recon_api.steps import Step
from recon_worker.inputs.left_out import REPORTED, left_out_by_name, left_out_warning, reported, thumbnails
from recon_worker.inputs.source import PhotoSource
from recon_worker.progress import Progress, ProgressSink
from recon_worker.scene import Scene
from recon_worker.stages.load_photos import load_photos
from tests.support.sinks import Figures


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("a.CR2", "can't be read yet; the JPEG of the same name is used", id="a raw photo"),
        pytest.param("clip.mov", "is a video", id="a video"),
        pytest.param("a.HEIC", None, id="a HEIC photo"),
        pytest.param("more.zip", "is an archive within the input", id="an archive"),
        pytest.param("a.jpg", None, id="a photo"),
        pytest.param("notes.txt", None, id="text"),
        pytest.param(".hidden.mov", None, id="a hidden file"),
    ],
)
def test_files_are_left_out_by_their_names(name: str, why: str | None) -> None:
    path = PurePosixPath(name)
    assert left_out_by_name([path]) == ({} if why is None else {path: why})


def test_of_a_heic_photo_and_a_jpeg_of_its_name_the_jpeg_is_used() -> None:
    heic, other = PurePosixPath("phone/IMG_1.HEIC"), PurePosixPath("IMG_2.HEIC")
    assert set(left_out_by_name([heic, other, PurePosixPath("export/img_1.jpg")])) == {heic}


@pytest.mark.parametrize(
    ("sides_px", "found"),
    [
        pytest.param({"a": 4000, "b": 4000, "t": 160}, ["t"], id="a camera's thumbnail"),
        pytest.param({"a": 4000, "b": 3000, "c": 800}, [], id="photos of several cameras"),
        pytest.param({"a": 160, "b": 160, "c": 4000}, [], id="small photos and a large one"),
        pytest.param({"a": 800, "b": 800, "c": 100}, ["c"], id="just small enough"),
        pytest.param({}, [], id="nothing"),
    ],
)
def test_pictures_that_are_much_smaller_than_most_are_thumbnails(sides_px: dict[str, int], found: list[str]) -> None:
    assert [str(name) for name in thumbnails({PurePosixPath(name): side for name, side in sides_px.items()})] == found


def test_a_report_names_so_many_files_and_counts_the_others() -> None:
    shown = reported({PurePosixPath(f"{n}\x1b.mov"): "is a video" for n in range(REPORTED + 5)})
    assert len(shown) == REPORTED + 1
    assert shown[r"0\x1b.mov"] == "is a video"
    assert shown["..."] == "and 5 more"


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["a/b.mov"], "1 file is not used: b.mov is a video"),
        (["a", "b"], "2 files are not used: a is a video; b is a video"),
        (
            ["a", "b", "c", "d", "e"],
            "5 files are not used: a is a video; b is a video; c is a video; and 2 more, which report.json",
        ),
        (["\x1b.mov"], r"1 file is not used: \x1b.mov is a video"),
    ],
)
def test_a_status_names_the_first(names: list[str], text: str) -> None:
    warning = left_out_warning({PurePosixPath(name): "is a video" for name in names})
    assert warning.message.startswith(text)


def loaded(tmp_path: Path, sink: ProgressSink) -> dict[str, object]:
    """Return the figures of the loaded input."""
    scene, folder = Scene(tmp_path / "scene"), tmp_path / "loaded"
    folder.mkdir()
    source = PhotoSource(tmp_path / "input", tmp_path)
    return dict(load_photos(scene, folder, source, Progress.of_step(sink, Step.LOADING)))


def test_a_job_of_good_photos_is_not_failed_by_what_lies_beside_them(tmp_path: Path) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    for number in range(3):
        Image.effect_noise((960, 640), 50 + number).convert("RGB").save(folder / f"{number}.jpg")
    (folder / "copy.jpg").write_bytes((folder / "0.jpg").read_bytes())
    (folder / "clip.mov").touch()
    (folder / "1.cr2").touch()
    Image.new("RGB", (16, 16)).save(folder / "favicon.png")
    Image.effect_noise((100, 66), 50).convert("RGB").save(folder / "thumbnail.jpg")
    sink = Figures()
    figures = loaded(tmp_path, sink)
    assert figures["photos"] == 3
    assert figures["unused_files"] == {
        "clip.mov": "is a video",
        "1.cr2": "can't be read yet; the JPEG of the same name is used",
        "favicon.png": "is 16 x 16 pixels; its sides must be 64 at least",
        "thumbnail.jpg": "is 100 pixels long, and most photos 960: it is a thumbnail",
        "copy.jpg": "holds the same as 0.jpg",
    }
    (warning,) = sink.warnings
    assert warning.reason == "PhotosLeftOut"
    assert warning.message.startswith("5 files are not used: ")


def test_where_nothing_is_left_out_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    for number in range(3):
        Image.effect_noise((96, 64), 50 + number).convert("RGB").save(tmp_path / "input" / f"{number}.jpg")
    sink = Figures()
    assert "unused_files" not in loaded(tmp_path, sink)
    assert sink.warnings == []
