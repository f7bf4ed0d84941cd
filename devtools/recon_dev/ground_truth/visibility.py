"""What of the true surface the photos show."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recon_dev.ground_truth.cameras import TrueCamera
from recon_worker.rendering.ray_casting import RayCaster

START = 3e-4
"""How far from its vertex a ray starts, of the mesh's diagonal: else it would meet the triangles around the vertex."""


def seen_triangles(
    vertices: NDArray[np.floating],
    triangles: NDArray[np.integer],
    cameras: Sequence[TrueCamera],
    least_cameras: int,
) -> NDArray[np.bool_]:
    """Return whether all corners of each triangle (f, 3) are seen by at least so many cameras: (f,).

    A vertex is seen where it lies within the photo and nothing of the mesh lies between it and the camera; the vertices
    (v, 3) are in the cameras' world. Which way the triangles face does not matter: the far side of a solid is hidden by its
    near side.
    """
    caster = RayCaster(vertices, triangles)
    start = START * float(np.linalg.norm(vertices.max(axis=0) - vertices.min(axis=0)))
    seen = np.zeros(len(vertices), dtype=int)
    for camera in cameras:
        shown = np.flatnonzero(_within_photo(vertices, camera))
        rays = camera.centre - vertices[shown]
        starts = vertices[shown] + rays * (start / np.linalg.norm(rays, axis=1, keepdims=True))
        seen[shown] += ~caster.occluded(starts, rays, reach=1.0)
    visible: NDArray[np.bool_] = (seen[triangles] >= least_cameras).all(axis=1)
    return visible


def _within_photo(vertices: NDArray[np.floating], camera: TrueCamera) -> NDArray[np.bool_]:
    """Return which vertices (v, 3) of the world frame lie in front of the camera and within its photo: (v,)."""
    projected = (vertices @ camera.R.T + camera.t) @ camera.K.T
    depth = np.maximum(projected[:, 2:], 1e-12)
    places, (width, height) = projected[:, :2] / depth, camera.size
    inside = (places > 0).all(axis=1) & (places[:, 0] < width) & (places[:, 1] < height)
    within: NDArray[np.bool_] = inside & (projected[:, 2] > 0)
    return within
