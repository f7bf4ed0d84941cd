"""In which order photos are matched, and what is not matched twice."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pycolmap
import pytest

from recon_worker.tools import extract_features, place_photos
from recon_worker.tools.placement_requests import (
    FEW_FEATURES,
    TRACKS,
    FeatureRequest,
    PhotoGroup,
    PlacementRequest,
)
from recon_worker.tools.tracks import Tracks
from tests.support.photo_sets import rendered_photos

PHOTOS = 6


def test_neighbours_are_matched_first() -> None:
    pairs = [(0, 3), (0, 1), (1, 3), (2, 3), (0, 2), (1, 2)]
    assert place_photos.near_first(pairs) == [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (0, 3)]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[pycolmap.Database]:
    with pycolmap.Database.open(tmp_path / "features.db") as opened:
        yield opened


NAMES = [f"{number:03}.jpg" for number in range(100)]


@pytest.mark.parametrize("count", [2, 36, 100])
def test_every_pair_is_matched_where_that_is_asked_for(database: pycolmap.Database, count: int) -> None:
    pairs = place_photos.choose_pairs(database, NAMES[:count], every_pair=True)
    assert len(pairs) == len(set(pairs)) == count * (count - 1) / 2


def test_otherwise_photos_that_look_alike_are_matched_and_neighbours(
    database: pycolmap.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place_photos, "most_alike", lambda *_: [(5, 70), (20, 80), (3, 4)])
    pairs = place_photos.choose_pairs(database, NAMES, every_pair=False)
    assert sorted(set(pairs)) == pairs
    neighbours = {(i, j) for i, j in pairs if j - i <= place_photos.NEIGHBOURS}
    assert set(pairs) - neighbours == {(5, 70), (20, 80)}
    assert {(i, i + 1) for i in range(99)} <= neighbours


@pytest.mark.slow
def test_a_database_that_is_matched_is_placed_again_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "images" / "0").mkdir(parents=True)
    names = [Path(shutil.copy(photo, tmp_path / "images" / "0")).name for photo in rendered_photos()[:PHOTOS]]
    group = PhotoGroup(name="0", files=tuple(names), width=640, height=480)
    features = FeatureRequest(
        database=tmp_path / "features.db", images=tmp_path / "images", groups=(group,), sift=FEW_FEATURES
    )
    extract_features.extract_features(features)
    request = PlacementRequest(
        database=features.database,
        images=features.images,
        model=tmp_path / "model",
        every_pair=True,
        enough=2,
        budget_s=60.0,
    )
    first = place_photos.place_photos(request)
    assert first["placed"] >= 3
    assert len(Tracks.load(tmp_path / "model" / TRACKS).names) == first["placed"]
    with pycolmap.Database.open(features.database) as database:
        pairs, matches = database.read_all_matches()

    def read(*_: Any) -> None:
        raise AssertionError("descriptors are read again")

    monkeypatch.setattr(pycolmap.Database, "read_descriptors", read)
    again = place_photos.place_photos(request)
    with pycolmap.Database.open(features.database) as database:
        pairs_again, matches_again = database.read_all_matches()
    assert (pairs, [len(found) for found in matches]) == (pairs_again, [len(found) for found in matches_again])
    assert again["placed"] == first["placed"]
