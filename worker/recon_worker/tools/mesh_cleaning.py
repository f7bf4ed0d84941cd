"""Making a reconstructed surface fit to be looked at: drop fragments, smooth, decimate."""

import fast_simplification
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from recon_worker.geometry.ply import Surface

Floats = npt.NDArray[np.float32]
Faces = npt.NDArray[np.int32]


def keep_vertices(surface: Surface, keep: npt.NDArray[np.bool_]) -> Surface:
    """Return the triangles whose corners all have a true `keep`, (n,), and the vertices that they use."""
    return keep_faces(surface, np.asarray(keep[surface.faces].all(axis=1)))


def keep_faces(surface: Surface, keep: npt.NDArray[np.bool_]) -> Surface:
    """Return the triangles with a true `keep`, (m,), and the vertices that they use."""
    faces = surface.faces[keep]
    used = np.zeros(len(surface.xyz), bool)
    used[faces] = True
    number = np.cumsum(used, dtype=np.int32) - 1
    return Surface(surface.xyz[used], surface.normals[used], surface.rgb[used], number[faces].astype(np.int32))


def drop_fragments(surface: Surface, least_share: float) -> Surface:
    """Return the surface without connected parts that have less than this share of the largest part's triangles."""
    label = connected_components(_adjacency(surface), directed=False)[1]
    sizes = np.bincount(label[surface.faces[:, 0]])
    return keep_vertices(surface, sizes[label] >= least_share * sizes.max())


def smoothed(surface: Surface, rounds: int, shrink: float = 0.5, inflate: float = -0.53) -> Surface:
    """Return the surface smoothed without shrinking it.

    Taubin, "A Signal Processing Approach to Fair Surface Design", SIGGRAPH 1995.
    """
    neighbours = _adjacency(surface)
    mean = diags(1 / np.maximum(np.asarray(neighbours.sum(axis=1)).ravel(), 1)) @ neighbours
    xyz = surface.xyz.astype(np.float64)
    for factor in (shrink, inflate) * rounds:
        xyz += factor * (mean @ xyz - xyz)
    return Surface(xyz.astype(np.float32), surface.normals, surface.rgb, surface.faces)


def decimated(surface: Surface, target_faces: int) -> Surface:
    """Return the surface with at most about so many triangles.

    Garland and Heckbert, "Surface Simplification Using Quadric Error Metrics", SIGGRAPH 1997. Colours are those of the
    nearest vertices before.
    """
    if len(surface.faces) <= target_faces:
        return surface
    xyz, faces = fast_simplification.simplify(surface.xyz, surface.faces, target_count=target_faces)
    nearest = cKDTree(surface.xyz).query(xyz)[1]
    return Surface(
        np.asarray(xyz, np.float32), surface.normals[nearest], surface.rgb[nearest], np.asarray(faces, np.int32)
    )


def with_normals(surface: Surface) -> Surface:
    """Return the surface with normals at its vertices: the mean of the adjacent triangles', weighted by area."""
    a, b, c = (surface.xyz[surface.faces[:, corner]] for corner in range(3))
    areas = np.cross(b - a, c - a).astype(np.float64)
    normals = np.stack(
        [
            sum(np.bincount(surface.faces[:, corner], areas[:, axis], len(surface.xyz)) for corner in range(3))
            for axis in range(3)
        ],
        axis=1,
    )
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return Surface(surface.xyz, normals.astype(np.float32), surface.rgb, surface.faces)


def is_watertight(faces: Faces) -> bool:
    """Say whether every edge of triangles (m, 3) belongs to exactly two of them."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1).astype(np.int64)
    if not len(edges):
        return False
    counts = np.unique(edges[:, 0] * (int(faces.max()) + 1) + edges[:, 1], return_counts=True)[1]
    return bool((counts == 2).all())


def _adjacency(surface: Surface) -> csr_matrix:
    """Return the symmetric matrix of n x n vertices with a one for every edge."""
    a, b, c = surface.faces.T
    rows, columns = np.concatenate([a, b, c, b, c, a]), np.concatenate([b, c, a, a, b, c])
    count = len(surface.xyz)
    matrix = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    matrix.data[:] = 1
    return matrix
