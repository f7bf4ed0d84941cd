"""What of the true surface the photos show."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recon_dev.truth.cameras import TrueCamera
from recon_worker.rendering.ray_casting import RayCaster


def seen_triangles(
    vertices: NDArray[np.floating],
    normals: NDArray[np.floating],
    triangles: NDArray[np.integer],
    cameras: Sequence[TrueCamera],
    least_cameras: int,
) -> NDArray[np.bool_]:
    """Return (F,) whether all corners of a triangle are seen by at least so many cameras.

    A vertex is seen where it faces the camera, lies within the photo, and nothing of the mesh lies in between. Vertices
    (V, 3) and unit normals (V, 3) are in the cameras' world.
    """
    caster = RayCaster(vertices, triangles)
    size = float(np.linalg.norm(vertices.max(axis=0) - vertices.min(axis=0)))
    # The start lies a little above the surface, else a ray would meet the triangle that it starts from.
    starts = np.asarray(vertices) + 5e-4 * size * np.asarray(normals)
    seen = np.zeros(len(vertices), dtype=int)
    for camera in cameras:
        facing = np.flatnonzero(_within_photo(vertices, camera) & _faces(vertices, normals, camera))
        blocked = caster.occluded(starts[facing], camera.centre - starts[facing], reach=1.0)
        seen[facing] += ~blocked
    visible: NDArray[np.bool_] = (seen[triangles] >= least_cameras).all(axis=1)
    return visible


def _faces(vertices: NDArray[np.floating], normals: NDArray[np.floating], camera: TrueCamera) -> NDArray[np.bool_]:
    facing: NDArray[np.bool_] = np.einsum("ij,ij->i", normals, camera.centre - vertices) > 0
    return facing


def _within_photo(vertices: NDArray[np.floating], camera: TrueCamera) -> NDArray[np.bool_]:
    projected = (vertices @ camera.R.T + camera.t) @ camera.K.T
    depth = np.maximum(projected[:, 2:], 1e-12)
    places, (width, height) = projected[:, :2] / depth, camera.size
    inside = (places > 0).all(axis=1) & (places[:, 0] < width) & (places[:, 1] < height)
    within: NDArray[np.bool_] = inside & (projected[:, 2] > 0)
    return within
