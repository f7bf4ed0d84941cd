"""Up is found however the cameras were held, also where their files do not say that they were held on their side."""

import numpy as np
import numpy.typing as npt
import pytest

from recon_worker.stages.up_direction import up_direction
from tests.support.cameras import UP, ring

Array = npt.NDArray[np.float64]

QUARTER = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
"""What turns a camera by 90 degrees about its optical axis."""


def turned(cameras: tuple[Array, Array], every: int, quarters: int = 1) -> tuple[Array, Array]:
    """Return the cameras, every so manieth of which was turned about its optical axis."""
    centres, rotations = cameras
    rotations = rotations.copy()
    rotations[::every] = np.linalg.matrix_power(QUARTER, quarters) @ rotations[::every]
    return centres, rotations


def off_deg(rotations: Array) -> float:
    return float(np.degrees(np.arccos(np.clip(up_direction(rotations) @ UP, -1, 1))))


@pytest.mark.parametrize(
    ("cameras", "tolerance_deg"),
    [
        pytest.param(ring(12, 20), 0.1, id="a walk around the object, camera level and tilted down"),
        pytest.param(ring(12, 60), 0.1, id="from high above"),
        pytest.param(ring(5, 30, arc_deg=60), 0.1, id="a short arc"),
        pytest.param(ring(12, 20, roll_deg=8), 3.0, id="a camera held carelessly"),
    ],
)
def test_up_is_found(cameras: tuple[Array, Array], tolerance_deg: float) -> None:
    assert off_deg(cameras[1]) < tolerance_deg


@pytest.mark.parametrize(
    ("cameras", "tolerance_deg"),
    [
        pytest.param(turned(ring(6, 20, arc_deg=60), 2), 2.0, id="every second one, on a short arc"),
        pytest.param(turned(ring(12, 20), 2), 2.0, id="every second one, all around"),
        pytest.param(turned(ring(12, 20), 2, 3), 2.0, id="every second one, the other way"),
        pytest.param(turned(ring(12, 20), 3), 2.0, id="every third one"),
        pytest.param(turned(ring(12, 20), 4), 2.0, id="every fourth one"),
        pytest.param(turned(ring(12, 55), 2), 2.0, id="from high above"),
        pytest.param(turned(ring(36, 30, roll_deg=4), 2), 5.0, id="held carelessly"),
        pytest.param(turned(turned(ring(12, 20), 3), 4, 3), 2.0, id="some to either side"),
    ],
)
def test_up_is_found_where_cameras_were_held_on_their_side(cameras: tuple[Array, Array], tolerance_deg: float) -> None:
    assert off_deg(cameras[1]) < tolerance_deg


def test_photos_that_look_straight_down_have_some_direction() -> None:
    _, rotations = ring(6, 89.9)
    assert np.linalg.norm(up_direction(rotations)) == pytest.approx(1)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_photos_have_one_too(count: int) -> None:
    _, rotations = turned(ring(count, 10), 2)
    assert np.linalg.norm(up_direction(rotations)) == pytest.approx(1)
