"""The frame of a scene, the ball around its object, and which views go together."""

import numpy as np
import numpy.typing as npt
import pytest

from recon_worker.stages.object_region import object_region
from recon_worker.stages.view_selection import angle_weight, select_sources
from recon_worker.stages.world_frame import CAMERA_DISTANCE, Placement, to_world_frame
from tests.support.cameras import placed, ring

Array = npt.NDArray[np.float64]


def placement() -> Placement:
    centres, rotations = ring(8, 25)
    xyz = np.array([5.0, 6, 7]) + np.random.default_rng(1).normal(scale=0.2, size=(30, 3))
    return Placement(rotations, -np.einsum("nij,nj->ni", rotations, centres), xyz)


def test_the_world_frame_has_up_along_y_and_the_object_at_the_origin():
    world = to_world_frame(placement())
    centres = world.centres()
    assert np.allclose(centres[:, 1], CAMERA_DISTANCE * np.sin(np.radians(25)))
    assert np.allclose(np.linalg.norm(centres, axis=1), CAMERA_DISTANCE)
    assert centres[0, 0] == pytest.approx(0, abs=1e-9)
    assert centres[0, 2] > 0


def test_the_world_frame_changes_nothing_in_the_photos():
    before, after = placement(), to_world_frame(placement())
    there = np.einsum("nij,pj->npi", before.rotations, before.xyz) + before.translations[:, None]
    here = np.einsum("nij,pj->npi", after.rotations, after.xyz) + after.translations[:, None]
    assert np.allclose(there[..., :2] / there[..., 2:], here[..., :2] / here[..., 2:])


@pytest.mark.parametrize(
    ("degrees", "weight"),
    [
        pytest.param(0, 0.0, id="no angle, no depth"),
        pytest.param(10, 1.0, id="the ideal angle"),
        pytest.param(50, 0.0, id="too different to compare"),
    ],
)
def test_angles_are_weighted(degrees: float, weight: float):
    assert angle_weight(np.array([degrees])) == pytest.approx(weight)


def test_views_are_compared_with_their_neighbours():
    centres, _ = ring(18, 0)
    xyz = np.array([[5.0, 6, 7]])
    tracks = np.array([(0, camera) for camera in range(17)], np.int32)  # the last one sees nothing
    chosen = select_sources(centres, xyz, tracks, 2)
    assert sorted(chosen[5]) == [4, 6]
    assert sorted(chosen[0]) == [1, 2]
    assert chosen[17] == []


def test_the_region_is_where_the_object_is_and_leaves_out_what_is_far():
    world = to_world_frame(placement())
    cameras = [placed(R, t, (800, 600), 1000) for R, t in zip(world.rotations, world.translations, strict=True)]
    rng = np.random.default_rng(2)
    near = rng.uniform(-0.3, 0.3, (300, 3)) + np.array([0.1, 0, 0])
    far = rng.uniform(5, 9, (100, 3))
    xyz = np.vstack([near, far])
    tracks = np.array([(point, camera) for point in range(len(xyz)) for camera in range(3)], np.int32)
    region = object_region(cameras, xyz, tracks)
    assert region.contains(near).mean() > 0.95
    assert not region.contains(far).any()
    assert region.radius < 0.8
