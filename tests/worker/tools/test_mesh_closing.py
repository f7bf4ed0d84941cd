"""Surfaces with all kinds of faults become watertight manifolds."""

import numpy as np
import pytest
import trimesh

from recon_worker.geometry.ply import Surface
from recon_worker.tools.mesh_cleaning import is_watertight, keep_faces
from recon_worker.tools.mesh_closing import closed
from tests.support.meshes import make_ball, make_surface


def without(surface: Surface, hidden: np.ndarray) -> Surface:
    """The surface without the triangles of which a corner is hidden, (n,)."""
    return keep_faces(surface, np.asarray(~hidden[surface.faces].any(axis=1)))


def bowl() -> Surface:
    ball = make_ball()
    return without(ball, ball.xyz[:, 1] < 0)


def with_small_holes() -> Surface:
    ball = make_ball()
    return keep_faces(ball, np.arange(len(ball.faces)) % 97 != 0)


def sheet() -> Surface:
    """A wavy cloth, open all around."""
    x, z = np.meshgrid(np.linspace(-1, 1, 21), np.linspace(-1, 1, 21), indexing="ij")
    xyz = np.stack((x, 0.1 * np.sin(5 * x), z), axis=-1).reshape(-1, 3)
    a = (np.arange(20)[:, None] * 21 + np.arange(20)).ravel()
    faces = np.concatenate([np.stack([a, a + 1, a + 21], axis=1), np.stack([a + 1, a + 22, a + 21], axis=1)])
    return make_surface(trimesh.Trimesh(xyz, faces, process=False), np.full((len(xyz), 3), 90))


def touching_in_a_point() -> Surface:
    """Two pyramids without bases whose tips are one vertex."""
    base = np.array([[1, 1, 1], [1, 1, -1], [-1, 1, -1], [-1, 1, 1]], np.float32)
    xyz = np.concatenate([[[0, 0, 0]], base, base * [1, -1, 1]]).astype(np.float32)
    upper = [[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 1]]
    lower = [[0, 6, 5], [0, 7, 6], [0, 8, 7], [0, 5, 8]]
    return Surface(xyz, np.zeros_like(xyz), np.zeros((9, 3), np.uint8), np.array(upper + lower, np.int32))


def with_a_fin() -> Surface:
    """A ball with a triangle that stands on one of its edges."""
    ball = make_ball(subdivisions=2)
    tip = np.array([[0, 3, 0]], np.float32)
    fin = np.array([[ball.faces[0, 0], ball.faces[0, 1], len(ball.xyz)]], np.int32)
    return Surface(
        np.concatenate([ball.xyz, tip]),
        np.concatenate([ball.normals, tip]),
        np.concatenate([ball.rgb, np.zeros((1, 3), np.uint8)]),
        np.concatenate([ball.faces, fin]),
    )


@pytest.mark.parametrize("open_surface", [bowl, with_small_holes, sheet, touching_in_a_point, with_a_fin, make_ball])
def test_every_edge_gets_two_triangles(open_surface) -> None:
    made = closed(open_surface())
    assert is_watertight(made.faces)
    mesh = trimesh.Trimesh(made.xyz, made.faces, process=False)
    assert mesh.is_winding_consistent
    assert mesh.is_volume
    assert mesh.volume > 0
    assert len(made.normals) == len(made.rgb) == len(made.xyz)


def test_a_closed_surface_stays_as_it_is() -> None:
    ball = make_ball()
    assert trimesh.Trimesh(*_arrays(closed(ball)), process=False).volume == pytest.approx(
        trimesh.Trimesh(*_arrays(ball), process=False).volume
    )
    assert len(closed(ball).faces) == len(ball.faces)


def test_where_the_scene_ends_it_gets_a_flat_base() -> None:
    made = closed(sheet())
    lowest = made.xyz[:, 1].min()
    assert lowest < sheet().xyz[:, 1].min()
    assert (made.xyz[:, 1] < lowest + 1e-6).sum() == 4 * 20 + 1  # one below each vertex of the edge, and the middle


def test_a_small_hole_gets_a_cap_in_its_colour() -> None:
    ball = make_ball(rgb=(10, 20, 30))
    made = closed(without(ball, ball.xyz[:, 1] > 0.97))
    assert np.linalg.norm(made.xyz, axis=1).max() <= 1.001
    assert (made.rgb == (10, 20, 30)).all()
    assert made.xyz[:, 1].min() == pytest.approx(-1, abs=0.01)


def _arrays(surface: Surface) -> tuple[np.ndarray, np.ndarray]:
    return surface.xyz, surface.faces
