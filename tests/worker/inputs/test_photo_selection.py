"""Which files of an input are taken for photos, by their names."""

from pathlib import PurePosixPath

import pytest

from recon_api.errors import UsageError
from recon_api.reasons import INPUT_REJECTED
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.photo_selection import choose_images


def chosen(*names: str) -> list[str]:
    return [str(name) for name in choose_images(map(PurePosixPath, names), "the input", InputLimits())]


@pytest.mark.parametrize(
    "suffix", ["jpg", "JPG", "jpeg", "jpe", "jfif", "JFIF", "jif", "pjpeg", "mpo", "jps", "heic", "HEIF", "png", "webp"]
)
def test_photos_of_every_ending_are_taken(suffix: str) -> None:
    assert chosen(f"a.{suffix}", "b.jpg") == [f"a.{suffix}", "b.jpg"]


@pytest.mark.parametrize(
    "suffix", ["cr2", "CR3", "dng", "gpr", "srw", "pef", "nrw", "3fr", "x3f", "iiq", "heic", "jxl"]
)
@pytest.mark.parametrize(
    ("other", "jpeg"),
    [
        pytest.param("b", "b.jpg", id="beside it"),
        pytest.param("raw/b", "jpeg/B.JPG", id="in a sibling folder"),
        pytest.param("b", "export/b.jpeg", id="in a folder below"),
    ],
)
def test_the_jpeg_of_the_same_name_is_taken_instead(suffix: str, other: str, jpeg: str) -> None:
    assert chosen("a.jpg", f"{other}.{suffix}", jpeg) == sorted(["a.jpg", jpeg])


@pytest.mark.parametrize("suffix", ["cr2", "gpr", "srw", "pef", "nrw", "3fr", "x3f", "iiq", "jxl"])
def test_one_without_is_refused_by_its_name(suffix: str) -> None:
    with pytest.raises(UsageError, match=rf"raw/b\.{suffix} can't be read yet; convert raw") as refused:
        chosen("a.jpg", f"raw/b.{suffix}")
    assert refused.value.reason == INPUT_REJECTED


@pytest.mark.parametrize(
    ("names", "words"),
    [
        pytest.param(["clip.mov"], "but a video, clip.mov; .* -q:v 2", id="a video"),
        pytest.param(["more/inner.zip"], "but an archive, more/inner.zip; give that archive", id="an archive"),
        pytest.param(["inner.7z"], "but an archive, inner.7z", id="an archive of another kind"),
        pytest.param(["notes.txt"], "JPEG, HEIC, PNG, TIFF", id="text"),
        pytest.param([], "JPEG, HEIC, PNG, TIFF", id="nothing"),
    ],
)
def test_an_input_without_photos_says_what_it_holds(names: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=f"the input holds no photos.*{words}"):
        chosen(*names)
