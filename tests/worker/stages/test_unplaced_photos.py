"""The reason why photos could not be placed follows from their content."""

import re
from pathlib import Path

import pytest
from PIL import Image

from recon_worker.stages.unplaced_photos import PhotoEvidence, look_at, refusal


def good(count: int, prefix: str = "g") -> list[PhotoEvidence]:
    return [PhotoEvidence(f"{prefix}{n}.jpg", 120.0, 1.0, 3000) for n in range(count)]


def bad(
    count: int, *, luminance: float = 120.0, shown: float = 1.0, features: int = 3000, side_px: int = 4000
) -> list[PhotoEvidence]:
    return [PhotoEvidence(f"b{n}.jpg", luminance, shown, features, side_px) for n in range(count)]


@pytest.mark.parametrize(
    ("photos", "reason", "words"),
    [
        pytest.param(good(9), "InsufficientOverlap", "take photos with more overlap", id="nothing is wrong with any"),
        pytest.param(
            [*good(2), *bad(7, luminance=3, features=0)],
            "UnusablePhotos",
            r"7 are nearly black \(b0\.jpg, b1\.jpg, b2\.jpg, …\); take them in more light",
            id="dark",
        ),
        pytest.param(
            bad(4, luminance=252, features=9),
            "UnusablePhotos",
            "4 are nearly white .* expose them for less",
            id="bright",
        ),
        pytest.param(
            bad(4, shown=0.0, luminance=0, features=0),
            "UnusablePhotos",
            "4 are hidden by their masks .* object is white",
            id="hidden",
        ),
        pytest.param(bad(4, features=20), "UnusablePhotos", "4 show no detail, .* hold the camera still", id="blurred"),
        pytest.param(
            bad(4, features=20, side_px=160),
            "UnusablePhotos",
            "4 are too small to show detail .* as large as the camera took them",
            id="small",
        ),
        pytest.param(
            good(1) + bad(9, side_px=160), "InsufficientOverlap", "overlap", id="small, with detail all the same"
        ),
        pytest.param(
            [*bad(3, features=20), *bad(3, luminance=1)],
            "UnusablePhotos",
            "3 show no detail.*; 3 are nearly black.*and take",
            id="two things",
        ),
        pytest.param(
            [*good(8), *bad(1, luminance=3)], "InsufficientOverlap", "overlap", id="one dark photo among many good ones"
        ),
    ],
)
def test_the_cause_is_named_with_the_photos(photos: list[PhotoEvidence], reason: str, words: str) -> None:
    error = refusal(1, photos, needed=3)
    assert error.reason.name == reason
    assert re.search(f"only 1 of {len(photos)} photos.*{words}", error.message)


def test_a_look_at_a_photo(tmp_path: Path) -> None:
    Image.new("RGB", (400, 300), (100, 100, 100)).save(tmp_path / "photo.jpg")
    seen = look_at("p", tmp_path / "photo.jpg", None, 7)
    assert (seen.name, seen.shown, seen.features, seen.longer_side_px) == ("p", 1.0, 7, 400)
    assert seen.luminance == pytest.approx(100, abs=2)
    assert look_at("p", tmp_path / "photo.jpg", tmp_path / "none.png", 7).shown == 1.0


@pytest.mark.parametrize(("shown", "luminance"), [(0.5, 200), (1.0, 100), (0.0, 0)])
def test_only_what_a_mask_shows_counts(tmp_path: Path, shown: float, luminance: float) -> None:
    photo, mask = Image.new("L", (400, 300)), Image.new("L", (400, 300))
    photo.paste(200, (0, 0, 200, 300))
    mask.paste(255, (0, 0, int(400 * shown), 300))
    photo.save(tmp_path / "photo.jpg", quality=100)
    mask.save(tmp_path / "mask.png")
    seen = look_at("p", tmp_path / "photo.jpg", tmp_path / "mask.png", 0)
    assert seen.shown == pytest.approx(shown, abs=0.01)
    assert seen.luminance == pytest.approx(luminance, abs=3)
