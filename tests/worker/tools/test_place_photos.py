"""In which order photos are matched, and what is done where that places too few."""

import shutil
from pathlib import Path

import pycolmap
import pytest

from recon_worker.tools import extract_features, place_photos
from recon_worker.tools.placement_requests import EXHAUSTIVE, FeatureRequest, PhotoGroup, PlacementRequest
from tests.support.photo_sets import rendered_photos

PHOTOS = 6
QUICK = EXHAUSTIVE.model_copy(update={"features": 700, "first_octave": 0})


def test_neighbours_are_matched_first() -> None:
    pairs = [(0, 3), (0, 1), (1, 3), (2, 3), (0, 2), (1, 2)]
    assert place_photos.near_first(pairs) == [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (0, 3)]


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos and a database of their features."""
    folder = tmp_path_factory.mktemp("features")
    (folder / "images" / "0").mkdir(parents=True)
    names = []
    for photo in rendered_photos()[:PHOTOS]:
        shutil.copy(photo, folder / "images" / "0")
        names.append(photo.name)
    group = PhotoGroup(name="0", files=tuple(names), width=640, height=480)
    request = FeatureRequest(database=folder / "all.db", images=folder / "images", groups=(group,), effort=QUICK)
    extract_features.extract_features(request)
    return folder


def inliers(database: Path) -> int:
    with pycolmap.Database.open(database) as opened:
        return sum(len(geometry.inlier_matches) for geometry in opened.read_two_view_geometries()[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("guided", "enough", "matched_again"),
    [
        pytest.param(True, PHOTOS + 1, True, id="too few are placed"),
        pytest.param(True, 2, False, id="enough are placed"),
        pytest.param(False, PHOTOS + 1, False, id="the effort has none"),
    ],
)
def test_guided_matching_follows_where_too_few_photos_are_placed(
    features: Path, tmp_path: Path, guided: bool, enough: int, matched_again: bool
) -> None:
    found, placed = list[int](), list[int]()
    for again in (False, guided):
        database = tmp_path / f"{again}.db"
        shutil.copy(features / "all.db", database)
        request = PlacementRequest(
            database=database,
            images=features / "images",
            model=tmp_path / f"model-{again}",
            effort=QUICK.model_copy(update={"guided_matching": again}),
            enough=enough,
            budget_s=60.0,
        )
        placed.append(place_photos.place_photos(request)["placed"])
        found.append(inliers(database))
    assert (found[1] > found[0]) == matched_again
    assert placed[1] >= placed[0] > 0
