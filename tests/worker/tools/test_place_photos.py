"""In which order photos are matched, and what is done where that places too few."""

import shutil
from pathlib import Path
from typing import Any

import pycolmap
import pytest

from recon_worker.tools import extract_features, place_photos
from recon_worker.tools.placement_requests import EXHAUSTIVE, FeatureRequest, PhotoGroup, PlacementRequest
from tests.support.photo_sets import rendered_photos

PHOTOS = 6
QUICK = EXHAUSTIVE.model_copy(update={"features": 2000})


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("has_guided", "enough", "matched_again"),
    [
        pytest.param(True, PHOTOS + 1, True, id="too few are placed"),
        pytest.param(True, 2, False, id="enough are placed"),
        pytest.param(False, PHOTOS + 1, False, id="the effort has none"),
    ],
)
def test_guided_matching_follows_where_too_few_photos_are_placed(
    features: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    has_guided: bool,
    enough: int,
    matched_again: bool,
) -> None:
    match, calls = pycolmap.match_image_pairs, list[bool]()

    def match_and_note(database: Path, *, matching_options: pycolmap.FeatureMatchingOptions, **others: Any) -> None:
        calls.append(matching_options.guided_matching)
        match(database, matching_options=matching_options, **others)

    monkeypatch.setattr(pycolmap, "match_image_pairs", match_and_note)
    shutil.copy(features / "all.db", tmp_path / "features.db")
    request = PlacementRequest(
        database=tmp_path / "features.db",
        images=features / "images",
        model=tmp_path / "model",
        effort=QUICK.model_copy(update={"guided_matching": has_guided}),
        enough=enough,
        budget_s=60.0,
    )
    assert place_photos.place_photos(request)["placed"] >= 4
    assert calls == ([False, True] if matched_again else [False])
