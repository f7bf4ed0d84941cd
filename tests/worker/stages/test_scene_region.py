"""One object or a whole scene: which of them photos show, and between which depths each photo looks for a surface."""

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import ValidationError

from recon_worker.geometry.cameras import PlacedCamera
from recon_worker.stages.depth.bounds import object_bounds, scene_bounds
from recon_worker.stages.object_region import Region
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.scene_region import RegionMode, region_of
from tests.support.cameras import placed, ring

Array = npt.NDArray[np.float64]
INWARDS, OUTWARDS = np.eye(3), np.diag([-1.0, 1.0, -1.0])
"""Turns of a camera about its own y axis: not at all, and by half a turn."""


def cameras_on_a_ring(turn: Array, distance: float = 1.0) -> list[PlacedCamera]:
    """Return 12 cameras around the origin that look at it, or turn their backs on it."""
    centres, rotations = ring(12, 0)
    offsets = distance * (centres - centres.mean(axis=0))
    return [camera(turn @ rotation, offset) for rotation, offset in zip(rotations, offsets, strict=True)]


def camera(rotation: Array, centre: Array) -> PlacedCamera:
    """Return a camera of 800 x 600 pixels."""
    return placed(rotation, -rotation @ centre, (800, 600), 700)


def seen_by_all(xyz: Array) -> npt.NDArray[np.int32]:
    """Return tracks in which three cameras see each point."""
    return np.array([(point, number) for point in range(len(xyz)) for number in range(3)], np.int32)


def points(scale: float, count: int = 300) -> Array:
    """Return points around the origin."""
    return np.random.default_rng(0).uniform(-scale, scale, (count, 3))


@pytest.mark.parametrize(
    ("turn", "mode", "whole"),
    [
        pytest.param(INWARDS, RegionMode.AUTO, False, id="photos around an object show the object"),
        pytest.param(OUTWARDS, RegionMode.AUTO, True, id="photos that look outwards show a scene"),
        pytest.param(INWARDS, RegionMode.FULL, True, id="the whole scene is asked for"),
        pytest.param(OUTWARDS, RegionMode.OBJECT, False, id="the object is asked for"),
    ],
)
def test_what_photos_show(turn: Array, mode: RegionMode, whole: bool) -> None:
    cameras = cameras_on_a_ring(turn)
    distance = float(np.linalg.norm(cameras[0].centre()))
    xyz = points(0.2 * distance if turn is INWARDS else 3 * distance)
    assert region_of(mode, cameras, xyz, seen_by_all(xyz)).whole_scene is whole


def test_an_object_that_holds_hardly_any_points_is_a_scene() -> None:
    cameras = cameras_on_a_ring(INWARDS)
    distance = float(np.linalg.norm(cameras[0].centre()))
    xyz = np.vstack([points(0.1 * distance, 30), points(1.0, 600) + 20 * distance])
    region = region_of(RegionMode.AUTO, cameras, xyz, seen_by_all(xyz))
    assert region.whole_scene
    assert region.contains(xyz).mean() > 0.95


def test_a_scene_is_bounded_by_most_of_its_points() -> None:
    cameras = cameras_on_a_ring(OUTWARDS)
    xyz = np.vstack([points(5.0, 1000), [[4000.0, 0, 0]]])
    region = region_of(RegionMode.AUTO, cameras, xyz, seen_by_all(xyz))
    assert 4 < region.radius < 15


def test_each_photo_of_a_scene_has_the_depths_of_its_own_points() -> None:
    view = camera(np.eye(3), np.zeros(3))
    depths = np.linspace(2, 8, 200)
    seen = np.stack([np.zeros(200), np.zeros(200), depths], axis=1)
    outliers = np.array([[0, 0, 500.0], [0, 0, -3.0]])
    bounds = scene_bounds(view, np.vstack([seen, outliers]), 640)
    assert bounds is not None
    assert 1.4 < bounds.nearest < 2
    assert 8 < bounds.farthest < 11
    assert bounds.box == (0.0, 0.0, 800.0, 600.0)
    assert bounds.scale == 1.0, "a photo is never enlarged"


def test_a_large_photo_of_a_scene_is_scaled_down() -> None:
    view = camera(np.eye(3), np.zeros(3)).model_copy(update={"width": 4000, "height": 3000})
    seen = np.stack([np.zeros(50), np.zeros(50), np.linspace(2, 8, 50)], axis=1)
    bounds = scene_bounds(view, seen, 640)
    assert bounds is not None
    assert bounds.scale * 4000 == pytest.approx(800)


def test_a_photo_whose_depths_are_unknown_gets_no_map() -> None:
    assert scene_bounds(camera(np.eye(3), np.zeros(3)), points(1.0, 5) + np.array([0, 0, 5.0]), 640) is None


@pytest.mark.parametrize(
    ("centre", "shown"),
    [
        pytest.param([0, 0, 5.0], True, id="in the middle of the photo"),
        pytest.param([0, 0, -5.0], False, id="behind the camera"),
        pytest.param([9.0, 0, 5.0], False, id="beside the photo"),
    ],
)
def test_a_photo_shows_an_object_or_not(centre: list[float], shown: bool) -> None:
    bounds = object_bounds(camera(np.eye(3), np.zeros(3)), Region(np.array(centre), 1.0), 640)
    assert (bounds is not None) is shown
    if bounds:
        assert (bounds.nearest, bounds.farthest) == (4, 6)


def test_the_region_is_a_parameter() -> None:
    assert MultiViewParameters.model_validate({"region": {"mode": "full"}}).region.mode is RegionMode.FULL
    assert MultiViewParameters.model_validate({}).region.mode is RegionMode.AUTO
    with pytest.raises(ValidationError, match="'auto', 'full' or 'object'"):
        MultiViewParameters.model_validate({"region": {"mode": "all"}})
