"""Points merged to cells, and meshes cleaned."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from recon_worker.geometry.ply import NO_FACES, Surface, read_ply, write_ply
from recon_worker.stages.voxel_grid import Samples, merge_samples
from recon_worker.tools.mesh_cleaning import decimated, drop_fragments, is_watertight, smoothed, with_normals


def ball(radius: float = 1.0, x: float = 0.0, subdivisions: int = 3) -> Surface:
    mesh = trimesh.creation.icosphere(subdivisions, radius)
    xyz = np.asarray(mesh.vertices, np.float32)
    rgb = np.where(xyz[:, :1] > 0, np.array([[200, 0, 0]], np.uint8), np.array([[0, 0, 200]], np.uint8))
    shifted = xyz + np.array([x, 0, 0], np.float32)
    return with_normals(Surface(shifted, np.zeros_like(xyz), rgb, np.asarray(mesh.faces, np.int32)))


def both(first: Surface, second: Surface) -> Surface:
    return Surface(
        np.vstack([first.xyz, second.xyz]),
        np.vstack([first.normals, second.normals]),
        np.vstack([first.rgb, second.rgb]),
        np.vstack([first.faces, second.faces + len(first.xyz)]).astype(np.int32),
    )


def test_fragments_go_and_large_parts_stay():
    large, small, crumb = ball(), ball(0.5, x=3, subdivisions=2), ball(0.01, x=5, subdivisions=0)
    kept = drop_fragments(both(both(large, small), crumb), least_share=0.05)
    assert len(kept.faces) == len(large.faces) + len(small.faces)
    assert np.array_equal(kept.xyz[kept.faces[0]], large.xyz[large.faces[0]])


def test_smoothing_removes_noise_and_does_not_shrink():
    surface = ball(subdivisions=4)
    noise = np.random.default_rng(0).normal(scale=0.01, size=surface.xyz.shape).astype(np.float32)
    rough = Surface(surface.xyz + noise, surface.normals, surface.rgb, surface.faces)
    radius = np.linalg.norm(smoothed(rough, rounds=3).xyz, axis=1)
    assert radius.std() < 0.6 * np.linalg.norm(rough.xyz, axis=1).std()
    assert radius.mean() == pytest.approx(1.0, abs=0.003)


def test_decimation_keeps_shape_and_colours():
    small = decimated(ball(subdivisions=5), 1000)
    assert 800 < len(small.faces) <= 1000
    assert np.linalg.norm(small.xyz, axis=1).min() > 0.97
    assert (small.rgb[small.xyz[:, 0] > 0.1] == (200, 0, 0)).all()


def test_a_ball_is_watertight_until_a_triangle_is_missing():
    faces = ball().faces
    assert is_watertight(faces)
    assert not is_watertight(faces[1:])
    assert not is_watertight(NO_FACES)


def test_normals_point_outwards():
    surface = ball()
    assert ((surface.normals * surface.xyz).sum(axis=1) > 0.99).all()


@pytest.mark.parametrize("faces", [pytest.param(True, id="a mesh"), pytest.param(False, id="points")])
def test_a_surface_is_read_as_it_was_written(tmp_path: Path, faces: bool):
    surface = ball()
    written = surface if faces else Surface(surface.xyz, surface.normals, surface.rgb, NO_FACES)
    write_ply(tmp_path / "a.ply", written)
    read = read_ply(tmp_path / "a.ply")
    for name in ("xyz", "normals", "rgb", "faces"):
        assert np.array_equal(getattr(read, name), getattr(written, name))


def test_points_in_a_cell_become_their_weighted_mean():
    samples = Samples(
        xyz=np.array([[0.1, 0.1, 0.1], [0.3, 0.1, 0.1], [5, 5, 5]], np.float32),
        normals=np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], np.float32),
        rgb=np.array([[0, 0, 0], [100, 0, 0], [7, 8, 9]], np.uint8),
        weights=np.array([1, 3, 1], np.float32),
    )
    merged = merge_samples(samples, cell=1.0)
    assert np.allclose(merged.xyz, np.array([[0.25, 0.1, 0.1], [5, 5, 5]]))
    assert np.allclose(merged.normals[0], np.array([0, 3, 1]) / np.sqrt(10))
    assert merged.rgb.tolist() == [[75, 0, 0], [7, 8, 9]]
