"""Cameras that exist, and those that only a computation comes to."""

from collections.abc import Sequence

import pycolmap
import pytest

from recon_worker.tools.camera_limits import corner_distortion, implausible


def camera(focal: float, k: float = 0.0) -> pycolmap.Camera:
    """Return a camera by its focal length relative to the longer side, with one radial coefficient."""
    made = pycolmap.Camera.create_from_model_name(1, "SIMPLE_RADIAL", 1000 * focal, 1000, 750)
    made.params = [1000 * focal, 500, 375, k]
    return made


@pytest.mark.parametrize(
    ("cameras", "words"),
    [
        pytest.param([], "", id="none"),
        pytest.param([camera(0.72, 0.05)], "", id="a phone's"),
        pytest.param([camera(0.4, -0.12)], "", id="an action camera's"),
        pytest.param([camera(11.0)], "", id="a bird watcher's"),
        pytest.param([camera(0.05)], "focal length of 0.05 times", id="hardly any focal length"),
        pytest.param([camera(60.0)], "focal length of 60 times", id="too long a focal length"),
        pytest.param([camera(1.2, 3.0)], "moves their corners by 81 %", id="a lens that no one makes"),
        pytest.param([camera(1.0), camera(1.0), camera(0.01)], "", id="an odd one among others"),
        pytest.param([camera(1.0), camera(0.01), camera(0.01)], "focal length of 0.01", id="most are odd"),
    ],
)
def test_what_no_camera_has_is_named(cameras: Sequence[pycolmap.Camera], words: str) -> None:
    found = implausible(cameras)
    assert words in found
    assert bool(found) is bool(words)


def test_the_distortion_is_of_the_corner() -> None:
    assert corner_distortion(camera(0.625, 0.1)) == pytest.approx(0.1)
