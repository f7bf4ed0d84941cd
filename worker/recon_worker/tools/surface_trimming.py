"""Cutting off what surface reconstruction adds where nothing was measured.

Poisson reconstruction lays a closed surface: beyond the last points it goes on, around the scene or under the table. Where points are
missing amid the surface it closes the hole, which is welcome, unless photos see through it.
"""

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from recon_worker.geometry.ply import Surface
from recon_worker.tools.mesh_cleaning import keep_faces

Faces = npt.NDArray[np.int32]


def without_extensions(
    surface: Surface,
    points: npt.NDArray[np.float32],
    seen_through: npt.NDArray[np.bool_],
    *,
    reach: float,
    hole_share: float,
) -> Surface:
    """Return the surface without its connected parts that are farther than `reach` from all points (n, 3), small ones excepted.

    A part is small where its area is at most `hole_share` of the measured area. What is that far from all points and has a vertex that
    is `seen_through`, (v,), goes in any case.
    """
    nearest, _ = cKDTree(points).query(surface.xyz, distance_upper_bound=reach)
    measured = np.isfinite(nearest)[surface.faces].all(axis=1)
    doubtful = ~measured & ~seen_through[surface.faces].any(axis=1)
    areas = _areas(surface)
    part = _parts(surface.faces[doubtful], len(surface.xyz))
    size = np.bincount(part, areas[doubtful], minlength=1)
    keep = measured.copy()
    keep[doubtful] = size[part] <= hole_share * areas[measured].sum()
    return keep_faces(surface, keep)


def _areas(surface: Surface) -> npt.NDArray[np.float64]:
    """Return the areas of the m triangles, (m,), in the surface's unit, squared."""
    a, b, c = (surface.xyz[surface.faces[:, corner]].astype(np.float64) for corner in range(3))
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2)


def _parts(faces: Faces, vertices: int) -> npt.NDArray[np.int32]:
    """Return the number of the connected part to which each triangle, (m, 3), belongs: (m,)."""
    rows, columns = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    edges = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(vertices, vertices))
    return np.asarray(connected_components(edges, directed=False)[1][faces[:, 0]], np.int32)
