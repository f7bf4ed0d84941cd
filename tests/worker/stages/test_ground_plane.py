"""Where the ground is that an object stands on."""

import numpy as np
import pytest

from recon_worker.stages.ground_plane import ground_plane
from recon_worker.stages.world_frame import Placement, to_world_frame
from tests.support.cameras import looking

Array = np.ndarray
UP = np.array([0.0, 1.0, 0.0])


def ground(tilt_deg: float = 0.0, height: float = -0.5, count: int = 2000) -> Array:
    """Points of a rough plane, 3 units wide."""
    random = np.random.default_rng(1)
    x, z = random.uniform(-1.5, 1.5, (2, count))
    y = height + np.tan(np.radians(tilt_deg)) * x + random.normal(0, 0.002, count)
    return np.stack([x, y, z], axis=1)


def ball(count: int = 1500) -> Array:
    """Points of a ball of radius 0.5 around the origin."""
    points = np.random.default_rng(2).normal(size=(count, 3))
    return np.asarray(0.5 * points / np.linalg.norm(points, axis=1, keepdims=True))


def wall() -> Array:
    """An upright plane."""
    return ground()[:, [1, 0, 2]]


def box_with_flat_top() -> Array:
    """A wide flat top of an object, on legs."""
    legs = np.random.default_rng(3).uniform([-1, -1, -1], [1, 0, 1], (1500, 3))
    return np.concatenate([ground(height=0.0), legs])


@pytest.mark.parametrize(
    ("points", "found"),
    [
        pytest.param(np.concatenate([ball(), ground()]), True, id="a ball on a floor"),
        pytest.param(np.concatenate([ball(), ground(tilt_deg=6)]), True, id="on a floor that is not level"),
        pytest.param(np.concatenate([ball(), ground(tilt_deg=25)]), False, id="on a slope"),
        pytest.param(ball(), False, id="a ball alone"),
        pytest.param(np.concatenate([ball(), wall()]), False, id="before a wall"),
        pytest.param(
            np.concatenate([ball(5000), ground(count=300)]), False, id="on a floor of which hardly anything is seen"
        ),
        pytest.param(box_with_flat_top(), False, id="the flat top of an object"),
        pytest.param(np.zeros((2, 3)), False, id="two points"),
        pytest.param(np.zeros((50, 3)), False, id="points in one place"),
    ],
)
def test_a_ground_is_found_where_there_is_one(points: Array, found: bool) -> None:
    plane = ground_plane(points, UP, 10.0)
    assert (plane is not None) is found


def test_what_stands_on_the_ground_is_above_it() -> None:
    floor, object_ = ground(tilt_deg=6), ball()
    plane = ground_plane(np.concatenate([object_, floor]), UP, 10.0)
    assert plane is not None
    assert np.abs(plane.heights(floor)).max() < 0.02
    assert (plane.heights(object_) > plane.tolerance).mean() > 0.95
    assert np.degrees(np.arccos(plane.normal @ UP)) == pytest.approx(6, abs=0.3)


@pytest.mark.parametrize(
    ("floor", "level"),
    [
        pytest.param(ground(), True, id="a level floor"),
        pytest.param(ground(tilt_deg=5), True, id="a floor that leans as the cameras were held"),
        pytest.param(ground(tilt_deg=20), False, id="a slope: cameras that were held level know better"),
        pytest.param(ground(tilt_deg=5, height=2.0), False, id="a ceiling"),
    ],
)
def test_the_ground_becomes_level(floor: Array, level: bool) -> None:
    centres = [np.array([3 * np.sin(a), 1.5, 3 * np.cos(a)]) for a in np.linspace(0, 6, 12)]
    rotations = np.array([looking(centre, np.zeros(3), UP) for centre in centres])
    translations = -np.einsum("nij,nj->ni", rotations, np.array(centres))
    world = to_world_frame(Placement(rotations, translations, np.concatenate([ball(), floor])))
    seen = world.xyz[1500:]
    normal = np.linalg.svd(seen - seen.mean(axis=0), full_matrices=False)[2][2]
    assert bool(abs(normal @ UP) > np.cos(np.radians(0.3))) is level
