"""When another assumption on the cameras is tried, and when it is taken."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pycolmap
import pytest

from recon_worker.tools.camera_trials import is_better, is_doubtful, place_with_cameras
from recon_worker.tools.mapping import PlacedGroups
from recon_worker.tools.placement_requests import PlacementRequest


@dataclass(frozen=True)
class Placed:
    """What a trial came to."""

    placed: int
    error_px: float = 0.5
    longer_side_px: int = 1000

    @property
    def relative_error(self) -> float:
        return self.error_px / self.longer_side_px


def placed(photos: int, error_px: float = 0.5, longer_side_px: int = 1000) -> PlacedGroups:
    return cast("PlacedGroups", Placed(photos, error_px, longer_side_px))


@pytest.mark.parametrize(
    ("best", "doubtful"),
    [
        pytest.param(placed(20), False, id="all are placed and fit"),
        pytest.param(placed(17), True, id="too few are placed"),
        pytest.param(placed(20, error_px=1.1), True, id="all are placed and fit badly"),
        pytest.param(placed(20, error_px=0.6, longer_side_px=640), False, id="small photos fit as well as any"),
        pytest.param(placed(20, error_px=0.9, longer_side_px=640), True, id="small photos fit badly"),
        pytest.param(placed(0, error_px=0.0), True, id="none is placed"),
    ],
)
def test_others_are_tried_where_the_best_is_doubtful(best: PlacedGroups, doubtful: bool) -> None:
    assert is_doubtful(best, 18) is doubtful


@pytest.mark.parametrize(
    ("found", "best", "better"),
    [
        pytest.param(placed(20, 0.9), placed(12, 0.5), True, id="it places more"),
        pytest.param(placed(11, 0.1), placed(12, 0.5), False, id="it places fewer"),
        pytest.param(placed(12, 0.3), placed(12, 0.5), True, id="it fits much better"),
        pytest.param(
            placed(12, 0.45), placed(12, 0.5), False, id="it fits a little better, as more unknowns always do"
        ),
        pytest.param(placed(0, 0.0), placed(0, 0.0), False, id="neither places any"),
    ],
)
def test_another_is_taken_where_it_explains_the_photos_better(
    found: PlacedGroups, best: PlacedGroups, better: bool
) -> None:
    assert is_better(found, best) is better


@pytest.mark.parametrize(
    ("with_it", "without_it", "taken"),
    [
        pytest.param(5, 20, 20, id="it fits hardly any photo, and is dropped"),
        pytest.param(5, 3, 5, id="it is better than none"),
        pytest.param(19, 20, 19, id="it is good enough, and nothing else is tried"),
    ],
)
def test_a_focal_length_that_exif_says_may_be_wrong(tmp_path: Path, with_it: int, without_it: int, taken: int) -> None:
    database = tmp_path / "features.db"
    with pycolmap.Database.open(database) as opened:
        camera = pycolmap.Camera(model="SIMPLE_RADIAL", width=800, height=600, params=[5000, 400, 300, 0])
        camera.has_prior_focal_length = True
        opened.write_camera(camera)

    def map_photos(path: Path) -> PlacedGroups:
        with pycolmap.Database.open(path) as opened:
            known = any(camera.has_prior_focal_length for camera in opened.read_all_cameras())
        return placed(with_it if known else without_it)

    request = PlacementRequest(
        database=database, images=tmp_path, model=tmp_path / "model", every_pair=True, enough=taken, budget_s=1.0
    )
    assert place_with_cameras(request, [], map_photos).placed == taken
