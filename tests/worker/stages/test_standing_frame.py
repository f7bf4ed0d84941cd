"""Where published files have their origin."""

import numpy as np
import pytest

from recon_worker.geometry.cameras import CameraSet
from recon_worker.stages.standing_frame import moved_cameras, standing_origin
from tests.support.cameras import looking, placed

CLOUD = np.random.default_rng(1).uniform([-1, 2, 5], [3, 4, 6], (5000, 3))


def test_the_model_stands_on_the_ground_and_its_middle_is_above_the_origin() -> None:
    stood = CLOUD - standing_origin(CLOUD)
    assert stood[:, 1].min() == pytest.approx(0, abs=0.02)
    assert (stood.min(axis=0) + stood.max(axis=0))[[0, 2]] == pytest.approx(0, abs=0.02)


def test_a_spike_lifts_nothing() -> None:
    spike = np.array([[0.0, -9, 5]])
    assert standing_origin(np.concatenate([CLOUD, spike])) == pytest.approx(standing_origin(CLOUD), abs=0.01)


def test_cameras_see_the_moved_points_where_they_saw_them() -> None:
    rotation = looking(np.array([0.0, 3, 15]), np.array([1.0, 3, 5]), np.array([0.0, 1, 0]))
    camera = placed(rotation, np.array([0.3, -0.2, 12.0]), (800, 600), 1000, "a")
    origin = standing_origin(CLOUD)
    (moved,) = moved_cameras(CameraSet(cameras=(camera,)), origin).cameras
    before = CLOUD @ camera.rotation().T + camera.translation()
    assert (CLOUD - origin) @ moved.rotation().T + moved.translation() == pytest.approx(before)
    assert moved.model_copy(update={"t": camera.t}) == camera
